import { stat } from 'node:fs/promises';
import { CausalTracerError } from '../errors.js';
import type { LayerConfig } from '../model/layer-config.js';
import type { ModelSource } from '../model/model-source.js';
import { CausalTracer } from '../tracing/causal-tracer.js';
import { untilAborted } from './interrupt.js';
import { readLayerConfig } from './json-files.js';
import { sayOnTerminal } from './messages.js';
import type { EngineFlags } from './model-options.js';

/** How commands are told which model to load, and how. */
export interface ModelFlags extends EngineFlags {
  readonly tokenizer?: string;
  readonly layerConfig?: string;
  readonly device?: string;
  readonly threads?: number;
  readonly allowUntrusted?: boolean;
}

/**
 * Loads the model that a command names: a model folder, or a TorchScript file with `--tokenizer` and `--layer-config`.
 *
 * @throws CausalTracerError as `CausalTracer.load` does; `INVALID_OPTION` for a file without tokenizer or layer config;
 *   `InterruptedError` when aborted.
 */
export async function loadTracer(
  model: string,
  flags: ModelFlags & { readonly noise?: number },
  signal: AbortSignal,
): Promise<CausalTracer> {
  const { device, threads, noise, engine, kernels, allowUntrusted } = flags;
  const layerConfig = flags.layerConfig === undefined ? undefined : await readLayerConfig(flags.layerConfig);
  const source = await modelSource(model, flags.tokenizer, layerConfig);
  sayOnTerminal(`Loading ${model} …`);
  const options = {
    ...{ device, threads, noise, engine, kernels, allowUntrusted },
    ...(typeof source === 'string' ? { layerConfig } : {}),
  };
  return untilAborted(signal, CausalTracer.load(source, options), (tracer) => {
    tracer.dispose();
  });
}

async function modelSource(
  model: string,
  tokenizer: string | undefined,
  layerConfig: LayerConfig | undefined,
): Promise<ModelSource> {
  if (tokenizer === undefined && !(await isFile(model))) return model;
  if (tokenizer !== undefined && layerConfig !== undefined) return { model, tokenizer, layerConfig };
  throw new CausalTracerError(
    'INVALID_OPTION',
    `"${model}" is ${tokenizer === undefined ? 'a file, not a model folder' : 'given with a tokenizer of its own'}. A bare ` +
      'TorchScript file needs both --tokenizer (a tokenizer.json, or its folder) and --layer-config (a JSON file).',
  );
}

/** Whether `place` is a file, as a bare TorchScript model is. */
export async function isFile(place: string): Promise<boolean> {
  try {
    return (await stat(place)).isFile();
  } catch {
    return false;
  }
}
