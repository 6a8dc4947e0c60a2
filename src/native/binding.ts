/**
 * The addon's own interface, as native/node implements it. Everything here is thin: names are module names, ids are
 * token ids, and all checks that need text happen above. Methods throw an `Error` with a string `code`
 * (see `ERROR_CODES`); `native/addon.ts` turns that into a `CausalTracerError`.
 */
export interface NativeAddon {
  /** The libtorch version that the addon was compiled against, e.g. `2.13.0`. */
  readonly builtForLibtorch: string;
  /** Fills `values` with standard normal numbers as numpy's `RandomState(seed).randn` draws them. */
  standardNormal(seed: number, values: Float64Array): void;
  /** What this process can compute on. Must not be asked before the CUDA libraries are open. */
  devices(): NativeDevices;
  createStopSource(): NativeStopSource;
  /** Stops all work of this thread's models and waits for it. Afterwards every call fails with `DISPOSED`. */
  finish(): void;
  /** Loads a TorchScript file on a native thread of the model's own, on which all its calls run in order. */
  loadModel(options: NativeLoadOptions): Promise<NativeModel>;
}

export interface NativeDevices {
  /** `cpu`, then `cuda:0` and so on. */
  readonly devices: readonly string[];
  /** Version of the CUDA runtime that libtorch was built with, e.g. `13.0`; null for a build without CUDA. */
  readonly cudaRuntime: string | null;
}

export interface NativeLoadOptions {
  readonly path: string;
  /** Names of the traced inputs in order; empty takes as many of the usual three as the model has. */
  readonly inputs: readonly string[];
  /** `cpu`, `cuda`, `cuda:<number>` or `auto`. */
  readonly device: string;
  /** Lets a GPU round float32 products to 10 bits. */
  readonly allowTf32: boolean;
  /** Threads used inside one operator; 0 leaves libtorch's default (the number of physical cores). */
  readonly threads: number;
  /** Matrix products: the fastest kernel of each shape, measured once a process, or ATen's own. */
  readonly kernels: 'auto' | 'default';
}

