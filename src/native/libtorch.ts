import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CausalTracerError } from '../errors.js';

/** The libtorch release that the addon is built for; its C++ interface changes with every minor version. */
export const LIBTORCH_VERSION = '2.13.0';

/** A folder of libtorch libraries, and how it came to be chosen. */
export interface Libtorch {
  /** Folder with `lib/` inside. */
  readonly path: string;
  /** E.g. `2.13.0+cpu`. */
  readonly version: string;
  readonly source: 'environment' | 'build' | 'cache';
}

/** A place that was looked at and not taken. */
export interface RejectedLibtorch {
  readonly path: string;
  readonly reason: string;
}

export interface LibtorchSearch {
  readonly chosen: Libtorch | null;
  readonly rejected: readonly RejectedLibtorch[];
}

interface Candidate {
  readonly source: Libtorch['source'];
  readonly path: string;
}

/** The package's own folder, which holds `build/` in a checkout. */
export const packageRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Path of the library that the addon needs, inside a libtorch folder. */
export function libtorchLibrary(folder: string): string {
  const names: Partial<Record<NodeJS.Platform, string>> = {
    win32: 'torch_cpu.dll',
    darwin: 'libtorch_cpu.dylib',
  };
  return path.join(folder, 'lib', names[process.platform] ?? 'libtorch_cpu.so');
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

/** Folder in which downloaded libraries are kept for all checkouts of a user. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  return process.env['CAUSAL_TRACER_CACHE'] ?? path.join(base, 'causal-tracer');
}

/** Looks for libtorch: `CAUSAL_TRACER_LIBTORCH`, then what the build used, then the cache. */
export function searchLibtorch(): LibtorchSearch {
  const rejected: RejectedLibtorch[] = [];
  for (const candidate of listCandidates()) {
    const reason = rejectionReason(candidate.path);
    if (reason === null) {
      const version = readLibtorchVersion(candidate.path) ?? LIBTORCH_VERSION;
      return { chosen: { ...candidate, version }, rejected };
    }
    rejected.push({ path: candidate.path, reason });
    if (candidate.source === 'environment') break;
  }
  return { chosen: null, rejected };
}

/**
 * The libtorch to load.
 *
 * @throws CausalTracerError `LIBTORCH_VERSION_MISMATCH` if there are only other versions, else `LIBTORCH_NOT_FOUND`.
 */
export function findLibtorch(): Libtorch {
  const { chosen, rejected } = searchLibtorch();
  if (chosen !== null) return chosen;
  const looked = rejected.map(({ path: place, reason }) => `\n  ${place}: ${reason}`).join('');
  const mismatch = rejected.some(({ reason }) => reason.startsWith('version'));
  throw new CausalTracerError(
    mismatch ? 'LIBTORCH_VERSION_MISMATCH' : 'LIBTORCH_NOT_FOUND',
    `No usable libtorch ${LIBTORCH_VERSION} was found.${looked}\n` +
      'Run "npm run setup" in the checkout, or set CAUSAL_TRACER_LIBTORCH to a folder with that version in lib/.',
  );
}

function listCandidates(): readonly Candidate[] {
  const candidates: Candidate[] = [];
  const fromEnvironment = process.env['CAUSAL_TRACER_LIBTORCH'];
  if (fromEnvironment !== undefined && fromEnvironment !== '') {
    candidates.push({ source: 'environment', path: path.resolve(fromEnvironment) });
  }
  const fromBuild = readBuildRecord();
  if (fromBuild !== null) candidates.push({ source: 'build', path: fromBuild });
  const name = `${LIBTORCH_VERSION}-cpu-${process.platform}-${process.arch}`;
  candidates.push({ source: 'cache', path: path.join(cacheFolder(), 'libtorch', name) });
  return candidates;
}

/** The libtorch folder that `npm run setup` recorded. */
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

function rejectionReason(folder: string): string | null {
  if (!existsSync(folder)) return 'the folder does not exist';
  const library = libtorchLibrary(folder);
  if (!existsSync(library)) return `there is no ${path.relative(folder, library)}`;
  const version = readLibtorchVersion(folder);
  if (version !== null && !isSupportedLibtorch(version)) {
    return `version ${version}, but ${LIBTORCH_VERSION} is needed`;
  }
  return null;
}
