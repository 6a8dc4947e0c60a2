import { CausalTracerError } from '../errors.js';
import { loadAddon } from '../native/addon.js';
import type {
  NativeAddon,
  NativeEngineChoice,
  NativeEngineRequest,
  NativeJob,
  NativeModel,
  NativeModule,
  NativePrediction,
  NativePredictRequest,
  NativeTraceRequest,
  NativeTraceResult,
} from '../native/binding.js';
import { validateLayerConfig, type LayerConfig, type LayerRole } from './layer-config.js';
import { makeOnHook } from './function-hooks.js';
import { ResolvedLayers, type Site } from './layer-resolution.js';
import { loadModelFile, requireTrustOption, type TrustOptions } from './load-model-file.js';
import type { Manifest } from './manifest.js';
import { requireEqualFingerprint } from './model-check.js';
import { planRun, toModelRun, type ModelRun, type RunHooks, type RunInput } from './model-run.js';
import { openModelSource, type ModelSource, type OpenedModel } from './model-source.js';
import { requireSignal, runNativeJob, type JobOptions } from './native-job.js';
import { requireOneOf } from './one-of.js';
import type { Tokenizer } from './tokenizer.js';

export interface ModelOptions extends TrustOptions {
  /**
   * Where the model runs: `cpu`, `cuda`, `cuda:<number>`, or `auto` for the first GPU, else the CPU. Default `cpu`. A
   * process has one libtorch: where models are to run on a GPU, load one of them first.
   */
  readonly device?: string | undefined;
  /**
   * Lets GPUs round the factors of float32 products to 10 bits, which is faster, in the whole process. Default false:
   * results as on the CPU, up to float32 rounding.
   */
  readonly allowTf32?: boolean | undefined;
  /** Threads used inside one operator, 1 to 4096; default: libtorch's own choice, the number of physical cores. */
  readonly threads?: number | undefined;
  /**
   * Matrix products: `auto` measures which kernel of libtorch is the fastest for each shape of weight, and may pack
   * weights for it; `default` takes libtorch's own choice. Default `auto`. Both give the same up to float rounding.
   */
  readonly kernels?: KernelRequest | undefined;
  /** Replaces the layer config of the model folder. */
  readonly layerConfig?: LayerConfig | undefined;
}

/** What {@link TracedModel.load} needs of the native side; tests put their own in. */
export interface NativeRuntime {
  readonly addon: Pick<NativeAddon, 'loadModel' | 'createStopSource'>;
  readonly libtorch: { readonly version: string };
}

export const KERNELS = ['auto', 'default'] as const;
export type KernelRequest = (typeof KERNELS)[number];

const MAXIMUM_THREADS = 4096;

/**
 * A loaded TorchScript language model with its tokenizer. Its calls run one after the other, in order, on a native
 * thread of its own; the event loop stays free.
 */
export class TracedModel implements Disposable {
  readonly #native: NativeModel;
  readonly #runtime: NativeRuntime;
  readonly #layers: ResolvedLayers;
  #disposed = false;

  private constructor(
    native: NativeModel,
    runtime: NativeRuntime,
    layers: ResolvedLayers,
    private readonly opened: OpenedModel,
    /** How many logits the model gives at each position. */
    readonly vocabularySize: number,
  ) {
    this.#native = native;
    this.#runtime = runtime;
    this.#layers = layers;
  }

  /**
   * Loads a model folder, or a bare TorchScript file with its tokenizer, and checks it: the files against the
   * manifest, that the TorchScript file is no more than a traced model, the tokenizer against the vocabulary, and what
   * the model computes against what was recorded at export.
   *
   * @throws CausalTracerError for whatever is missing, damaged or does not fit; see `ERROR_CODES`.
   */
  static load(source: ModelSource, options: ModelOptions = {}): Promise<TracedModel> {
    return TracedModel.loadOn(undefined, source, options);
  }

