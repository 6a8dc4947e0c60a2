import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect } from 'chai';
import { projectRoot } from '../../scripts/setup/paths.mjs';
import { exporterParameters } from '../../src/cli/commands/export.js';
import { MessageSplitter, runExporter } from '../../src/cli/exporter-process.js';
import { listPythons, searchPython } from '../../src/cli/python.js';
import { runCli, withFolder } from '../support/cli.js';
import { writeFakePython } from '../support/fake-python.js';
import { modelFolder } from '../support/models.js';

const SUMMARY = {
  out: 'out',
  family: 'gpt2',
  dtype: 'float32',
  quantization: 'Q4_1',
  attentionImplementation: 'sdpa',
  layerCount: 12,
  hiddenSize: 768,
  vocabularySize: 50257,
  bytes: 650_000_000,
  sha256: '0'.repeat(64),
  tolerance: 1e-4,
  worstDifference: 2.5e-6,
  layerConfig: {},
};

/** Makes a tiny Hugging Face model in the folder `source`. */
const MAKE_MODEL = `
import sys, torch
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
torch.manual_seed(0)
config = GPT2Config(n_layer=2, n_embd=16, n_head=2, vocab_size=384, n_positions=48, bos_token_id=0, eos_token_id=0)
GPT2LMHeadModel(config).save_pretrained("source")
PreTrainedTokenizerFast.from_pretrained(sys.argv[1]).save_pretrained("source")
`;

describe('causal-tracer export', () => {
  before(function () {
    // The fake Python is a script with a first line that names its interpreter.
    if (process.platform === 'win32') this.skip();
  });

  it('starts no exporter once it is interrupted', async () => {
    const reason = new Error('enough');
    const failure: unknown = await runExporter('no-such-python', [], AbortSignal.abort(reason), () => {
      throw new Error('the exporter was started');
    }).catch((error: unknown) => error);
    expect(failure).to.equal(reason);
  });

  it('passes its options on and sums up what was written', async () => {
    await withFolder(async (folder) => {
      const exporter = { stdout: JSON.stringify(SUMMARY), stderr: 'loading\ntracing\n' };
      const python = await writeFakePython(folder, { exporter });
      await cp(modelFolder('tiny-gpt2'), path.join(folder, 'out'), { recursive: true });
      const { code, stdout, stderr } = await runCli(
        [
          'export',
          'gpt2',
          'out',
          '--python',
          python,
          '--force',
          '--revision',
          'main',
          '--attention',
          'eager',
        ],
        { cwd: folder },
      );
      expect([code, stderr]).to.deep.equal([
        0,
        `Exporting with ${python} (torch 2.13.0+cpu, transformers 5.18.0)\nloading\ntracing\n`,
      ]);
      expect(stdout).to.include(
        'out: gpt2, 12 layers, hidden size 768, float32 from Q4_1, sdpa attention, 650.0 MB',
      );
      expect(stdout).to.include('largest difference of a logit 2.5e-6 (allowed: 1.0e-4)');
      const [script, ...parameters] = JSON.parse(
        await readFile(path.join(folder, 'parameters.json'), 'utf8'),
      ) as string[];
      expect(script).to.match(/scripts.export.export_model\.py$/);
      expect(parameters).to.deep.equal(
        exporterParameters('gpt2', 'out', {
          dtype: 'float32',
          force: true,
          revision: 'main',
          attention: 'eager',
        }),
      );
    });
  });

  it('gives the exporter its options in a form that no name can break', () => {
    expect(
      exporterParameters('-m', '--out', { layerConfig: '-c.json', trustRemoteCode: true }),
    ).to.deep.equal(['--layer-config=-c.json', '--trust-remote-code', '--', '-m', '--out']);
  });

  it("turns the exporter's last line into an error", async () => {
    await withFolder(async (folder) => {
      const failure = { code: 'LAYER_CONFIG_INVALID', message: 'mlpLayersMatcher is missing' };
      const stderr = `loading\n{"not": "last"}\n${JSON.stringify(failure)}\n`;
      const python = await writeFakePython(folder, { exporter: { stderr, status: 1 } });
      const result = await runCli(['export', 'gpt2', 'out', '--python', python]);
      expect([result.code, result.stdout]).to.deep.equal([1, '']);
      expect(result.stderr).to.match(
        /\nloading\n\{"not": "last"\}\nerror \[LAYER_CONFIG_INVALID\]: mlpLayersMatcher is missing\.\n$/,
      );
    });
  });

  it('fails with what is known when the exporter says nothing', async () => {
    await withFolder(async (folder) => {
      const python = await writeFakePython(folder, {
        exporter: { stderr: 'Traceback\nTypeError', status: 3 },
      });
      const { code, stderr } = await runCli(['export', 'gpt2', 'out'], {
        env: { CAUSAL_TRACER_PYTHON: python },
      });
      expect(code).to.equal(1);
      expect(stderr).to.match(
        /\nTraceback\nTypeError\nerror \[EXPORT_FAILED\]: The exporter ended with status 3\. /,
      );
    });
  });

  it('exports a model that can then be traced', async function () {
    this.timeout(300_000);
    const { chosen } = await searchPython(listPythons(undefined, process.env));
    if (chosen === null) this.skip();
    await withFolder(async (folder) => {
      await mkdir(path.join(folder, 'source'));
      const made = spawnSync(chosen.executable, ['-c', MAKE_MODEL, modelFolder('tiny-gpt2')], {
        cwd: folder,
      });
      expect(made.status, String(made.stderr)).to.equal(0);
      const exported = await runCli(['export', 'source', 'out', '--json'], { cwd: folder });
      expect(exported.code, exported.stderr).to.equal(0);
      expect(JSON.parse(exported.stdout)).to.deep.include({ family: 'gpt2', layerCount: 2, hiddenSize: 16 });
      expect(await readdir(path.join(folder, 'out'))).to.include.members(['model.pt', 'causal-tracer.json']);
      const traced = await runCli(
        ['trace', 'out', '-p', 'The Colosseum is in', '--samples', '1', '--json', '-'],
        {
          cwd: folder,
        },
      );
      expect(traced.code, traced.stderr).to.equal(0);
      expect(JSON.parse(traced.stdout)).to.have.property('kind', 'hidden');
    });
  });
});

