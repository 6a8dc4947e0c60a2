import { existsSync } from 'node:fs';
import { CausalTracerError } from '../errors.js';
import { cudaLibrary, LIBTORCH_VERSION, problemOfLibtorch, readLibtorchVersion } from './libtorch-folder.js';
import { listPlaces, type LibtorchSource } from './libtorch-places.js';
import { nativeRemedy } from './remedies.js';

/** A folder of libtorch libraries, and how it came to be chosen. */
export interface Libtorch {
  /** Folder with `lib/` inside. */
  readonly path: string;
  /** E.g. `2.13.0+cpu`. */
  readonly version: string;
  readonly source: LibtorchSource;
}

/** A place that was looked at and not taken. */
export interface RejectedLibtorch {
  readonly path: string;
  readonly reason: string;
  /** Whether there is a libtorch, but of another version. */
  readonly isOtherVersion: boolean;
}

export interface LibtorchSearch {
  readonly chosen: Libtorch | null;
  readonly rejected: readonly RejectedLibtorch[];
}

/** What libtorch is for. */
export interface LibtorchNeeds {
  /** Whether a build with CUDA is wanted; default no. */
  readonly cuda?: boolean;
}

/**
 * Looks for libtorch: `CAUSAL_TRACER_LIBTORCH` and nothing else where it is set; then, if CUDA is asked for, the
 * libraries for it in the cache; then the npm package, what the build of a checkout used, the cache, and an installed
 * Python torch. Where CUDA is asked for, a build without it is only taken if there is none with it.
 */
export function searchLibtorch({ cuda = false }: LibtorchNeeds = {}): LibtorchSearch {
  const rejected: RejectedLibtorch[] = [];
  let withoutCuda: Libtorch | null = null;
  for (const place of listPlaces({ cuda })) {
    const { source, path } = place;
    const problem =
      'absence' in place ? { reason: place.absence, isOtherVersion: false } : problemOfLibtorch(path);
    if (problem !== null) {
      rejected.push({ path, ...problem });
      continue;
    }
    const found = { source, path, version: readLibtorchVersion(path) ?? LIBTORCH_VERSION };
    if (!cuda || existsSync(cudaLibrary(path))) return { chosen: found, rejected };
    withoutCuda ??= found;
    rejected.push({ path, reason: 'it was built without CUDA', isOtherVersion: false });
  }
  return { chosen: withoutCuda, rejected };
}

/**
 * The libtorch to load.
 *
 * @throws CausalTracerError `LIBTORCH_VERSION_MISMATCH` if there are only other versions, else `LIBTORCH_NOT_FOUND`.
 */
export function findLibtorch(needs: LibtorchNeeds = {}): Libtorch {
  const { chosen, rejected } = searchLibtorch(needs);
  if (chosen !== null) return chosen;
  throw new CausalTracerError(
    rejected.some(({ isOtherVersion }) => isOtherVersion)
      ? 'LIBTORCH_VERSION_MISMATCH'
      : 'LIBTORCH_NOT_FOUND',
    [
      `No usable libtorch ${LIBTORCH_VERSION} was found. Looked at:`,
      ...rejected.map(({ path, reason }) => `  ${path}: ${reason}`),
      nativeRemedy(),
      `Or set CAUSAL_TRACER_LIBTORCH to a folder with libtorch ${LIBTORCH_VERSION} in lib/.`,
    ].join('\n'),
  );
}