  /**
   * {@link load} with another addon than that of this package, for tests.
   *
   * @internal
   */
  static async loadOn(
    givenRuntime: NativeRuntime | undefined,
    source: ModelSource,
    options: ModelOptions,
  ): Promise<TracedModel> {
    const { device = 'cpu', allowTf32 = false, threads } = options;
    requireThreads(threads);
    const kernels = requireOneOf('kernels', options.kernels ?? 'auto', KERNELS);
    const chosenConfig =
      options.layerConfig === undefined ? undefined : validateLayerConfig(options.layerConfig);
    const allowUntrusted = requireTrustOption(options.allowUntrusted);
    const opened = await openModelSource(source);
    const runtime = givenRuntime ?? loadAddon({ cuda: device !== 'cpu' });
    const native = await loadModelFile(
      runtime.addon,
      {
        path: opened.modelFile,
        inputs: opened.manifest?.inputs ?? [],
        ...{ device, allowTf32, threads: threads ?? 0, kernels },
      },
      { allowUntrusted },
    );
    try {
      const layers = new ResolvedLayers(chosenConfig ?? opened.layerConfig, native.modules);
      const vocabularySize = await check(native, runtime, opened);
      opened.tokenizer.requireFits(vocabularySize);
      return new TracedModel(native, runtime, layers, opened, vocabularySize);
    } catch (error) {
      native.dispose();
      throw error;
    }
  }

  get tokenizer(): Tokenizer {
    return this.opened.tokenizer;
  }

  /** What the exporter recorded; null for a bare TorchScript file. */
  get manifest(): Manifest | null {
    return this.opened.manifest;
  }

  /** SHA-256 of the TorchScript file, in lower-case hexadecimal digits. */
  get sha256(): string {
    return this.opened.sha256;
  }

  /** Longest prompt in tokens; null where no limit is known. */
  get maximumPositions(): number | null {
    return this.opened.maximumPositions;
  }

  get dtype(): string {
    return this.#native.dtype;
  }

  get device(): string {
    return this.#native.device;
  }

  /** The version of the loaded libtorch, e.g. `2.13.0+cpu`. */
  get libtorchVersion(): string {
    return this.#runtime.libtorch.version;
  }

  get layerConfig(): LayerConfig {
    return this.#layers.config;
  }

  get layerCount(): number {
    return this.#layers.count;
  }

  /** Every named module of the model, and whether it can be hooked. */
  modules(): readonly NativeModule[] {
    return this.#native.modules;
  }

  /** The modules that the layer config names: the embedding, then each layer's. */
  sites(): readonly Site[] {
    return this.#layers.sites();
  }

  /**
   * The module names of one role, `[layer]`.
   *
   * @throws CausalTracerError `MODULE_NOT_FOUND` or `MODULE_NOT_HOOKABLE`.
   */
  layerModuleNames(role: LayerRole): string[] {
    return this.#layers.moduleNames(role);
  }

  /**
   * The default noise: three standard deviations of the token embedding's weights.
   *
   * @throws CausalTracerError `MODULE_NOT_FOUND` if the embedding layer has no weight; `DISPOSED`.
   */
  async defaultNoise(): Promise<number> {
    this.requireLive();
    const { manifest } = this.opened;
    if (manifest?.layerConfig.embeddingLayer === this.layerConfig.embeddingLayer)
      return manifest.embeddingNoiseScale;
    return runNativeJob(this.#runtime.addon, {}, () =>
      this.#native.embeddingNoiseScale(this.layerConfig.embeddingLayer),
    );
  }