describe('causal-tracer export of a GGUF file', () => {
  it('gives a model that can be traced and names its quantization', async function () {
    this.timeout(300_000);
    const { chosen } = await searchPython(listPythons(undefined, process.env));
    if (chosen === null) this.skip();
    await withFolder(async (folder) => {
      const script = path.join(projectRoot, 'test', 'exporter', 'tiny_gguf.py');
      const made = spawnSync(chosen.executable, [script, 'model.gguf'], { cwd: folder });
      expect(made.status, String(made.stderr)).to.equal(0);
      const exported = await runCli(['export', 'model.gguf', 'out'], { cwd: folder });
      expect(exported.code, exported.stderr).to.equal(0);
      expect(exported.stdout).to.match(
        /^out: llama, 2 layers, hidden size 64, float32 from Q4_1, sdpa attention/,
      );
      const inspected = await runCli(['inspect', 'out'], { cwd: folder });
      expect(inspected.stdout).to.match(
        /^ {2}quantized +Q4_1 in a GGUF file \(tensors: 15 Q4_1, 5 F32, 1 Q8_0\)/m,
      );
      const traced = await runCli(
        ['trace', 'out', '-p', 'The Eiffel Tower is', '--samples', '1', '--json', '-'],
        { cwd: folder },
      );
      expect(traced.code, traced.stderr).to.equal(0);
      expect(JSON.parse(traced.stdout)).to.have.nested.property('provenance.engine', 'incremental');
    });
  });

  it('fails for a file that is none', async function () {
    this.timeout(60_000);
    const { chosen } = await searchPython(listPythons(undefined, process.env));
    if (chosen === null) this.skip();
    await withFolder(async (folder) => {
      await writeFile(path.join(folder, 'model.gguf'), 'no model');
      const { code, stderr } = await runCli(['export', 'model.gguf', 'out'], { cwd: folder });
      expect(code).to.equal(1);
      expect(stderr).to.match(
        /^error \[MODEL_FILE_INVALID\]: model\.gguf is not a GGUF file: it begins with/m,
      );
    });
  });
});

describe("the exporter's messages", () => {
  function split(...chunks: string[]): { readonly passed: string; readonly last: unknown } {
    let passed = '';
    const splitter = new MessageSplitter((text) => (passed += text));
    for (const chunk of chunks) splitter.push(chunk);
    return { last: splitter.end(), passed };
  }

  it('are passed on as they come, but for a last line of JSON', () => {
    expect(split('a\nb', 'c\n{"code"', ': 1}\n')).to.deep.equal({ passed: 'a\nbc\n', last: { code: 1 } });
    expect(split('{"a": 1}\nb\n')).to.deep.equal({ passed: '{"a": 1}\nb\n', last: null });
    expect(split('10%\r20%\r', '30%\n')).to.deep.equal({ passed: '10%\r20%\r30%\n', last: null });
    expect(split('cut off')).to.deep.equal({ passed: 'cut off\n', last: null });
    expect(split('{broken\n')).to.deep.equal({ passed: '{broken\n', last: null });
    expect(split('{"a": 1}')).to.deep.equal({ passed: '', last: { a: 1 } });
    expect(split()).to.deep.equal({ passed: '', last: null });
  });
});
