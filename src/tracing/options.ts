import { CausalTracerError } from '../errors.js';
import { requireSignal } from '../model/native-job.js';
import { LAYER_KINDS, type LayerKind } from './hidden-flow.js';

/** How far a call has come, in forward-pass rows (one for each sample of each cell); `total` stays the same. */
export interface TraceProgress {
  readonly done: number;
  readonly total: number;
}

/** What every call that runs the model takes. */
export interface RunOptions {
  /** The activation looked at; default `hidden`. */
  readonly kind?: LayerKind | undefined;
  /**
   * Most rows (a row is one run of a prompt, such as one sample of a cell) in flight at once, at least 1. It bounds the
   * memory, and changes speed and memory only, not the result. Default `auto`: as many as the engine finds good for the
   * model, the prompt's length and the memory.
   */
  readonly batchSize?: number | 'auto' | undefined;
  /** Stops the call between two steps: it then rejects with `signal.reason`, and the tracer stays usable. */
  readonly signal?: AbortSignal | undefined;
  /** Called on the event loop with rising `done`; the last call has `done === total`. */
  readonly onProgress?: ((progress: TraceProgress) => void) | undefined;
}

/** How prompts are traced; the same for all prompts of a call. */
export interface TraceOptions extends RunOptions {
  /** Neighbouring layers restored together, at least 1; default 1. Cut off at the first and the last layer. */
  readonly window?: number | undefined;
  /** Corrupted runs averaged in each score, at least 1; default 10. */
  readonly samples?: number | undefined;
  /** Seed of the noise, 0 to 2^32 - 1; default 1. */
  readonly patchSeed?: number | undefined;
  /** First layer traced, 0 to the number of layers - 1; default 0. */
  readonly startLayer?: number | undefined;
  /** One past the last layer traced, above `startLayer`; default the number of layers. */
  readonly endLayer?: number | undefined;
  /** Restores at the subject's tokens only; default `false`. */
  readonly patchSubjectTokensOnly?: boolean | undefined;
  /** Puts the clean outputs of the traced modules into the result; default `false`. */
  readonly includeLayerOutputs?: boolean | undefined;
}

/** A kind of layer to trace, and its window. */
export interface TracedKind {
  readonly kind: LayerKind;
  /** As in {@link TraceOptions}; default 1. */
  readonly window?: number | undefined;
}

/** {@link TraceOptions} with all defaults filled in. */
export interface ResolvedTraceOptions {
  readonly kind: LayerKind;
  readonly window: number;
  readonly samples: number;
  readonly batchSize: number | 'auto';
  readonly patchSeed: number;
  readonly startLayer: number;
  readonly endLayer: number;
  readonly patchSubjectTokensOnly: boolean;
  readonly includeLayerOutputs: boolean;
}

const LARGEST_SEED = 2 ** 32 - 1;

/**
 * Checks options and fills in defaults.
 *
 * @throws CausalTracerError `UNKNOWN_KIND`, `INVALID_OPTION` or `LAYER_RANGE_INVALID`, naming the option, the value
 *   and what is allowed.
 */
export function resolveTraceOptions(options: TraceOptions, layerCount: number): ResolvedTraceOptions {
  const { startLayer = 0, endLayer = layerCount } = options;
  requireLayerRange(startLayer, endLayer, layerCount);
  return {
    ...resolveRunOptions(options),
    window: requireCount('window', options.window ?? 1),
    samples: requireCount('samples', options.samples ?? 10),
    patchSeed: requireSeed(options.patchSeed ?? 1),
    startLayer,
    endLayer,
    patchSubjectTokensOnly: requireBoolean('patchSubjectTokensOnly', options.patchSubjectTokensOnly ?? false),
    includeLayerOutputs: requireBoolean('includeLayerOutputs', options.includeLayerOutputs ?? false),
  };
}

/** The part of {@link resolveTraceOptions} that every call has. */
export function resolveRunOptions(options: RunOptions): {
  readonly kind: LayerKind;
  readonly batchSize: number | 'auto';
} {
  requireSignal(options.signal);
  requireCallback('onProgress', options.onProgress);
  return {
    kind: requireKind(options.kind ?? 'hidden'),
    batchSize: requireBatchSize(options.batchSize ?? 'auto'),
  };
}

/** @throws CausalTracerError `UNKNOWN_KIND`, listing the kinds. */
export function requireKind(kind: string): LayerKind {
  const found = LAYER_KINDS.find((known) => known === kind);
  if (found !== undefined) return found;
  throw new CausalTracerError(
    'UNKNOWN_KIND',
    `There is no kind of layer ${JSON.stringify(kind)}. The kinds are ${LAYER_KINDS.join(', ')}.`,
  );
}

/** @throws CausalTracerError `INVALID_OPTION` or `UNKNOWN_KIND` unless it is an object that names a kind. */
export function requireTracedKind(traced: TracedKind | null): TracedKind {
  if (typeof traced === 'object' && traced !== null) {
    return { kind: requireKind(traced.kind), window: traced.window };
  }
  throw new CausalTracerError(
    'INVALID_OPTION',
    `A kind must be given as { kind, window? }, not as ${JSON.stringify(traced)}.`,
  );
}

/** @throws CausalTracerError `INVALID_OPTION` unless the noise is a finite number of at least 0. */
export function requireNoise(noise: number): number {
  if (Number.isFinite(noise) && noise >= 0) return noise;
  throw invalid('noise', noise, 'a finite number of at least 0 (0 adds no noise)');
}

/** @throws CausalTracerError `LAYER_RANGE_INVALID` unless the model has that layer. */
export function requireLayer(layer: number, layerCount: number): number {
  if (Number.isInteger(layer) && layer >= 0 && layer < layerCount) return layer;
  throw layerRangeInvalid(`layer is ${String(layer)}`, layerCount);
}

function requireLayerRange(startLayer: number, endLayer: number, layerCount: number): void {
  const isLayer = (layer: number): boolean => Number.isInteger(layer) && layer >= 0 && layer <= layerCount;
  if (isLayer(startLayer) && isLayer(endLayer) && startLayer < endLayer) return;
  throw layerRangeInvalid(
    `startLayer is ${String(startLayer)} and endLayer is ${String(endLayer)}`,
    layerCount,
    `startLayer must be a whole number from 0 to ${layerCount - 1}, and endLayer, one past the last layer traced, ` +
      `one from startLayer + 1 to ${layerCount}.`,
  );
}

function layerRangeInvalid(what: string, layerCount: number, rule?: string): CausalTracerError {
  return new CausalTracerError(
    'LAYER_RANGE_INVALID',
    `${what}, but the model has ${layerCount} layers, 0 to ${layerCount - 1}.${rule === undefined ? '' : ` ${rule}`}`,
  );
}

function requireCount(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw invalid(option, value, 'a whole number of at least 1');
}

function requireBatchSize(value: number | 'auto'): number | 'auto' {
  if (value === 'auto' || (Number.isSafeInteger(value) && value >= 1)) return value;
  throw invalid('batchSize', value, 'a whole number of at least 1, or "auto"');
}

function requireSeed(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= LARGEST_SEED) return value;
  throw invalid('patchSeed', value, `a whole number from 0 to ${LARGEST_SEED}`);
}

function requireCallback(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw invalid(option, value, 'a function');
}

function requireBoolean(option: string, value: boolean): boolean {
  if (typeof value === 'boolean') return value;
  throw invalid(option, value, 'true or false');
}

function invalid(option: string, value: unknown, rule: string): CausalTracerError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return new CausalTracerError('INVALID_OPTION', `${option} must be ${rule}, not ${shown}.`);
}
