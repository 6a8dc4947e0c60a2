import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import type { ModelReport } from '../../src/cli/model-report.js';
import { runCli, withFolder } from '../support/cli.js';
import { changeJson, withCopy } from '../support/copied-folder.js';
import { modelFolder } from '../support/models.js';

const model = modelFolder('tiny-gpt2');

describe('causal-tracer inspect', () => {
  it('shows sizes, layer config, versions and checks', async () => {
    const { code, stdout, stderr } = await runCli(['inspect', model]);
    expect([code, stderr]).to.deep.equal([0, '']);
    for (const line of [
      /^ {2}family +gpt2$/m,
      /^ {2}layers +5$/m,
      /^ {2}modules +\d+, of which \d+ can be hooked$/m,
      /^ {2}file +\d+ bytes, SHA-256 [0-9a-f]{64}$/m,
      /^ {2}exported with +causal-tracer \S+, torch 2\.13\.0\S*, transformers 5\.\S+$/m,
      /^ {2}runs on +causal-tracer \S+, libtorch 2\.13\.0/m,
      /^ {2}hidden +transformer\.h\.\{num\} +5 of 5 found$/m,
      /^ {2}embedding +transformer\.wte +1 of 1 found$/m,
      /^Engines\n {2}hidden +incremental\n {2}mlp +incremental\n {2}attention +incremental$/m,
      /^ {2}at export +equal to the model in Python in \d+ cases: /m,
      /^ {2}just now +equal to what was recorded: \d+ prompts' logits, \d+ modules' outputs, \d+ texts' tokens$/m,
    ]) {
      expect(stdout).to.match(line);
    }
    expect(stdout).not.to.include('ln_1');
  });

  it('lists modules as a tree or one by one', async () => {
    const tree = await runCli(['inspect', model, '--modules']);
    expect(tree.stdout).to.match(/\n\ntransformer\n {2}wte\n[^]*\n {4}0 to 4\n {6}ln_1\n/);
    const list = await runCli(['inspect', model, '--modules', 'list']);
    expect(list.stdout).to.match(/^transformer\.h\.4\.mlp$/m);
  });

  it('prints everything as JSON', async () => {
    const { code, stdout } = await runCli(['inspect', model, '--json']);
    expect(code).to.equal(0);
    const report = JSON.parse(stdout) as ModelReport;
    expect(report.check.result).to.equal('equal');
    expect(report.sites).to.have.length(16);
    expect(report.engines.mlp).to.deep.equal({ engine: 'incremental', reason: null });
    expect(report.sites.every(({ problem }) => problem === '')).to.equal(true);
    expect(report.modules.map(({ name }) => name)).to.include('transformer.h.4.attn');
    expect(report.layerConfig).to.have.property('mlpLayersMatcher', 'transformer.h.{num}.mlp');
  });

  it('says how the weights were quantized, where they were', async () => {
    await withCopy('tiny-gpt2', async (folder) => {
      const quantization = { format: 'gguf', type: 'Q4_K_M', tensorTypes: { Q4_K: 25, Q6_K: 3, F32: 11 } };
      await changeJson(path.join(folder, 'causal-tracer.json'), (manifest) => {
        manifest['quantization'] = quantization;
      });
      const { code, stdout } = await runCli(['inspect', folder]);
      expect(code).to.equal(0);
      expect(stdout).to.match(
        /^ {2}quantized +Q4_K_M in a GGUF file \(tensors: 25 Q4_K, 3 Q6_K, 11 F32\), here dequantized to float32$/m,
      );
      const report = JSON.parse((await runCli(['inspect', folder, '--json'])).stdout) as ModelReport;
      expect(report.quantization).to.deep.equal(quantization);
    });
    expect((await runCli(['inspect', model])).stdout).not.to.include('quantized');
  });

  it('lists the modules of a bare TorchScript file', async () => {
    const { code, stdout, stderr } = await runCli([
      'inspect',
      path.join(model, 'model.pt'),
      '--modules',
      'list',
    ]);
    expect(code).to.equal(0);
    expect(stdout).to.match(/^transformer\.wte$/m);
    expect(stderr).to.include('give --layer-config and --tokenizer');
  });

  it('lists the modules before it refuses a layer config that does not fit', async () => {
    await withFolder(async (folder) => {
      const config = path.join(folder, 'layers.json');
      const wrong = {
        hiddenLayersMatcher: 'transformer.h.{num}',
        attentionLayersMatcher: 'transformer.h.{num}.atn',
        mlpLayersMatcher: 'transformer.h.{num}.mlp',
        embeddingLayer: 'transformer.wte',
      };
      await writeFile(config, JSON.stringify(wrong));
      const { code, stdout, stderr } = await runCli([
        'inspect',
        model,
        '--layer-config',
        config,
        '--modules',
        'list',
      ]);
      expect(code).to.equal(1);
      expect(stdout).to.match(/^transformer\.h\.0\.attn$/m);
      expect(stderr).to.match(/^error \[MODULE_NOT_FOUND\]: .*transformer\.h\.\{num\}\.attn/);
    });
  });

  it('refuses a model that computes other numbers than were recorded', async () => {
    await withCopy('tiny-gpt2', async (folder) => {
      await changeJson(path.join(folder, 'causal-tracer.json'), (manifest) => {
        const check = manifest['check'] as { topLogits: { id: number; logit: number }[][] };
        const best = check.topLogits[0]?.[0];
        if (best !== undefined) best.logit += 1;
      });
      const { code, stdout, stderr } = await runCli(['inspect', folder]);
      expect([code, stdout]).to.deep.equal([1, '']);
      expect(stderr).to.match(/^error \[MODEL_CHECK_FAILED\]: /);
    });
  });
});
