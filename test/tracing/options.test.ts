import { expect } from 'chai';
import type { LayerKind } from '../../src/tracing/hidden-flow.js';
import {
  requireLayer,
  requireNoise,
  resolveTraceOptions,
  type TraceOptions,
} from '../../src/tracing/options.js';
import { expectError } from '../support/errors.js';

describe('resolveTraceOptions', () => {
  it('fills in the defaults of the Python package, and has the engine choose the batch size', () => {
    expect(resolveTraceOptions({}, 12)).to.deep.equal({
      kind: 'hidden',
      window: 1,
      samples: 10,
      batchSize: 'auto',
      patchSeed: 1,
      startLayer: 0,
      endLayer: 12,
      patchSubjectTokensOnly: false,
      includeLayerOutputs: false,
    });
  });

  it('keeps values at the ends of their ranges', () => {
    const options = {
      startLayer: 11,
      endLayer: 12,
      patchSeed: 2 ** 32 - 1,
      window: 1,
      samples: 1,
      batchSize: 1,
    };
    expect(resolveTraceOptions(options, 12)).to.include(options);
    expect(resolveTraceOptions({ patchSeed: 0 }, 12).patchSeed).to.equal(0);
    expect(resolveTraceOptions({ batchSize: 'auto' }, 12).batchSize).to.equal('auto');
  });

  it('lists the kinds when it does not know one', async () => {
    await expectError(
      () => resolveTraceOptions({ kind: 'attn' as LayerKind }, 12),
      'UNKNOWN_KIND',
      '"attn"',
      'hidden, mlp, attention',
    );
  });

  for (const option of ['window', 'samples', 'batchSize'] as const) {
    for (const value of [0, -1, 1.5, Number.NaN, Infinity, '3', 'Auto'] as number[]) {
      it(`refuses ${option} ${typeof value} ${String(value)}`, async () => {
        const message = `${option} must be a whole number of at least 1`;
        await expectError(
          () => resolveTraceOptions({ [option]: value }, 12),
          'INVALID_OPTION',
          message,
          String(value),
          ...(option === 'batchSize' ? [', or "auto", not '] : []),
        );
      });
    }
  }

  for (const patchSeed of [-1, 2 ** 32, 0.5, Number.NaN]) {
    it(`refuses patchSeed ${patchSeed}`, async () => {
      const message = 'patchSeed must be a whole number from 0 to 4294967295';
      await expectError(
        () => resolveTraceOptions({ patchSeed }, 12),
        'INVALID_OPTION',
        message,
        String(patchSeed),
      );
    });
  }

  it('refuses what is neither true nor false', async () => {
    const options = { patchSubjectTokensOnly: 'yes' } as unknown as TraceOptions;
    await expectError(
      () => resolveTraceOptions(options, 12),
      'INVALID_OPTION',
      'patchSubjectTokensOnly',
      '"yes"',
    );
  });

  for (const [startLayer, endLayer] of [
    [-1, 3],
    [12, 13],
    [0, 13],
    [0, 0],
    [5, 5],
    [6, 5],
    [1.5, 3],
    [0, Number.NaN],
  ] as const) {
    it(`refuses the layers ${startLayer} to ${endLayer} of 12`, async () => {
      await expectError(
        () => resolveTraceOptions({ startLayer, endLayer }, 12),
        'LAYER_RANGE_INVALID',
        `startLayer is ${startLayer} and endLayer is ${endLayer}`,
        '12 layers, 0 to 11',
      );
    });
  }
});

describe('requireNoise', () => {
  it('takes 0 for no noise', () => {
    expect(requireNoise(0)).to.equal(0);
  });

  for (const noise of [Number.NaN, -0.1, Infinity, '1' as unknown as number]) {
    it(`refuses ${String(noise)}`, async () => {
      await expectError(() => requireNoise(noise), 'INVALID_OPTION', 'noise', String(noise), 'at least 0');
    });
  }
});

describe('requireLayer', () => {
  it('refuses a layer that the model lacks', async () => {
    expect(requireLayer(11, 12)).to.equal(11);
    for (const layer of [-1, 12, 0.5]) {
      await expectError(() => requireLayer(layer, 12), 'LAYER_RANGE_INVALID', String(layer), '0 to 11');
    }
  });
});