/** A tensor copied out of libtorch; always float32, whatever dtype the model ran in. */
export interface NativeTensor {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** A module of the traced model. */
export interface NativeModule {
  readonly name: string;
  /** How often one forward pass calls it; 0 means that it cannot be hooked. */
  readonly calls: number;
  /** Why a called module has no tensor output to hook; empty where it can be hooked. */
  readonly unhookable: string;
  /** The same of its input. */
  readonly unhookableInput: string;
}

/** A module's input or output. */
export interface NativeHookPoint {
  readonly module: string;
  readonly at: 'input' | 'output';
}

/** One change of what passes a hook point, at chosen rows and positions; an empty list stands for all. */
export interface NativeEdit extends NativeHookPoint {
  readonly operation: 'set' | 'add' | 'scale';
  readonly rows: Int32Array;
  readonly positions: Int32Array;
  /** Row-major numbers of `shape`, broadcast to `[row, position, ...]`. */
  readonly values: Float32Array | Float64Array;
  readonly shape: Int32Array;
}

export interface NativeRunRequest {
  /** Token ids, row-major `[batch, length]`. */
  readonly inputIds: Int32Array;
  readonly batch: number;
  readonly capture: readonly NativeHookPoint[];
  readonly edits: readonly NativeEdit[];
  /** Where the job's `onHook` is called. */
  readonly hooks: readonly NativeHookPoint[];
  readonly logits: 'last' | 'all' | 'none';
}

export interface NativeRunResult {
  /** `[batch, vocabulary]` for `last`, `[batch, position, vocabulary]` for `all`. */
  readonly logits: NativeTensor | null;
  /** In the order of the request, after edits and hooks. */
  readonly captured: readonly NativeTensor[];
}

/** What a hook goes on with. */
export interface NativeHookResult {
  readonly data: Float32Array;
  readonly shape: Int32Array;
}

export interface NativePredictRequest {
  /** Token ids, row-major `[batch, length]`. */
  readonly inputIds: Int32Array;
  readonly batch: number;
  readonly capture: readonly NativeHookPoint[];
  /** For each row the token to measure; -1 takes the most probable one. */
  readonly answerIds: Int32Array;
}

export interface NativePrediction {
  readonly answerIds: readonly number[];
  /** Probability of each answer at its row's last position. */
  readonly probabilities: Float32Array;
  /** In the order of the request. */
  readonly captured: readonly NativeTensor[];
}

export interface NativeFingerprint {
  readonly topLogits: readonly (readonly { readonly id: number; readonly logit: number }[])[];
  readonly sites: readonly {
    readonly module: string;
    readonly shape: readonly number[];
    readonly checksum: { readonly mean: number; readonly norm: number; readonly projection: number };
  }[];
}

/** Which engine traces a model's kinds of layer; none but `full` is used before it has been proven. */
export interface NativeEngineRequest {
  readonly engine: 'auto' | 'incremental' | 'layers' | 'full';
  readonly embeddingModule: string;
  readonly kinds: readonly {
    /** One kind's module of each layer, in order. */
    readonly layerModules: readonly string[];
  }[];
}

/** What came of one kind of a {@link NativeEngineRequest}. */
export interface NativeEngineChoice {
  readonly engine: string;
  /** Why a faster engine was not taken; empty where it was, or was not asked for. */
  readonly reason: string;
}

export interface NativeTraceRequest {
  /** `[position]` */
  readonly inputIds: Int32Array;
  readonly embeddingModule: string;
  /** The traced kind's module of each layer, in order. */
  readonly layerModules: readonly string[];
  readonly subjectStart: number;
  readonly subjectEnd: number;
  readonly noise: number;
  readonly seed: number;
  readonly samples: number;
  readonly window: number;
  readonly tokenStart: number;
  readonly tokenEnd: number;
  readonly layerStart: number;
  readonly layerEnd: number;
  /** The token whose probability is measured; -1 takes the clean run's most probable one. */
  readonly answerId: number;
  /** Rows in flight at once; 0 leaves the number to the engine. */
  readonly batchSize: number;
  /** Bytes for the values of the rows in flight, where the engine chooses their number. */
  readonly memoryInFlight: number;
  readonly includeLayerOutputs: boolean;
}

/** What a trace cost. */
export interface NativeTraceWork {
  /** Tokens that each token-wise piece of the model ran, in order; empty where the whole model ran. */
  readonly tokensByStage: readonly number[];
  /** Multiplications (each with its addition) in the linear layers. */
  readonly multiplications: number;
}

export interface NativeTraceResult {
  /** Row-major `[position, layer]`; cells that were not asked for hold `lowScore`. */
  readonly scores: Float32Array;
  readonly lowScore: number;
  readonly highScore: number;
  readonly answerId: number;
  readonly engine: string;
  /** The rows at once that the trace had to come down to because memory ran out; 0 if it did not. */
  readonly reducedBatchSize: number;
  readonly work: NativeTraceWork;
  /** Clean outputs of the layer modules, `[position, hidden]` each; null unless asked for. */
  readonly layerOutputs: Readonly<Record<string, NativeTensor>> | null;
}

/** Calls that wait for others on the same model are run in the order in which they were made. */
export interface NativeModel {
  readonly modules: readonly NativeModule[];
  readonly dtype: string;
  readonly device: string;
  /** Default noise: three standard deviations (unbiased) of the named embedding's `weight`. */
  embeddingNoiseScale(embeddingModule: string): Promise<number>;
  predict(request: NativePredictRequest, job: NativeJob): Promise<NativePrediction>;
  run(request: NativeRunRequest, job: NativeJob): Promise<NativeRunResult>;
  /** Checksums (see `manifestSchema`) of the named modules' outputs, and each row's `topCount` largest last logits. */
  fingerprint(
    request: {
      readonly inputIds: Int32Array;
      readonly batch: number;
      readonly modules: readonly string[];
      readonly topCount: number;
    },
    job: NativeJob,
  ): Promise<NativeFingerprint>;
  /**
   * Proves the faster engines on random ids and chooses each kind's; one choice a kind, in order. A kind that was not
   * prepared is traced by the whole model. Fails with `ENGINE_NOT_PROVEN` if the asked engine does not prove itself.
   */
  prepareEngines(request: NativeEngineRequest, job: NativeJob): Promise<readonly NativeEngineChoice[]>;
  /**
   * Traces in order. Neighbours that differ only in kind, window, cells or batch size share their clean and corrupted
   * runs; progress counts over all of them.
   */
  trace(requests: readonly NativeTraceRequest[], job: NativeJob): Promise<readonly NativeTraceResult[]>;
  /** The shape of the logits on the meta device; fails with `MODEL_RUN_FAILED` if a tensor is left on the CPU. */
  logitsShapeOnMeta(
    request: { readonly batch: number; readonly length: number },
    job: NativeJob,
  ): Promise<readonly number[]>;
  /** Ends running work and frees the model; later calls fail with `DISPOSED`. Harmless when repeated. */
  dispose(): void;
}

/** Watches and stops one call. */
export interface NativeJob {
  /** Called on the event loop with forward-pass rows done and in all. */
  readonly onProgress?: (done: number, total: number) => void;
  /**
   * Called on the event loop where a run has hooks, with a hook's place in the request and the activation. The run goes
   * on with what it returns.
   */
  readonly onHook?: (hook: number, tensor: NativeTensor) => NativeHookResult | undefined;
  /** Stops the call at its next check; the call then fails with code `ABORTED`. */
  readonly stop?: NativeStopSource;
}

/** A switch that can be thrown once, at any time, also after the work has ended. */
export interface NativeStopSource {
  requestStop(): void;
}
