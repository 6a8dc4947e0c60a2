import { existsSync } from 'node:fs';
import { copyFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { GPT2_LAYER_CONFIG } from '../../../src/model/layer-config.js';
import { TracedModel, type ModelOptions, type NativeRuntime } from '../../../src/model/traced-model.js';
import { loadAddon } from '../../../src/native/addon.js';
import { runCli, withFolder } from '../../support/cli.js';
import { expectError } from '../../support/errors.js';
import { writeFakePython } from '../../support/fake-python.js';
import { modelFolder } from '../../support/models.js';
import {
  listHostileModels,
  makeHostileModels,
  removeHostileModels,
  type HostileModel,
} from './hostile-models.js';

describe('hostile model files', function () {
  this.timeout(120_000);
  let folder = '';
  let models: readonly HostileModel[] = [];

  before(async () => {
    folder = await makeHostileModels();
    models = await listHostileModels(folder);
  });

  after(() => removeHostileModels(folder));

  /** Loads a file of the folder; `loads` counts how often the addon was asked to. */
  async function load(file: string, options: ModelOptions, loads = { count: 0 }): Promise<void> {
    const { addon, libtorch } = loadAddon();
    const runtime: NativeRuntime = {
      libtorch,
      addon: {
        createStopSource: () => addon.createStopSource(),
        loadModel: (request) => {
          loads.count += 1;
          return addon.loadModel(request);
        },
      },
    };
    const source = {
      model: path.join(folder, file),
      tokenizer: modelFolder('tiny-gpt2'),
      layerConfig: GPT2_LAYER_CONFIG,
    };
    const model = await TracedModel.loadOn(runtime, source, options);
    model.dispose();
  }

  it('are pointed out as soon as they are exported', async function () {
    // The fake Python is a script with a first line that names its interpreter.
    if (process.platform === 'win32') this.skip();
    const hostile = models.find(({ code }) => code === 'MODEL_FILE_UNTRUSTED');
    expect(hostile).to.not.equal(undefined);
    await withFolder(async (out) => {
      await copyFile(path.join(folder, hostile?.file ?? ''), path.join(out, 'model.pt'));
      const summary = { out, quantization: null, bytes: 1, worstDifference: 0, tolerance: 1e-4 };
      const python = await writeFakePython(out, { exporter: { stdout: JSON.stringify(summary) } });
      const { code, stderr } = await runCli(['export', 'gpt2', out, '--json', '--python', python]);
      expect(code).to.equal(0);
      expect(stderr)
        .to.include('warning [MODEL_FILE_UNTRUSTED]: ')
        .and.include(hostile?.finding ?? '?');
    });
  });

  it('are refused, each for what it is, before libtorch sees them', async () => {
    expect(models).to.have.length.greaterThan(100);
    const before = await readdir(folder);
    const loads = { count: 0 };
    for (const { file, code, finding } of models) {
      const error = await expectError(() => load(file, {}, loads), code, file, finding);
      if (code === 'MODEL_FILE_UNTRUSTED') expect(error.message).to.include('--allow-untrusted');
    }
    expect(loads.count).to.equal(0);
    expect(await readdir(folder)).to.deep.equal(before);
  });

  it('write files where they are loaded unchecked: merely by being loaded, or when they run', async () => {
    const writing = models.filter(({ writes }) => writes !== null);
    expect(writing.map(({ file }) => file)).to.deep.equal([
      'setstate-that-writes.pt',
      'forward-that-writes.pt',
    ]);
    for (const { file, writes } of writing) {
      expect(existsSync(writes!), file).to.equal(false);
      const loading = load(file, { allowUntrusted: true });
      // The one that writes while it is loaded is no language model.
      await (file.startsWith('setstate') ? expectError(() => loading, 'MODULE_NOT_FOUND') : loading);
      expect(existsSync(writes!), file).to.equal(true);
      await rm(writes!);
    }
  });

  it('are told from models that are written in the same way, but harmless', async () => {
    for (const file of ['harmless-minimal.pt', 'harmless-trace.pt']) {
      const loads = { count: 0 };
      await expectError(() => load(file, {}, loads), 'MODULE_NOT_FOUND', 'transformer.h');
      expect(loads.count).to.equal(1);
    }
  });

  it('are refused by the commands, too, unless they are told otherwise', async () => {
    const model = path.join(folder, 'forward-that-writes.pt');
    const refused = await runCli(['inspect', model, '--modules']);
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.include('error [MODEL_FILE_UNTRUSTED]').and.to.include('torch.save');
    const allowed = await runCli(['inspect', model, '--modules', '--allow-untrusted']);
    expect(allowed.code, allowed.stderr).to.equal(0);
  });

  it('are not let in by something that only looks true', async () => {
    const allowUntrusted = 'false' as unknown as boolean;
    await expectError(
      () => load('setstate-that-writes.pt', { allowUntrusted }),
      'INVALID_OPTION',
      'allowUntrusted must be true or false, not "false"',
    );
  });
});
