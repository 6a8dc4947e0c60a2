import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import type { LayerConfig } from '../../src/model/layer-config.js';
import { MANIFEST_FILE, type Manifest } from '../../src/model/manifest.js';
import { sha256OfFile } from '../../src/model/model-folder.js';
import { TracedModel } from '../../src/model/traced-model.js';
import { changeJson, withCopy } from '../support/copied-folder.js';
import { expectError } from '../support/errors.js';
import { modelFolder, TINY_MODELS } from '../support/models.js';
import { tokenizerFolder } from '../support/tokenizers.js';

const folder = modelFolder('tiny-gpt2');
const torchScript = path.join(folder, 'model.pt');

async function layerConfig(): Promise<LayerConfig> {
  const manifest = JSON.parse(await readFile(path.join(folder, MANIFEST_FILE), 'utf8')) as Manifest;
  return manifest.layerConfig;
}

/** Writes `bytes` as the model of a folder, and has the manifest agree. */
async function replaceModel(copy: string, bytes: Buffer): Promise<void> {
  const file = path.join(copy, 'model.pt');
  await writeFile(file, bytes);
  const sha256 = await sha256OfFile(file);
  await changeJson(path.join(copy, MANIFEST_FILE), (manifest) => {
    manifest['model'] = { file: 'model.pt', bytes: bytes.length, sha256 };
  });
}

