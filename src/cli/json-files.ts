import { readFile } from 'node:fs/promises';
import { CausalTracerError, type ErrorCode } from '../errors.js';
import { validateLayerConfig, type LayerConfig } from '../model/layer-config.js';

/**
 * Reads a layer config: a JSON object with `hiddenLayersMatcher`, `attentionLayersMatcher`, `mlpLayersMatcher` and
 * `embeddingLayer`.
 *
 * @throws CausalTracerError `LAYER_CONFIG_INVALID` or `LAYER_TEMPLATE_INVALID`, naming the file.
 */
export async function readLayerConfig(file: string): Promise<LayerConfig> {
  const text = await readText(file, 'LAYER_CONFIG_INVALID', 'layer config');
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new CausalTracerError(
      'LAYER_CONFIG_INVALID',
      `The layer config "${file}" is not JSON: ${reasonOf(cause)}.`,
      { cause },
    );
  }
  try {
    return validateLayerConfig(content);
  } catch (error) {
    if (!(error instanceof CausalTracerError)) throw error;
    throw new CausalTracerError(error.code, `${file}: ${error.message}`, { cause: error });
  }
}

/**
 * Reads a text file that the user named.
 *
 * @throws CausalTracerError with `code`, naming the file and what it was to be.
 */
export async function readText(file: string, code: ErrorCode, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CausalTracerError(code, `Cannot read the ${what} "${file}": ${reasonOf(cause)}.`, { cause });
  }
}

/** Why a file operation or a parser failed, in the system's words. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EACCES: 'permission denied',
    EISDIR: 'it is a folder',
    EROFS: 'the file system is read-only',
    ENOTDIR: 'a part of the path is not a folder',
  };
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  return reasons[code] ?? cause.message;
}
