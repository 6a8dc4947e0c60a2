import type { LayerKind } from '../../src/index.js';
import type { NativeTraceRequest } from '../../src/native/binding.js';

/** A random trace, and what it was drawn from. */
export interface RandomTrace {
  readonly kind: LayerKind;
  readonly request: Omit<NativeTraceRequest, 'layerModules' | 'embeddingModule'>;
}

/** What a random trace has to fit. */
export interface TracedShape {
  readonly layers: number;
  readonly vocabularySize: number;
  /** The default noise. */
  readonly noise: number;
}

const LONGEST_PROMPT = 18;

/** Numbers in [0, 1), the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  // Mulberry32.
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed of its own for each name and number. */
export function seedOf(seed: number, name: string, index: number): number {
  let hash = seed >>> 0;
  for (const character of `${name} ${index}`)
    hash = Math.imul(hash ^ character.charCodeAt(0), 16777619) >>> 0;
  return hash;
}

/** Draws a trace: every prompt, subject, range and setting that a caller could give. */
export function drawTrace(random: () => number, { layers, vocabularySize, noise }: TracedShape): RandomTrace {
  const whole = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  const pick = <Value>(values: readonly Value[]): Value => values[whole(0, values.length - 1)]!;
  const range = (size: number): [number, number] => {
    const start = whole(0, size - 1);
    return [start, whole(start + 1, size)];
  };
  const length = whole(1, LONGEST_PROMPT);
  const [subjectStart, subjectEnd] = range(length);
  const [layerStart, layerEnd] = random() < 0.5 ? [0, layers] : range(layers);
  const subjectOnly = random() < 0.25;
  const samples = pick([1, 1, 2, 3, 5]);
  return {
    kind: pick<LayerKind>(['hidden', 'mlp', 'attention']),
    request: {
      inputIds: Int32Array.from({ length }, () => whole(0, vocabularySize - 1)),
      subjectStart,
      subjectEnd,
      noise: pick([0, 0.3, 1, 1, 1, 2]) * noise,
      seed: whole(0, 2 ** 32 - 1),
      samples,
      window: whole(1, layers + 2),
      tokenStart: subjectOnly ? subjectStart : 0,
      tokenEnd: subjectOnly ? subjectEnd : length,
      layerStart,
      layerEnd,
      answerId: random() < 0.5 ? -1 : whole(0, vocabularySize - 1),
      batchSize: pick([0, 1, 2, 3, 7, 32, 1000]),
      memoryInFlight: random() < 0.5 ? 1 : 2 ** 26,
      includeLayerOutputs: random() < 0.2,
    },
  };
}
