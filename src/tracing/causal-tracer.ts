import { CausalTracerError } from '../errors.js';
import type { LayerConfig } from '../model/layer-config.js';
import type { ModelSource } from '../model/model-source.js';
import type { Tokenizer } from '../model/tokenizer.js';
import { TracedModel, type ModelOptions, type NativeRuntime } from '../model/traced-model.js';
import { findAnswerId } from './answer.js';
import { atIndex, nameIndex } from './at-index.js';
import { planBaseOutputs, type BaseOutputs, type BaseOutputsOptions } from './base-outputs.js';
import {
  chooseEngines,
  requireEngine,
  warnOfSlowEngines,
  type EngineChoice,
  type EngineRequest,
} from './engine-choice.js';
import type { HiddenFlow, LayerKind } from './hidden-flow.js';
import {
  requireKind,
  requireLayer,
  requireNoise,
  requireTracedKind,
  resolveTraceOptions,
  type RunOptions,
  type TracedKind,
  type TraceOptions,
} from './options.js';
import { runTraces, type PlannedTrace } from './run-traces.js';
import { SerialQueue } from './serial-queue.js';
import { planTrace, type HiddenFlowQuery, type TraceSetting } from './trace-plan.js';

export interface LoadOptions extends ModelOptions {
  /**
   * Standard deviation of the Gaussian noise that corrupts the subject's embeddings, finite and at least 0 (0 adds
   * none); default: three standard deviations of the token embedding's weights.
   */
  readonly noise?: number | undefined;
  /**
   * How traces are computed; every engine gives the same numbers. Default `auto`: the fastest that proves itself on
   * the loaded model, kind by kind. If that is a slower one than `incremental`, the process is warned
   * (`ENGINE_STEPPED_DOWN`), and each result says why. Any other value is used or refused with `ENGINE_NOT_PROVEN`.
   */
  readonly engine?: EngineRequest | undefined;
}

export interface HiddenFlowOptions extends TraceOptions {
  /** The words whose tokens are corrupted; guessed (see `guessSubject`) if missing or empty. */
  readonly subject?: string | undefined;
  /** The token whose probability is traced; default: the one that the clean run finds most probable. */
  readonly answerIdOverride?: number | undefined;
}

/** What {@link CausalTracer.calculateHiddenFlowKinds} takes for all kinds. */
export type HiddenFlowKindsOptions = Omit<HiddenFlowOptions, 'kind' | 'window'>;

/**
 * Traces which activations make a language model give its answer.
 *
 * Calls on one tracer run one after the other, in the order in which they were made; tracers run side by side.
 */
export class CausalTracer implements Disposable {
  readonly #queue = new SerialQueue();

  private constructor(
    /** The model underneath, for its modules, its manifest and forward passes with hooks. */
    readonly model: TracedModel,
    /** Standard deviation of the noise added to the subject's token embeddings. */
    readonly noise: number,
    /** The engine of each kind of layer whose modules the model has. */
    readonly engines: ReadonlyMap<LayerKind, EngineChoice>,
  ) {}

  /**
   * Loads a model folder (as `causal-tracer export` writes it), or a TorchScript file with its tokenizer and layer
   * config, and checks that it computes what was recorded at export.
   *
   * @throws CausalTracerError for what is missing, damaged, of another version or does not fit together.
   */
  static load(source: ModelSource, options: LoadOptions = {}): Promise<CausalTracer> {
    return CausalTracer.loadOn(undefined, source, options);
  }

