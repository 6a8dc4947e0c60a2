import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PLATFORMS } from './platforms.js';

/** The libtorch release that the addon is built for; its C++ interface changes with every minor version. */
export const LIBTORCH_VERSION = '2.13.0';

/** Path of the library that the addon needs, inside a libtorch folder. */
export function libtorchLibrary(folder: string): string {
  const { library } = PLATFORMS.find(({ os }) => os === process.platform) ?? { library: 'libtorch_cpu.so' };
  return path.join(folder, 'lib', library);
}

/** Path of the library with CUDA's operators, which only a CUDA build of libtorch has. */
export function cudaLibrary(folder: string): string {
  const name = process.platform === 'win32' ? 'torch_cuda.dll' : 'libtorch_cuda.so';
  return path.join(folder, 'lib', name);
}

/** The version that a libtorch folder says of itself; null where it says none. */
export function readLibtorchVersion(folder: string): string | null {
  for (const [file, pattern] of [
    ['version.py', /^__version__\s*=\s*['"]([^'"]+)['"]/m],
    ['build-version', /^\s*(\S+)/],
  ] as const) {
    const found = path.join(folder, file);
    if (existsSync(found)) return pattern.exec(readFileSync(found, 'utf8'))?.[1] ?? null;
  }
  return null;
}

/** Whether `version` (with or without a `+cpu`) is of the release that the addon was built for. */
export function isSupportedLibtorch(version: string): boolean {
  return version.split('+')[0] === LIBTORCH_VERSION;
}

/** Why a folder cannot be taken; `isOtherVersion` if all that is wrong is its version. */
export interface LibtorchProblem {
  readonly reason: string;
  readonly isOtherVersion: boolean;
}

/** What is wrong with a libtorch folder; null if nothing can be seen without opening it. */
export function problemOfLibtorch(folder: string): LibtorchProblem | null {
  const problem = (reason: string, isOtherVersion = false): LibtorchProblem => ({ reason, isOtherVersion });
  if (!existsSync(folder)) return problem('the folder does not exist');
  const library = libtorchLibrary(folder);
  if (!existsSync(library)) return problem(`there is no ${path.relative(folder, library)}`);
  const version = readLibtorchVersion(folder);
  if (version !== null && !isSupportedLibtorch(version)) {
    return problem(`version ${version}, but ${LIBTORCH_VERSION} is needed`, true);
  }
  return null;
}
