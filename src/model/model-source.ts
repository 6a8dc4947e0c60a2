import { CausalTracerError } from '../errors.js';
import { validateLayerConfig, type LayerConfig } from './layer-config.js';
import type { Manifest } from './manifest.js';
import { fileSize, openModelFolder, sha256OfFile } from './model-folder.js';
import { Tokenizer } from './tokenizer.js';

/** A TorchScript file without a model folder. */
export interface ModelFiles {
  /** Path of the TorchScript file: `(input_ids, attention_mask?, position_ids?) -> logits`. */
  readonly model: string;
  /** Path of `tokenizer.json`, or of the folder that holds it. */
  readonly tokenizer: string;
  readonly layerConfig: LayerConfig;
  /** Standard deviation of the noise; default: three standard deviations of the token embedding's weights. */
  readonly noise?: number | undefined;
  /** Longest prompt in tokens that the model's position embedding allows, if there is such a limit. */
  readonly maximumPositions?: number | undefined;
}

/** A model folder's path, or the files of a model without one. */
export type ModelSource = string | ModelFiles;

/** A model's files, found and checked, but not yet loaded. */
export interface OpenedModel {
  readonly modelFile: string;
  readonly sha256: string;
  readonly tokenizer: Tokenizer;
  readonly layerConfig: LayerConfig;
  readonly maximumPositions: number | null;
  /** Null for a bare TorchScript file. */
  readonly manifest: Manifest | null;
}

/**
 * Finds and checks a model's files.
 *
 * @throws CausalTracerError as `openModelFolder`, `Tokenizer.load` and `validateLayerConfig` do.
 */
export async function openModelSource(source: ModelSource): Promise<OpenedModel> {
  return typeof source === 'string' ? openFolder(source) : openFiles(source);
}

async function openFolder(folder: string): Promise<OpenedModel> {
  const { modelFile, manifest } = await openModelFolder(folder);
  const tokenizer = await Tokenizer.load(folder);
  tokenizer.requireEqual(manifest.tokenizerCheck);
  return {
    modelFile,
    sha256: manifest.model.sha256,
    tokenizer,
    layerConfig: validateLayerConfig(manifest.layerConfig),
    maximumPositions: manifest.maximumPositions,
    manifest,
  };
}

async function openFiles(files: ModelFiles): Promise<OpenedModel> {
  const given: unknown = files;
  if (typeof given !== 'object' || given === null) throw notASource('the whole', given);
  for (const field of ['model', 'tokenizer'] as const) {
    if (typeof files[field] !== 'string') throw notASource(field, files[field]);
  }
  const { maximumPositions = null } = files;
  if (maximumPositions !== null && !(Number.isInteger(maximumPositions) && maximumPositions >= 1)) {
    throw new CausalTracerError(
      'INVALID_OPTION',
      `maximumPositions must be a whole number of at least 1, not ${String(maximumPositions)}.`,
    );
  }
  const layerConfig = validateLayerConfig(files.layerConfig);
  if ((await fileSize(files.model)) === undefined) {
    throw new CausalTracerError('MODEL_FILE_NOT_FOUND', `There is no TorchScript file "${files.model}".`);
  }
  const tokenizer = await Tokenizer.load(files.tokenizer);
  const sha256 = await sha256OfFile(files.model);
  return { modelFile: files.model, sha256, tokenizer, layerConfig, maximumPositions, manifest: null };
}

function notASource(field: string, value: unknown): CausalTracerError {
  return new CausalTracerError(
    'INVALID_OPTION',
    'A model is given as the path of a model folder, or as { model, tokenizer, layerConfig } with two paths; ' +
      `${field} is ${value === null ? 'null' : typeof value}.`,
  );
}