  /**
   * {@link load} with another addon than that of this package, for tests.
   *
   * @internal
   */
  static async loadOn(
    runtime: NativeRuntime | undefined,
    source: ModelSource,
    options: LoadOptions,
  ): Promise<CausalTracer> {
    // What is no source at all is refused, with a reason, where the model is opened.
    const noise = options.noise ?? (isObject(source) ? source.noise : undefined);
    if (noise !== undefined) requireNoise(noise);
    const engine = requireEngine(options.engine ?? 'auto');
    const model = await TracedModel.loadOn(runtime, source, options);
    try {
      const engines = await chooseEngines(model, engine);
      const tracer = new CausalTracer(model, noise ?? (await model.defaultNoise()), engines);
      warnOfSlowEngines(typeof source === 'string' ? source : source.model, engines);
      return tracer;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  get layerConfig(): LayerConfig {
    return this.model.layerConfig;
  }

  get layerCount(): number {
    return this.model.layerCount;
  }

  get tokenizer(): Tokenizer {
    return this.model.tokenizer;
  }

  /**
   * The module of a layer, counted from 0.
   *
   * @throws CausalTracerError `UNKNOWN_KIND`, `LAYER_RANGE_INVALID`, `MODULE_NOT_FOUND` or `MODULE_NOT_HOOKABLE`.
   */
  getLayerName(layer: number, kind: LayerKind): string {
    requireLayer(layer, this.layerCount);
    return this.model.layerModuleNames(requireKind(kind))[layer] ?? '';
  }

  /**
   * The id of an answer that is one token when it continues a prompt, for `answerIdOverride`.
   *
   * @throws CausalTracerError `ANSWER_NOT_ONE_TOKEN`, naming the tokens.
   */
  getAnswerId(answer: string): number {
    return findAnswerId(this.tokenizer, answer);
  }

  /**
   * Traces every token and layer of a prompt: corrupts the subject, restores one activation (or a window of layers at
   * one token), and measures how probable the answer becomes again.
   *
   * @throws CausalTracerError for options, prompts and subjects that cannot be traced (nothing has run then),
   *   `OUT_OF_MEMORY`, `MODEL_RUN_FAILED` or `DISPOSED`; `signal.reason` when aborted. The tracer stays usable.
   */
  async calculateHiddenFlow(prompt: string, options: HiddenFlowOptions = {}): Promise<HiddenFlow> {
    const { subject, answerIdOverride } = options;
    const setting = this.#setting(options);
    const plan = planTrace({ text: prompt, subject, overrideAnswerId: answerIdOverride }, setting);
    const [flow] = await this.#run([{ plan, setting }], options, (_, error) => error);
    if (flow === undefined) throw new Error('a trace of one prompt gave no result');
    return flow;
  }

  /**
   * Traces one prompt in several kinds of layer, each with a window of its own. Each result equals that of its kind
   * alone; the clean and the corrupted runs are shared.
   *
   * @param options the same for all kinds; progress counts over all of them.
   * @returns one result an entry of `kinds`, in order.
   * @throws as {@link calculateHiddenFlow}; a message about one kind names its index.
   */
  async calculateHiddenFlowKinds(
    prompt: string,
    kinds: readonly TracedKind[],
    options: HiddenFlowKindsOptions = {},
  ): Promise<HiddenFlow[]> {
    this.model.requireLive();
    requireList('kinds', kinds);
    // What is wrong with the options is no fault of a kind.
    resolveTraceOptions({ ...options, kind: undefined, window: undefined }, this.layerCount);
    const { subject, answerIdOverride } = options;
    const settings = kinds.map((traced, i) =>
      atIndex('kinds', i, () => this.#setting({ ...options, ...requireTracedKind(traced) })),
    );
    const query = { text: prompt, subject, overrideAnswerId: answerIdOverride };
    const traces = settings.map((setting) => ({ plan: planTrace(query, setting), setting }));
    return this.#run(traces, options, (i, error) => nameIndex('kinds', i, error));
  }

  /**
   * Traces several prompts; each result equals that of its prompt alone.
   *
   * @param options the same for all prompts; progress counts over all of them.
   * @returns one result a query, in order.
   * @throws as {@link calculateHiddenFlow}; a message about one query names its index.
   */
  async calculateHiddenFlows(
    queries: readonly (string | HiddenFlowQuery)[],
    options: TraceOptions = {},
  ): Promise<HiddenFlow[]> {
    requireList('queries', queries);
    const setting = this.#setting(options);
    const traces = queries.map((query, i) => {
      return { plan: atIndex('queries', i, () => planTrace(query, setting)), setting };
    });
    return this.#run(traces, options, (i, error) => nameIndex('queries', i, error));
  }

  /**
   * Runs prompts as they are: the answers, their probabilities, and the outputs of one kind of layer. Prompts of one
   * length share batches; each result equals that of its prompt alone.
   *
   * @throws as {@link calculateHiddenFlow}; a message about one prompt names its index.
   */
  async calculateBaseOutputs(
    prompts: readonly string[],
    options: BaseOutputsOptions = {},
  ): Promise<BaseOutputs> {
    this.model.requireLive();
    requireList('prompts', prompts);
    return this.#queue.run(planBaseOutputs(this.model, prompts, options), options.signal);
  }

  /** Stops running and waiting calls, which then fail with `DISPOSED`, and frees the model's memory. */
  dispose(): void {
    this.model.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #setting(options: TraceOptions): TraceSetting {
    this.model.requireLive();
    const resolved = resolveTraceOptions(options, this.layerCount);
    return {
      model: this.model,
      noise: this.noise,
      options: resolved,
      layerModules: this.model.layerModuleNames(resolved.kind),
      engineReason: this.engines.get(resolved.kind)?.reason ?? null,
    };
  }

  #run(
    traces: readonly PlannedTrace[],
    options: RunOptions,
    describe: (index: number, error: unknown) => unknown,
  ): Promise<HiddenFlow[]> {
    return this.#queue.run(() => runTraces(this.model, traces, options, describe), options.signal);
  }
}

function isObject<Value>(value: Value): value is Extract<Value, object> {
  return typeof value === 'object' && value !== null;
}

function requireList(name: string, list: unknown): void {
  if (Array.isArray(list)) return;
  throw new CausalTracerError('INVALID_OPTION', `${name} must be an array, not ${typeof list}.`);
}