describe('TracedModel', () => {
  for (const name of TINY_MODELS) {
    it(`loads ${name} and knows what it is`, async () => {
      using model = await TracedModel.load(modelFolder(name));
      const { manifest } = model;
      expect(model.layerCount).to.equal(manifest?.layerCount);
      expect(model.vocabularySize).to.equal(manifest?.vocabularySize);
      expect(model.sha256).to.equal(manifest?.model.sha256);
      expect(model.dtype).to.equal('float32');
      expect(model.device).to.equal('cpu');
      expect(await model.defaultNoise()).to.equal(manifest?.embeddingNoiseScale);
      const sites = model.sites();
      expect(sites).to.have.length(1 + 3 * model.layerCount);
      expect(sites.map(({ problem }) => problem).join('')).to.equal('');
      const modules = new Set(model.modules().map((module) => module.name));
      expect(sites.every((site) => modules.has(site.module))).to.equal(true);
    });
  }

  it('takes a bare TorchScript file, and finds the noise and the vocabulary by itself', async () => {
    using fromFolder = await TracedModel.load(folder);
    const files = { model: torchScript, tokenizer: folder, layerConfig: await layerConfig() };
    using bare = await TracedModel.load(files);
    expect(bare.manifest).to.equal(null);
    expect(bare.maximumPositions).to.equal(null);
    expect(bare.sha256).to.equal(fromFolder.sha256);
    expect(bare.vocabularySize).to.equal(fromFolder.vocabularySize);
    expect(await bare.defaultNoise()).to.be.closeTo(await fromFolder.defaultNoise(), 1e-6);
    using tokenizerFile = await TracedModel.load({
      ...files,
      tokenizer: path.join(folder, 'tokenizer.json'),
    });
    expect(tokenizerFile.tokenizer.encode('Paris')).to.deep.equal(fromFolder.tokenizer.encode('Paris'));
  });

  it('lets a layer config replace that of the folder', async () => {
    const config = {
      ...(await layerConfig()),
      mlpLayersMatcher: (layer: number) => `transformer.h.${layer}.mlp.c_fc`,
    };
    using model = await TracedModel.load(folder, { layerConfig: config });
    expect(model.layerModuleNames('mlp')[1]).to.equal('transformer.h.1.mlp.c_fc');
  });

  describe('refuses', () => {
    it('a model whose numbers are not those of its manifest, naming the site', async () => {
      await withCopy('tiny-gpt2', async (copy) => {
        await changeJson(path.join(copy, MANIFEST_FILE), (manifest) => {
          const site = (manifest as Manifest).check.sites[3]!;
          site.checksum.norm *= 1.001;
        });
        await expectError(
          () => TracedModel.load(copy),
          'MODEL_CHECK_FAILED',
          'norm of the output of "transformer.h.0.mlp"',
          'expected',
          'found',
        );
      });
    });

    it('a model without a module of its manifest', async () => {
      await withCopy('tiny-gpt2', async (copy) => {
        await changeJson(path.join(copy, MANIFEST_FILE), (manifest) => {
          (manifest as Manifest).check.sites[0]!.module = 'transformer.other';
        });
        await expectError(
          () => TracedModel.load(copy),
          'MODEL_CHECK_FAILED',
          'no module "transformer.other"',
        );
      });
    });

    it('a tokenizer that gives other tokens than at export', async () => {
      await withCopy('tiny-gpt2', async (copy) => {
        const other = await readFile(path.join(modelFolder('tiny-llama'), 'tokenizer.json'));
        await writeFile(path.join(copy, 'tokenizer.json'), other);
        await expectError(() => TracedModel.load(copy), 'TOKENIZER_MISMATCH', 'export');
      });
    });

    it('a tokenizer that is damaged', async () => {
      await withCopy('tiny-gpt2', async (copy) => {
        const file = path.join(copy, 'tokenizer.json');
        await writeFile(file, '{');
        await expectError(() => TracedModel.load(copy), 'TOKENIZER_INVALID', file);
      });
    });

    it('a tokenizer that is larger than the vocabulary of a bare model', async () => {
      const files = {
        model: torchScript,
        tokenizer: tokenizerFolder('byte-level'),
        layerConfig: await layerConfig(),
      };
      await expectError(() => TracedModel.load(files), 'TOKENIZER_MISMATCH', 'up to 499', 'only 384 tokens');
    });

    it('a file that is not TorchScript', async () => {
      await withCopy('tiny-gpt2', async (copy) => {
        await replaceModel(copy, Buffer.from('not a model'));
        await expectError(
          () => TracedModel.load(copy),
          'MODEL_FILE_INVALID',
          path.join(copy, 'model.pt'),
          'TorchScript',
        );
      });
    });

    it('a bare TorchScript file that is truncated or missing', async () => {
      await withCopy('tiny-gpt2', async (copy) => {
        const model = path.join(copy, 'model.pt');
        await writeFile(model, (await readFile(model)).subarray(0, 20_000));
        const files = { model, tokenizer: copy, layerConfig: await layerConfig() };
        await expectError(() => TracedModel.load(files), 'MODEL_FILE_INVALID', model, 'truncated');
        const missing = { ...files, model: path.join(copy, 'none.pt') };
        await expectError(() => TracedModel.load(missing), 'MODEL_FILE_NOT_FOUND', 'none.pt');
      });
    });

    it('a bare TorchScript file without a layer config', async () => {
      const files = { model: torchScript, tokenizer: folder } as Parameters<typeof TracedModel.load>[0];
      await expectError(() => TracedModel.load(files), 'LAYER_CONFIG_INVALID', 'hiddenLayersMatcher');
      await expectError(
        () => TracedModel.load({} as typeof files),
        'INVALID_OPTION',
        '{ model, tokenizer, layerConfig }',
      );
    });

    it('a layer config that matches nothing, listing near names', async () => {
      const config = { ...(await layerConfig()), attentionLayersMatcher: 'transformer.h.{num}.attention' };
      await expectError(
        () => TracedModel.load(folder, { layerConfig: config }),
        'MODULE_NOT_FOUND',
        'attentionLayersMatcher',
        'transformer.h.{num}.attn',
      );
      const numberless = { ...config, attentionLayersMatcher: 'transformer.h.0.attn' };
      await expectError(
        () => TracedModel.load(folder, { layerConfig: numberless }),
        'LAYER_TEMPLATE_INVALID',
        '{num}',
      );
    });

    it('a device that is not there', async () => {
      for (const device of ['cuda', 'cuda:3', 'toaster']) {
        await expectError(
          () => TracedModel.load(folder, { device }),
          'DEVICE_NOT_AVAILABLE',
          `'${device}'`,
          "'cpu'",
        );
      }
    });

    it('a number of threads that is none', async () => {
      for (const threads of [0, -1, 1.5, Number.NaN, 5000]) {
        await expectError(
          () => TracedModel.load(folder, { threads }),
          'INVALID_OPTION',
          'threads',
          String(threads),
        );
      }
    });
  });

  it('fails with DISPOSED after dispose, which may be repeated', async () => {
    const model = await TracedModel.load(folder);
    model.dispose();
    model.dispose();
    await expectError(() => model.run([1, 2]), 'DISPOSED', 'Load it again');
    await expectError(() => model.defaultNoise(), 'DISPOSED');
  });
});
