import { expect } from 'chai';
import { GPT2_LAYER_CONFIG, validateLayerConfig, type LayerConfig } from '../../src/model/layer-config.js';
import { ResolvedLayers, type ResolvableModule } from '../../src/model/layer-resolution.js';
import { expectError } from '../support/errors.js';

const names = ['transformer', 'transformer.wte', 'transformer.drop', 'transformer.h'];
for (const layer of [0, 1, 2]) {
  const block = `transformer.h.${layer}`;
  names.push(block, `${block}.attn`, `${block}.attn.c_proj`, `${block}.mlp`);
}
const modules: readonly ResolvableModule[] = names.map((name) => ({
  name,
  unhookable: name === 'transformer.drop' ? 'it returns no tensor' : '',
}));

function resolve(changes: Partial<LayerConfig> = {}): ResolvedLayers {
  return new ResolvedLayers({ ...GPT2_LAYER_CONFIG, ...changes }, modules);
}

describe('ResolvedLayers', () => {
  it('counts layers until a name is no module', () => {
    const layers = resolve();
    expect(layers.count).to.equal(3);
    expect(layers.moduleNames('mlp')).to.deep.equal([
      'transformer.h.0.mlp',
      'transformer.h.1.mlp',
      'transformer.h.2.mlp',
    ]);
  });

  it('takes functions of the layer', () => {
    const layers = resolve({ attentionLayersMatcher: (layer) => `transformer.h.${layer}.attn.c_proj` });
    expect(layers.moduleNames('attention')[2]).to.equal('transformer.h.2.attn.c_proj');
  });

  it('lists its sites, and what is wrong with them', () => {
    const sites = resolve({
      mlpLayersMatcher: (layer) => (layer === 1 ? 'none' : `transformer.h.${layer}.mlp`),
    }).sites();
    expect(sites).to.have.length(10);
    expect(sites[0]).to.deep.equal({
      module: 'transformer.wte',
      role: 'embedding',
      layer: null,
      problem: '',
    });
    expect(sites[6]).to.deep.equal({
      module: 'none',
      role: 'mlp',
      layer: 1,
      problem: 'the model has no such module',
    });
  });

  it('lists near templates when a template matches nothing', async () => {
    await expectError(
      () => resolve({ hiddenLayersMatcher: 'transformer.layers.{num}' }),
      'MODULE_NOT_FOUND',
      '"transformer.layers.0"',
      'hiddenLayersMatcher',
      'transformer.h.{num}',
    );
    await expectError(
      () => resolve({ mlpLayersMatcher: 'transformer.h.{num}.feed_forward' }),
      'MODULE_NOT_FOUND',
      'mlpLayersMatcher',
      'transformer.h.{num}.mlp',
    );
  });

  it('names a layer that lacks a module only when its kind is asked for', async () => {
    const layers = resolve({
      mlpLayersMatcher: (layer) => (layer === 1 ? 'transformer.h.1.mpl' : `transformer.h.${layer}.mlp`),
    });
    expect(layers.moduleNames('hidden')).to.have.length(3);
    await expectError(() => layers.moduleNames('mlp'), 'MODULE_NOT_FOUND', 'layer 1', 'transformer.h.1.mlp');
  });

  it('lists near names when the embedding is missing, and refuses one that cannot be hooked', async () => {
    await expectError(
      () => resolve({ embeddingLayer: 'transformer.embed' }),
      'MODULE_NOT_FOUND',
      'embeddingLayer',
      'transformer.wte',
    );
    await expectError(
      () => resolve({ embeddingLayer: 'transformer.drop' }),
      'MODULE_NOT_HOOKABLE',
      'transformer.drop',
      'it returns no tensor',
    );
  });

  it('refuses functions that give one module to two layers, or no name', async () => {
    await expectError(
      () => resolve({ hiddenLayersMatcher: () => 'transformer.h.0' }),
      'LAYER_TEMPLATE_INVALID',
      '"transformer.h.0"',
    );
    const matcher = (() => undefined) as unknown as (layer: number) => string;
    await expectError(() => resolve({ hiddenLayersMatcher: matcher }), 'LAYER_TEMPLATE_INVALID', 'undefined');
  });
});

describe('validateLayerConfig', () => {
  it('keeps a good config', () => {
    expect(validateLayerConfig({ ...GPT2_LAYER_CONFIG, other: 1 })).to.deep.equal(GPT2_LAYER_CONFIG);
  });

  it('asks for {num} in templates', async () => {
    const config = { ...GPT2_LAYER_CONFIG, mlpLayersMatcher: 'transformer.h.0.mlp' };
    await expectError(
      () => validateLayerConfig(config),
      'LAYER_TEMPLATE_INVALID',
      'mlpLayersMatcher',
      '{num}',
    );
  });

  it('names fields that are missing or of a wrong type', async () => {
    await expectError(() => validateLayerConfig(null), 'LAYER_CONFIG_INVALID', 'null');
    const numbered = { ...GPT2_LAYER_CONFIG, hiddenLayersMatcher: 3 };
    await expectError(
      () => validateLayerConfig(numbered),
      'LAYER_CONFIG_INVALID',
      'hiddenLayersMatcher',
      'number',
    );
    const bare = { ...GPT2_LAYER_CONFIG, embeddingLayer: undefined };
    await expectError(() => validateLayerConfig(bare), 'LAYER_CONFIG_INVALID', 'embeddingLayer', 'undefined');
  });
});
