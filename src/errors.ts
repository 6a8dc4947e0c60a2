/**
 * Every failure that a user can cause or cure is a {@link CausalTracerError}. Its `code` is stable across
 * versions; its `message` says what was wrong, where, and what to do, and may change.
 */
export const ERROR_CODES = [
  'SUBJECT_NOT_FOUND',
  'SUBJECT_NOT_GUESSABLE',
  'EMPTY_PROMPT',
  'PROMPT_TOO_LONG',
  'UNKNOWN_KIND',
  'INVALID_OPTION',
  'LAYER_RANGE_INVALID',
  'ANSWER_ID_OUT_OF_RANGE',
  'ANSWER_NOT_ONE_TOKEN',
  'LAYER_TEMPLATE_INVALID',
  'LAYER_CONFIG_INVALID',
  'MODULE_NOT_FOUND',
  'MODULE_NOT_HOOKABLE',
  'MODEL_FOLDER_NOT_FOUND',
  'MODEL_FILE_NOT_FOUND',
  'MODEL_FILE_INVALID',
  'MODEL_FILE_UNTRUSTED',
  'MODEL_HASH_MISMATCH',
  'MODEL_CHECK_FAILED',
  'MODEL_RUN_FAILED',
  'MANIFEST_INVALID',
  'MANIFEST_VERSION_UNSUPPORTED',
  'TOKENIZER_INVALID',
  'TOKENIZER_MISMATCH',
  'QUERIES_FILE_INVALID',
  'FLOW_INVALID',
  'LIBTORCH_NOT_FOUND',
  'LIBTORCH_VERSION_MISMATCH',
  'ADDON_NOT_FOUND',
  'ADDON_VERSION_MISMATCH',
  'DEVICE_NOT_AVAILABLE',
  'DOWNLOAD_FAILED',
  'DOWNLOAD_HASH_MISMATCH',
  'INSTALL_BUSY',
  'OUT_OF_MEMORY',
  'OUTPUT_NOT_WRITABLE',
  'CANVAS_NOT_AVAILABLE',
  'PYTHON_NOT_FOUND',
  'EXPORT_FAILED',
  'DISPOSED',
  'ENGINE_NOT_PROVEN',
] as const;

/** A stable, machine-readable name of a failure. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** A failure with a stable `code` and a message that names the remedy. */
export class CausalTracerError extends Error {
  override readonly name = 'CausalTracerError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Whether `value` is one of the {@link ERROR_CODES}. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && (ERROR_CODES as readonly string[]).includes(value);
}
