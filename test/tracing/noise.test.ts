import { expect } from 'chai';
import { drawNoise, type NoiseShape } from '../../src/tracing/noise.js';
import { expectError } from '../support/errors.js';

/** `numpy.random.RandomState(1).randn(2, 1, 3)` */
const NUMPY = [
  1.6243453636632417, -0.6117564136500754, -0.5281717522634557, -1.0729686221561705, 0.8654076293246785,
  -2.3015386968802827,
];
const SHAPE: NoiseShape = { seed: 1, samples: 2, subjectLength: 1, hiddenSize: 3, scale: 0.5 };

describe('drawNoise', () => {
  it("gives numpy's numbers times the scale", () => {
    expect([...drawNoise(SHAPE)]).to.deep.equal(NUMPY.map((number) => number * 0.5));
  });

  it('refuses what is no number of rows, tokens or columns, or no seed', async () => {
    for (const wrong of [
      { seed: -1 },
      { samples: 0 },
      { subjectLength: 1.5 },
      { hiddenSize: Number.NaN },
      { scale: -1 },
    ]) {
      const [name = ''] = Object.keys(wrong);
      const told = name === 'scale' ? 'noise' : name;
      await expectError(() => Promise.resolve(drawNoise({ ...SHAPE, ...wrong })), 'INVALID_OPTION', told);
    }
  });

  it('says when there is no room for as many numbers', async () => {
    for (const samples of [2 ** 20, 2 ** 31 + 4, 2 ** 32 - 1]) {
      const shape = { ...SHAPE, samples, subjectLength: 2 ** 20, hiddenSize: 2 ** 10 };
      await expectError(
        () => Promise.resolve(drawNoise(shape)),
        'OUT_OF_MEMORY',
        `${samples} x 1048576 x 1024`,
      );
    }
  });
});
