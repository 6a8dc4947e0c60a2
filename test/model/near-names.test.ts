import { expect } from 'chai';
import { editDistance, nearestNames, numberedTemplates } from '../../src/model/near-names.js';

describe('near names', () => {
  it('counts insertions, deletions and replacements', () => {
    expect(editDistance('kitten', 'sitting')).to.equal(3);
    expect(editDistance('', 'abc')).to.equal(3);
    expect(editDistance('abc', '')).to.equal(3);
    expect(editDistance('mlp', 'mlp')).to.equal(0);
  });

  it('puts the most alike first, once each, and keeps to the limit', () => {
    const names = ['model.layers', 'lm_head', 'model.embed_tokens', 'model.layers', 'model.norm'];
    expect(nearestNames('model.embed_token', names, 2)).to.deep.equal(['model.embed_tokens', 'model.layers']);
  });

  it('finds a name under another parent', () => {
    const names = ['lm_head', 'transformer', 'transformer.wte', 'transformer.wpe'];
    expect(nearestNames('wte', names, 2)).to.deep.equal(['transformer.wte', 'transformer.wpe']);
    const templates = ['transformer.h.{num}', 'transformer.h.{num}.mlp'];
    expect(nearestNames('model.layers.{num}.mlp', templates, 1)).to.deep.equal(['transformer.h.{num}.mlp']);
  });

  it('makes templates of the first number in each name', () => {
    const names = ['h', 'h.0', 'h.1', 'h.0.mlp', 'h.1.mlp', 'h.0.experts.3', 'wte', 'conv1'];
    expect(numberedTemplates(names)).to.deep.equal(['h.{num}', 'h.{num}.mlp', 'h.{num}.experts.3']);
  });
});
