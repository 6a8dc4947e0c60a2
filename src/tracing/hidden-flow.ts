/** Which activation of a block is restored: the block's output, its attention's, or its MLP's. */
export type LayerKind = 'hidden' | 'mlp' | 'attention';

/** All kinds, in the order in which panels are drawn. */
export const LAYER_KINDS: readonly LayerKind[] = ['hidden', 'mlp', 'attention'];

/** How a {@link HiddenFlow} was made: enough to repeat it exactly. */
export interface TraceProvenance {
  readonly prompt: string;
  readonly subject: string;
  /** Corrupted runs averaged in each score. */
  readonly samples: number;
  /** Seed of the noise (numpy's `RandomState`). */
  readonly patchSeed: number;
  /** Standard deviation of the Gaussian noise added to the subject's token embeddings. */
  readonly noise: number;
  /** First layer traced. */
  readonly startLayer: number;
  /** One past the last layer traced. */
  readonly endLayer: number;
  readonly patchSubjectTokensOnly: boolean;
  /** The engine that computed the scores; all engines give the same, up to float rounding. */
  readonly engine: string;
  /** Why a faster engine could not be used; null where none is faster, or this one was asked for. */
  readonly engineReason: string | null;
  readonly device: string;
  readonly dtype: string;
  /** Model family as in the Hugging Face config's `model_type`; null for a bare TorchScript file. */
  readonly family: string | null;
  /** SHA-256 of the TorchScript file, in lower-case hexadecimal digits. */
  readonly modelSha256: string;
  readonly versions: { readonly causalTracer: string; readonly libtorch: string };
}

/**
 * The result of tracing one prompt: how much of the answer's probability returns when one activation (or a window
 * of layers at one token) is restored in the corrupted run. Plain data: it survives `JSON.stringify` unchanged.
 */
export interface HiddenFlow {
  /**
   * `scores[token][layer]`: mean over the samples of the answer's probability, in [0, 1]. Cells that were not
   * asked for hold `lowScore`.
   */
  readonly scores: readonly (readonly number[])[];
  /** Mean probability of the answer in the corrupted runs, nothing restored. */
  readonly lowScore: number;
  /** Probability of the answer in the clean run. */
  readonly highScore: number;
  readonly inputIds: readonly number[];
  /** Each id decoded by itself. */
  readonly inputTokens: readonly string[];
  /** `[start, end)`: the subject's tokens. */
  readonly subjectRange: readonly [start: number, end: number];
  /** The answer's token, decoded. */
  readonly answer: string;
  readonly answerId: number;
  readonly kind: LayerKind;
  /** Number of neighbouring layers restored together. */
  readonly window: number;
  /** Clean outputs of the traced modules by name, each `[position][hidden]`; only on request. */
  readonly layerOutputs?: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly provenance: TraceProvenance;
}
