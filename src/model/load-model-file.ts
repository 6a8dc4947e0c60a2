import { CausalTracerError } from '../errors.js';
import { fromNativeError } from '../native/addon.js';
import type { NativeAddon, NativeLoadOptions, NativeModel } from '../native/binding.js';
import { requireTracedModelArchive } from './archive/check-archive.js';

/** What decides whether a TorchScript file is handed to libtorch. */
export interface TrustOptions {
  /**
   * Loads a TorchScript file without looking into it first. Such a file is a program that can read and write files with
   * your rights, also while it is being loaded: only for files whose source you trust as you would that of a program.
   * Default false: what is more than a traced model is refused with `MODEL_FILE_UNTRUSTED`.
   */
  readonly allowUntrusted?: boolean | undefined;
}

/**
 * Loads a TorchScript file, the only way to libtorch: it is checked first, unless `allowUntrusted` is true.
 *
 * @throws CausalTracerError `MODEL_FILE_UNTRUSTED`, `MODEL_FILE_INVALID`, `INVALID_OPTION`, or what the addon gives.
 */
export async function loadModelFile(
  addon: Pick<NativeAddon, 'loadModel'>,
  options: NativeLoadOptions,
  { allowUntrusted }: TrustOptions,
): Promise<NativeModel> {
  if (!requireTrustOption(allowUntrusted)) await requireTracedModelArchive(options.path);
  try {
    return await addon.loadModel(options);
  } catch (error) {
    throw fromNativeError(error);
  }
}

/**
 * Gives `allowUntrusted`, which must be a boolean: a string such as `"false"` would be true.
 *
 * @throws CausalTracerError `INVALID_OPTION`
 */
export function requireTrustOption(allowUntrusted: unknown = false): boolean {
  if (typeof allowUntrusted === 'boolean') return allowUntrusted;
  throw new CausalTracerError(
    'INVALID_OPTION',
    `allowUntrusted must be true or false, not ${typeof allowUntrusted === 'string' ? `"${allowUntrusted}"` : typeof allowUntrusted}.`,
  );
}
