import { expect } from 'chai';
import { expandTarget } from '../../src/model/hook-points.js';

describe('expandTarget', () => {
  const names = [
    'wte',
    'h',
    'h.0',
    'h.0.mlp',
    'h.10',
    'h.10.mlp',
    'h.2',
    'h.2.mlp',
    'h.2.experts.2',
    'h.2.experts.10',
  ];

  it('puts numbers in the place of {num}, in the order of the layers', () => {
    expect(expandTarget('h.{num}.mlp', names)).to.deep.equal([
      { module: 'h.0.mlp', at: 'output', layer: 0 },
      { module: 'h.2.mlp', at: 'output', layer: 2 },
      { module: 'h.10.mlp', at: 'output', layer: 10 },
    ]);
  });

  it('puts the same number in every place', () => {
    expect(expandTarget('h.{num}.experts.{num}', names).map(({ module }) => module)).to.deep.equal([
      'h.2.experts.2',
    ]);
  });

  it('takes a name as it is', () => {
    expect(expandTarget({ module: 'wte', at: 'input' }, names)).to.deep.equal([
      { module: 'wte', at: 'input', layer: null },
    ]);
  });
});
