import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { CausalTracerError, isErrorCode } from '../errors.js';
import type { NativeAddon } from './binding.js';
import { findLibtorch, isSupportedLibtorch, libtorchLibrary, packageRoot } from './libtorch.js';
import type { Libtorch } from './libtorch.js';

/** The loaded addon, and the libtorch that it runs on. */
export interface LoadedAddon {
  readonly addon: NativeAddon;
  readonly libtorch: Libtorch;
}

interface Preload {
  open(library: string): void;
}

const require = createRequire(import.meta.url);
let loaded: LoadedAddon | undefined;

/** Where the addon of this checkout or package lies. */
export function addonFolder(): string {
  return path.join(packageRoot, 'build', 'Release');
}

/**
 * Opens libtorch and the addon, once.
 *
 * @throws CausalTracerError `ADDON_NOT_FOUND`, `LIBTORCH_NOT_FOUND` or `LIBTORCH_VERSION_MISMATCH`.
 */
export function loadAddon(): LoadedAddon {
  loaded ??= openAddon();
  return loaded;
}

function openAddon(): LoadedAddon {
  const addonFile = path.join(addonFolder(), 'causal_tracer.node');
  if (!existsSync(addonFile)) {
    throw new CausalTracerError(
      'ADDON_NOT_FOUND',
      `The native addon is missing at ${addonFile}. Run "npm run setup" in the checkout to build it.`,
    );
  }
  const libtorch = findLibtorch();
  const library = libtorchLibrary(libtorch.path);
  try {
    (require(path.join(addonFolder(), 'causal_tracer_preload.node')) as Preload).open(library);
  } catch (cause) {
    throw new CausalTracerError(
      'LIBTORCH_NOT_FOUND',
      `libtorch at ${library} cannot be opened: ${text(cause)}. Run "npm run setup" in the checkout, or set ` +
        'CAUSAL_TRACER_LIBTORCH to another folder.',
      { cause },
    );
  }
  let addon: NativeAddon;
  try {
    addon = require(addonFile) as NativeAddon;
  } catch (cause) {
    throw new CausalTracerError(
      'LIBTORCH_VERSION_MISMATCH',
      `The addon does not fit libtorch at ${library} (${libtorch.version}): ${text(cause)}. ` +
        'Run "npm run setup" to build it anew.',
      { cause },
    );
  }
  if (!isSupportedLibtorch(addon.builtForLibtorch)) {
    throw new CausalTracerError(
      'LIBTORCH_VERSION_MISMATCH',
      `The addon was built for libtorch ${addon.builtForLibtorch}, but ${libtorch.version} is loaded. ` +
        'Run "npm run setup" to build it anew.',
    );
  }
  // process.exit() runs no environment clean-up: without this, work would go on while libtorch's statics are destroyed.
  process.once('exit', () => {
    addon.finish();
  });
  return { addon, libtorch };
}

function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Whether `error` says that native work was stopped. */
export function isNativeAbort(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ABORTED';
}

/** Turns an error with a stable code, as the addon throws it, into a {@link CausalTracerError}; others stay as they are. */
export function fromNativeError(error: unknown): unknown {
  if (error instanceof Error && 'code' in error && isErrorCode(error.code)) {
    return new CausalTracerError(error.code, withRemedy(error.message), { cause: error });
  }
  return error;
}

/** A message of libtorch about an operator that it does not have in a narrow type, with what to do. */
function withRemedy(message: string): string {
  const missing = /"(\w+)" not implemented for '(Half|BFloat16)'/.exec(message);
  if (missing === null) return message;
  const dtype = missing[2] === 'Half' ? 'float16' : 'bfloat16';
  return `${message} This processor cannot compute the model in ${dtype}: export it with --dtype float32.`;
}
