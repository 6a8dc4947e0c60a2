import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { LIBTORCH_VERSION } from './libtorch-folder.js';
import { packageRoot } from './package-root.js';
import { findPlatformPackage } from './platform-packages.js';
import { libtorchPackage, platformName } from './platforms.js';
import { findPythonTorches } from './python-torch.js';

/** How a libtorch folder came to be looked at. */
export type LibtorchSource = 'environment' | 'cuda' | 'package' | 'build' | 'cache' | 'python';

/** A folder that may hold libtorch, or a place that turned out to have none. */
export type LibtorchPlace =
  | { readonly source: LibtorchSource; readonly path: string }
  | { readonly source: LibtorchSource; readonly path: string; readonly absence: string };

/** Folder in which downloaded libraries are kept for all projects of a user. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  return process.env['CAUSAL_TRACER_CACHE'] ?? path.join(base, 'causal-tracer');
}

/** Where libtorch for CUDA is kept when it has been fetched: `torch/` and `nvidia/` below it, as in site-packages. */
export function cudaCacheFolder(): string {
  return path.join(cacheFolder(), 'libtorch', `${LIBTORCH_VERSION}-cuda-${platformName}`);
}

/**
 * Every place to look for libtorch, best first. A later place is only looked at when no earlier one would do, since
 * asking Pythons takes a while.
 */
export function* listPlaces({ cuda }: { readonly cuda: boolean }): Generator<LibtorchPlace> {
  const named = process.env['CAUSAL_TRACER_LIBTORCH'] ?? '';
  if (named !== '') {
    // Nothing else is taken in the place of what the user asks for.
    yield { source: 'environment', path: path.resolve(named) };
    return;
  }
  if (cuda) yield { source: 'cuda', path: path.join(cudaCacheFolder(), 'torch') };
  yield installedPackage();
  const built = readBuildRecord();
  if (built !== null) yield { source: 'build', path: built };
  yield {
    source: 'cache',
    path: path.join(cacheFolder(), 'libtorch', `${LIBTORCH_VERSION}-cpu-${platformName}`),
  };
  yield* findPythonTorches();
}

function installedPackage(): LibtorchPlace {
  const name = libtorchPackage(platformName);
  const found = findPlatformPackage(name);
  return found === null
    ? { source: 'package', path: name, absence: 'the package is not installed' }
    : { source: 'package', path: found.folder };
}

/** The libtorch folder that `npm run setup` recorded in a checkout. */
function readBuildRecord(): string | null {
  const file = path.join(packageRoot, 'build', 'libtorch.json');
  if (!existsSync(file)) return null;
  try {
    const record: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const recorded = record !== null && typeof record === 'object' && 'path' in record ? record.path : null;
    return typeof recorded === 'string' ? recorded : null;
  } catch {
    return null;
  }
}
