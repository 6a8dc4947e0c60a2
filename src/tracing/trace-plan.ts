import { CausalTracerError } from '../errors.js';
import type { TracedModel } from '../model/traced-model.js';
import type { NativeTraceRequest, NativeTraceResult } from '../native/binding.js';
import { causalTracerVersion } from '../version.js';
import { requireAnswerId } from './answer.js';
import type { HiddenFlow } from './hidden-flow.js';
import { memoryInFlight } from './memory-budget.js';
import type { ResolvedTraceOptions } from './options.js';
import { encodePrompt, requireText, type EncodedPrompt } from '../model/prompt.js';
import { findTokenRange, guessSubject, type TokenRange } from './subject.js';

/** A prompt to trace. */
export interface HiddenFlowQuery {
  readonly text: string;
  /** The words whose tokens are corrupted; guessed (see `guessSubject`) if missing or empty. */
  readonly subject?: string | undefined;
  /** The token whose probability is traced; default: the one that the clean run finds most probable. */
  readonly overrideAnswerId?: number | undefined;
}

/** One prompt's trace, all checked, before any of it is run. */
export interface TracePlan {
  readonly prompt: EncodedPrompt;
  readonly subject: string;
  readonly subjectRange: TokenRange;
  /** `[start, end)`: the positions at which activations are restored. */
  readonly tokenRange: TokenRange;
  /** -1 for the clean run's most probable token. */
  readonly answerId: number;
}

/** What a trace needs besides its plan. */
export interface TraceSetting {
  readonly model: TracedModel;
  readonly noise: number;
  readonly options: ResolvedTraceOptions;
  /** The traced kind's modules, `[layer]`. */
  readonly layerModules: readonly string[];
  /** Why the kind is not traced by the fastest engine; null where it is. */
  readonly engineReason: string | null;
}

/**
 * Tokens, subject and answer of a query.
 *
 * @throws CausalTracerError for a prompt, subject or answer id that cannot be traced.
 */
export function planTrace(
  query: HiddenFlowQuery | string,
  { model, options }: Pick<TraceSetting, 'model' | 'options'>,
): TracePlan {
  const { text, subject: given, overrideAnswerId } = asQuery(query);
  const prompt = encodePrompt(text, model);
  if (given !== undefined) requireText('The subject', given);
  const subject = given === undefined || given === '' ? guessSubject(text) : given;
  const subjectRange = findTokenRange(model.tokenizer, prompt.ids, subject);
  return {
    prompt,
    subject,
    subjectRange,
    tokenRange: options.patchSubjectTokensOnly ? subjectRange : [0, prompt.ids.length],
    answerId: overrideAnswerId === undefined ? -1 : requireAnswerId(overrideAnswerId, model.vocabularySize),
  };
}

function asQuery(query: unknown): HiddenFlowQuery {
  if (typeof query === 'string') return { text: query };
  if (typeof query === 'object' && query !== null) return query as HiddenFlowQuery;
  throw new CausalTracerError(
    'INVALID_OPTION',
    'A query must be the text of a prompt or { text, subject?, overrideAnswerId? }, not ' +
      `${query === null ? 'null' : typeof query}.`,
  );
}

/** Forward-pass rows of a trace: the clean run, the corrupted runs, and those of every cell. */
export function countRows({ tokenRange: [start, end] }: TracePlan, options: ResolvedTraceOptions): number {
  return 1 + options.samples * (1 + (end - start) * (options.endLayer - options.startLayer));
}

export function toNativeRequest(plan: TracePlan, setting: TraceSetting): NativeTraceRequest {
  const { model, noise, options, layerModules } = setting;
  return {
    inputIds: Int32Array.from(plan.prompt.ids),
    embeddingModule: model.layerConfig.embeddingLayer,
    layerModules,
    subjectStart: plan.subjectRange[0],
    subjectEnd: plan.subjectRange[1],
    noise,
    seed: options.patchSeed,
    samples: options.samples,
    window: options.window,
    tokenStart: plan.tokenRange[0],
    tokenEnd: plan.tokenRange[1],
    layerStart: options.startLayer,
    layerEnd: options.endLayer,
    answerId: plan.answerId,
    batchSize: options.batchSize === 'auto' ? 0 : options.batchSize,
    memoryInFlight: memoryInFlight(),
    includeLayerOutputs: options.includeLayerOutputs,
  };
}

/**
 * The result of a trace as plain data.
 *
 * @throws CausalTracerError `MODEL_RUN_FAILED` if a probability is not a number.
 */
export function toHiddenFlow(plan: TracePlan, setting: TraceSetting, result: NativeTraceResult): HiddenFlow {
  const { model, noise, options, layerModules, engineReason } = setting;
  requireNumbers(result, noise);
  const layers = layerModules.length;
  return {
    scores: plan.prompt.ids.map((_, token) => [
      ...result.scores.subarray(token * layers, (token + 1) * layers),
    ]),
    // Rounded as the scores are, so that cells that were not asked for equal the low score.
    lowScore: Math.fround(result.lowScore),
    highScore: Math.fround(result.highScore),
    inputIds: plan.prompt.ids,
    inputTokens: plan.prompt.tokens,
    subjectRange: plan.subjectRange,
    answer: model.tokenizer.decodeToken(result.answerId),
    answerId: result.answerId,
    kind: options.kind,
    window: options.window,
    ...(result.layerOutputs === null ? {} : { layerOutputs: toRows(result.layerOutputs, layerModules) }),
    provenance: {
      prompt: plan.prompt.text,
      subject: plan.subject,
      samples: options.samples,
      patchSeed: options.patchSeed,
      noise,
      startLayer: options.startLayer,
      endLayer: options.endLayer,
      patchSubjectTokensOnly: options.patchSubjectTokensOnly,
      engine: result.engine,
      engineReason,
      device: model.device,
      dtype: model.dtype,
      family: model.manifest?.family ?? null,
      modelSha256: model.sha256,
      versions: { causalTracer: causalTracerVersion, libtorch: model.libtorchVersion },
    },
  };
}

function requireNumbers(result: NativeTraceResult, noise: number): void {
  const { lowScore, highScore, scores } = result;
  if (Number.isFinite(lowScore) && Number.isFinite(highScore) && scores.every(Number.isFinite)) return;
  throw new CausalTracerError(
    'MODEL_RUN_FAILED',
    Number.isFinite(highScore)
      ? `The corrupted runs gave probabilities that are not numbers: noise ${noise} overflows in this model. Lower the noise.`
      : 'The clean run gave a probability that is not a number: the model overflows on this prompt. Export it in float32.',
  );
}

function toRows(
  outputs: NonNullable<NativeTraceResult['layerOutputs']>,
  layerModules: readonly string[],
): Record<string, number[][]> {
  const rows: Record<string, number[][]> = {};
  for (const module of layerModules) {
    const output = outputs[module];
    if (output === undefined) continue;
    const [length = 0, hidden = 0] = output.shape;
    rows[module] = Array.from({ length }, (_, i) => [...output.data.subarray(i * hidden, (i + 1) * hidden)]);
  }
  return rows;
}
