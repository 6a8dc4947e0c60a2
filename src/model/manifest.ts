import { z } from 'zod';

/** The version of the model folder format that this package reads and its exporter writes. */
export const MANIFEST_FORMAT_VERSION = 1;

/** Name of the manifest inside a model folder. */
export const MANIFEST_FILE = 'causal-tracer.json';

const count = z.number().int().positive();
const tokenIds = z.array(z.number().int().nonnegative()).min(1);

/**
 * Order-sensitive summary of a tensor, computed in float64 over its elements `x[i]` in row-major order:
 * `mean`, `norm` = sqrt(Σ x[i]²) and `projection` = Σ x[i]·w[i] with
 * w[i] = ((i · 2654435761) mod 2³²) / 2³² − 0.5.
 */
const checksumSchema = z.object({ mean: z.number(), norm: z.number(), projection: z.number() });

const verificationCaseSchema = z.object({
  name: z.string(),
  batch: count,
  length: count,
  leftPadding: z.number().int().nonnegative(),
  maximumDifference: z.number().nonnegative(),
});

const siteCheckSchema = z.object({
  module: z.string().min(1),
  shape: z.array(count),
  checksum: checksumSchema,
});

/** How the weights were quantized in the file that they come from; the model itself runs in its `dtype`. */
const quantizationSchema = z.object({
  format: z.literal('gguf'),
  /** As its users call it, e.g. `Q4_K_M`. */
  type: z.string().min(1),
  /** How many tensors the file has of each type. */
  tensorTypes: z.record(z.string(), count),
});

/** What `causal-tracer export` knows of a model; written beside `model.pt`, replayed when the folder is opened. */
export const manifestSchema = z.object({
  formatVersion: z.literal(MANIFEST_FORMAT_VERSION),
  model: z.object({
    file: z.string().min(1),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    bytes: count,
  }),
  versions: z.object({ torch: z.string(), transformers: z.string(), exporter: z.string() }),
  /** The Hugging Face config's `model_type`. */
  family: z.string().min(1),
  dtype: z.enum(['float32', 'bfloat16', 'float16']),
  /** Only of models that were exported from quantized weights. */
  quantization: quantizationSchema.optional(),
  attentionImplementation: z.string(),
  layerCount: count,
  hiddenSize: count,
  vocabularySize: count,
  /** Longest prompt in tokens that the position embedding allows; null where the config sets no limit. */
  maximumPositions: count.nullable(),
  layerConfig: z.object({
    hiddenLayersMatcher: z.string(),
    attentionLayersMatcher: z.string(),
    mlpLayersMatcher: z.string(),
    embeddingLayer: z.string(),
  }),
  /** The traced module's arguments, in order. */
  inputs: z
    .array(z.enum(['input_ids', 'attention_mask', 'position_ids']))
    .refine((inputs) => inputs[0] === 'input_ids', { message: 'the first input must be input_ids' }),
  /** Three standard deviations of the token embedding's weights: the default noise. */
  embeddingNoiseScale: z.number().nonnegative(),
  verification: z.object({ tolerance: z.number().positive(), cases: z.array(verificationCaseSchema).min(1) }),
  /** What PyTorch itself computed on fixed ids, `[batch][position]`, all of one length, no padding. */
  check: z.object({
    inputIds: z.array(tokenIds).min(1),
    /** For each row the largest logits of its last position, best first. */
    topLogits: z.array(z.array(z.object({ id: z.number().int().nonnegative(), logit: z.number() })).min(1)),
    sites: z.array(siteCheckSchema),
  }),
  /** Texts with the ids that the Python tokenizer gave them, and each id decoded by itself. */
  tokenizerCheck: z.array(
    z.object({ text: z.string(), ids: z.array(z.number().int()), tokens: z.array(z.string()) }),
  ),
});

/**
 * What `causal-tracer export` knows of a model.
 *
 * @interface
 */
export type Manifest = z.infer<typeof manifestSchema>;

/** See {@link manifestSchema}: the order-sensitive summary of a tensor. */
export type TensorChecksum = z.infer<typeof checksumSchema>;
