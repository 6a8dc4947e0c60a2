import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { CausalTracerError, isErrorCode } from '../errors.js';
import { findAddonFiles, type AddonFiles } from './addon-files.js';
import type { NativeAddon } from './binding.js';
import { cudaLibrary, isSupportedLibtorch, libtorchLibrary, LIBTORCH_VERSION } from './libtorch-folder.js';
import { findLibtorch, type Libtorch, type LibtorchNeeds } from './libtorch.js';
import { nativeRemedy } from './remedies.js';

/** The loaded addon, and the libtorch that it runs on. */
export interface LoadedAddon {
  readonly addon: NativeAddon;
  readonly files: AddonFiles;
  readonly libtorch: Libtorch;
}

interface Preload {
  /** Opens a shared library for the addon to bind to; gives the libtorch version that the library says of itself. */
  open(library: string): string;
}

const require = createRequire(import.meta.url);
let loaded: LoadedAddon | undefined;
/** Stays what it is if something behind it fails: a second libtorch would be mixed with the first. */
let opened: Libtorch | undefined;

/**
 * Opens libtorch and the addon, once: a process has one libtorch, which the first call chooses. CUDA's libraries are
 * opened with it, since libtorch cannot take them up once it has been asked for devices.
 *
 * @throws CausalTracerError `ADDON_NOT_FOUND`, `ADDON_VERSION_MISMATCH`, `LIBTORCH_NOT_FOUND` or
 * `LIBTORCH_VERSION_MISMATCH`.
 */
export function loadAddon(needs: LibtorchNeeds = {}): LoadedAddon {
  loaded ??= openAddon(needs);
  return loaded;
}

function openAddon(needs: LibtorchNeeds): LoadedAddon {
  const files = findAddonFiles();
  const libtorch = opened ?? findLibtorch(needs);
  const measure = startMeasures();
  openLibtorch(files.preload, libtorchLibrary(libtorch.path));
  opened = libtorch;
  if (needs.cuda === true) openCuda(files.preload, cudaLibrary(libtorch.path));
  measure('open libtorch');
  let addon: NativeAddon;
  try {
    addon = require(files.addon) as NativeAddon;
  } catch (cause) {
    throw new CausalTracerError(
      'LIBTORCH_VERSION_MISMATCH',
      `The addon ${files.addon} does not fit libtorch ${libtorch.version} in ${libtorch.path}: ${text(cause)}.\n${nativeRemedy()}`,
      { cause },
    );
  }
  measure('open addon');
  if (!isSupportedLibtorch(addon.builtForLibtorch)) {
    throw new CausalTracerError(
      'LIBTORCH_VERSION_MISMATCH',
      `The addon ${files.addon} was built for libtorch ${addon.builtForLibtorch}, but ${libtorch.version} is loaded.\n${nativeRemedy()}`,
    );
  }
  // process.exit() runs no environment clean-up: without this, work would go on while libtorch's statics are destroyed.
  process.once('exit', () => {
    addon.finish();
  });
  return { addon, files, libtorch };
}

/** A function that notes the time since the last note as a measure that `perf_hooks` shows. */
function startMeasures(): (what: string) => void {
  let start = performance.now();
  return (what) => {
    const end = performance.now();
    performance.measure(`causal-tracer: ${what}`, { start, end });
    start = end;
  };
}

/** Opens libtorch and sees that it is what its folder says, before the addon runs any of its code. */
function openLibtorch(preloadFile: string, library: string): void {
  let preload: Preload;
  let version: string;
  try {
    preload = require(preloadFile) as Preload;
  } catch (cause) {
    throw new CausalTracerError(
      'ADDON_NOT_FOUND',
      `The addon cannot be loaded on this machine: ${text(cause)}.\n${nativeRemedy()}`,
      { cause },
    );
  }
  try {
    version = preload.open(library);
  } catch (cause) {
    throw new CausalTracerError(
      'LIBTORCH_NOT_FOUND',
      `libtorch at ${library} cannot be opened: ${text(cause)}.\n${nativeRemedy()}\n` +
        'Or set CAUSAL_TRACER_LIBTORCH to another folder.',
      { cause },
    );
  }
  if (isSupportedLibtorch(version)) return;
  throw new CausalTracerError(
    'LIBTORCH_VERSION_MISMATCH',
    `libtorch at ${library} is version ${version}, but ${LIBTORCH_VERSION} is needed.\n${nativeRemedy()}`,
  );
}

/** Opens the CUDA half of a CUDA build; a build without it is left to say so when a device is asked for. */
function openCuda(preloadFile: string, library: string): void {
  if (!existsSync(library)) return;
  try {
    (require(preloadFile) as Preload).open(library);
  } catch (cause) {
    throw new CausalTracerError(
      'DEVICE_NOT_AVAILABLE',
      `The CUDA libraries at ${library} cannot be opened: ${text(cause)}. Install them again, or use the device "cpu".`,
      { cause },
    );
  }
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
  if (error instanceof CausalTracerError) return error;
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
