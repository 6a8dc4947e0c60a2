/**
 * Causal tracing of language models: which activations, at which layer and token, make a model give its answer.
 * {@link CausalTracer} traces, {@link plotHiddenFlowHeatmap} draws, {@link TracedModel} runs a model with forward hooks.
 *
 * @module causal-tracer
 */
export {
  CausalTracer,
  type HiddenFlowKindsOptions,
  type HiddenFlowOptions,
  type LoadOptions,
} from './tracing/causal-tracer.js';
export type { BaseOutputs, BaseOutputsOptions } from './tracing/base-outputs.js';
export { ENGINES, type EngineChoice, type EngineRequest } from './tracing/engine-choice.js';
export { LAYER_KINDS, type HiddenFlow, type LayerKind, type TraceProvenance } from './tracing/hidden-flow.js';
export type { RunOptions, TracedKind, TraceOptions, TraceProgress } from './tracing/options.js';
export { parseHiddenFlow } from './tracing/parse-hidden-flow.js';
export { findTokenRange, guessSubject, type TokenRange } from './tracing/subject.js';
export type { HiddenFlowQuery } from './tracing/trace-plan.js';
export {
  GPT2_LAYER_CONFIG,
  GPT_NEOX_LAYER_CONFIG,
  GPTJ_LAYER_CONFIG,
  LLAMA_LAYER_CONFIG,
  type LayerConfig,
  type LayerMatcher,
  type LayerRole,
} from './model/layer-config.js';
export type { Site as LayerSite } from './model/layer-resolution.js';
export type { Manifest } from './model/manifest.js';
export type { TrustOptions } from './model/load-model-file.js';
export type { ModelFiles, ModelSource } from './model/model-source.js';
export { Tokenizer } from './model/tokenizer.js';
export { KERNELS, TracedModel, type KernelRequest, type ModelOptions } from './model/traced-model.js';
export type { Edit, EditOperation, EditValues } from './model/edits.js';
export type { FunctionHook, HookContext } from './model/function-hooks.js';
export type { HookAt, HookTarget } from './model/hook-points.js';
export {
  RUN_LOGITS,
  type ModelRun,
  type RunHooks,
  type RunInput,
  type RunLogits,
} from './model/model-run.js';
export type { NativeModule as ModelModule } from './native/binding.js';
export { vectorAt, type Tensor } from './model/tensor.js';
export { drawNoise, type NoiseShape } from './tracing/noise.js';
export { plotHiddenFlowHeatmap, plotHiddenFlows } from './plotting/plot-hidden-flow.js';
export { PICTURE_FORMATS, type PictureFormat } from './plotting/picture-format.js';
export type { HeatmapOptions, HeatmapPanelsOptions } from './plotting/plot-options.js';
export { CausalTracerError, ERROR_CODES, type ErrorCode } from './errors.js';
