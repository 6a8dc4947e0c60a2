import { CausalTracerError } from '../errors.js';
import { loadAddon } from '../native/addon.js';
import { requireNoise } from './options.js';

/** How much noise to draw. */
export interface NoiseShape {
  /** 0 to 2³²−1, as `patchSeed` of a trace. */
  readonly seed: number;
  readonly samples: number;
  /** Tokens of the subject. */
  readonly subjectLength: number;
  readonly hiddenSize: number;
  /** Standard deviation, as `noise` of a trace. */
  readonly scale: number;
}

/**
 * The noise that a trace adds to the subject's embeddings, `[sample, subject token, hidden]` in row-major order:
 * `scale * RandomState(seed).randn(samples, subjectLength, hiddenSize)` of numpy, in float64.
 *
 * @throws CausalTracerError `ADDON_NOT_FOUND`, `LIBTORCH_NOT_FOUND`, `LIBTORCH_VERSION_MISMATCH`, `INVALID_OPTION` or
 *   `OUT_OF_MEMORY`.
 */
export function drawNoise({ seed, samples, subjectLength, hiddenSize, scale }: NoiseShape): Float64Array {
  for (const [name, value, least] of [
    ['seed', seed, 0],
    ['samples', samples, 1],
    ['subjectLength', subjectLength, 1],
    ['hiddenSize', hiddenSize, 1],
  ] as const) {
    if (Number.isInteger(value) && value >= least && value < 2 ** 32) continue;
    throw new CausalTracerError(
      'INVALID_OPTION',
      `${name} must be a whole number from ${least} to 2³²−1, not ${String(value)}.`,
    );
  }
  requireNoise(scale);
  const { addon } = loadAddon();
  const noise = allocate([samples, subjectLength, hiddenSize]);
  addon.standardNormal(seed, noise);
  for (let i = 0; i < noise.length; i += 1) noise[i] = (noise[i] ?? 0) * scale;
  return noise;
}

/** JavaScript's own constructor throws where there is no room; an allocation inside the addon would end the process. */
function allocate(shape: readonly number[]): Float64Array {
  try {
    return new Float64Array(shape.reduce((product, size) => product * size, 1));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CausalTracerError(
      'OUT_OF_MEMORY',
      `There is no room for noise of ${shape.join(' x ')} numbers. Draw fewer samples.`,
      { cause: error },
    );
  }
}