  /**
   * One forward pass with forward hooks on any named modules: captures of their outputs or inputs, edits of them at
   * chosen rows and positions, and functions that see and replace them.
   *
   * @throws CausalTracerError `MODULE_NOT_FOUND`, `MODULE_NOT_HOOKABLE`, `INVALID_OPTION`, `EMPTY_PROMPT`,
   *   `PROMPT_TOO_LONG`, `TOKENIZER_MISMATCH`, `MODEL_RUN_FAILED`, `OUT_OF_MEMORY` or `DISPOSED`; what a hook threw;
   *   `signal.reason` when aborted.
   */
  async run(
    input: RunInput,
    options: RunHooks & { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ModelRun> {
    this.requireLive();
    requireSignal(options.signal);
    const { tokenizer, vocabularySize, maximumPositions } = this;
    const moduleNames = this.modules().map(({ name }) => name);
    const plan = planRun(input, options, { tokenizer, vocabularySize, maximumPositions, moduleNames });
    const onHook = makeOnHook(plan.hooks);
    const result = await this.#submit({ signal: options.signal }, (job) =>
      this.#native.run(plan.request, { ...job, onHook }),
    );
    return toModelRun(plan, result);
  }

  /**
   * The most probable (or the given) next token of each row and its probability; throws as {@link run} does.
   *
   * @internal
   */
  predict(request: NativePredictRequest, options: JobOptions = {}): Promise<NativePrediction> {
    return this.#submit(options, (job) => this.#native.predict(request, job));
  }

  /**
   * Clean run, corrupted runs and every cell of one prompt; throws as {@link run} does.
   *
   * @internal
   */
  async trace(request: NativeTraceRequest, options: JobOptions = {}): Promise<NativeTraceResult> {
    const [result] = await this.traceMany([request], options);
    if (result === undefined) throw new Error('a trace of one prompt gave no result');
    return result;
  }

  /**
   * Traces in order, one result each. Neighbours that differ only in kind, window, cells or batch size share their clean
   * and corrupted runs; progress counts over all of them. Throws as {@link run} does.
   *
   * @internal
   */
  traceMany(
    requests: readonly NativeTraceRequest[],
    options: JobOptions = {},
  ): Promise<readonly NativeTraceResult[]> {
    return this.#submit(options, (job) => this.#native.trace(requests, job));
  }

  /**
   * Chooses the engine that traces each kind of layer; see {@link NativeModel.prepareEngines}.
   *
   * @internal
   */
  prepareEngines(
    request: NativeEngineRequest,
    options: JobOptions = {},
  ): Promise<readonly NativeEngineChoice[]> {
    return this.#submit(options, (job) => this.#native.prepareEngines(request, job));
  }

  /** Stops running work, which then fails with `DISPOSED`, and frees the model's memory. Harmless when repeated. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#native.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /**
   * @throws CausalTracerError `DISPOSED` after {@link dispose}.
   *
   * @internal
   */
  requireLive(): void {
    if (!this.#disposed) return;
    throw new CausalTracerError('DISPOSED', 'The model has been disposed of. Load it again to go on.');
  }

  async #submit<Result>(options: JobOptions, call: (job: NativeJob) => Promise<Result>): Promise<Result> {
    this.requireLive();
    return runNativeJob(this.#runtime.addon, options, call);
  }
}

function requireThreads(threads: number | undefined): void {
  if (threads === undefined) return;
  if (Number.isInteger(threads) && threads >= 1 && threads <= MAXIMUM_THREADS) return;
  throw new CausalTracerError(
    'INVALID_OPTION',
    `threads must be a whole number from 1 to ${MAXIMUM_THREADS}, not ${String(threads)}.`,
  );
}

/** Replays the export's check; gives the vocabulary's size. */
async function check(
  native: NativeModel,
  { addon }: NativeRuntime,
  { manifest }: OpenedModel,
): Promise<number> {
  if (manifest === null) {
    // Two tokens, because a trace of one may have constants in place of the length.
    const { logits } = await runNativeJob(addon, {}, (job) =>
      native.run(
        { inputIds: Int32Array.of(0, 0), batch: 1, capture: [], edits: [], hooks: [], logits: 'last' },
        job,
      ),
    );
    return logits?.shape.at(-1) ?? 0;
  }
  const { check: expected } = manifest;
  const modules = expected.sites.map((site) => site.module);
  const known = new Set(native.modules.map((module) => module.name));
  const missing = modules.find((module) => !known.has(module));
  if (missing !== undefined) {
    throw new CausalTracerError(
      'MODEL_CHECK_FAILED',
      `The model has no module "${missing}", which its manifest records. The folder's files do not belong together; ` +
        'export the model again.',
    );
  }
  const found = await runNativeJob(addon, {}, (job) =>
    native.fingerprint(
      {
        inputIds: Int32Array.from(expected.inputIds.flat()),
        batch: expected.inputIds.length,
        modules,
        topCount: Math.max(...expected.topLogits.map((row) => row.length)),
      },
      job,
    ),
  );
  requireEqualFingerprint(expected, found, manifest.dtype);
  return manifest.vocabularySize;
}
