// @ts-check
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The libtorch release that the addon is built for. Keep equal to LIBTORCH_VERSION in src/native/libtorch-folder.ts. */
export const libtorchVersion = '2.13.0';

export const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
export const buildFolder = path.join(projectRoot, 'build');
export const logFolder = path.join(buildFolder, 'logs');
export const virtualEnvironment = path.join(projectRoot, '.venv');

/** Folder in which downloaded libraries are kept for all checkouts of a user. */
export function cacheFolder(environment = process.env) {
  const base = environment['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache');
  return environment['CAUSAL_TRACER_CACHE'] || path.join(base, 'causal-tracer');
}

/**
 * The Python of a virtual environment.
 * @param {string} folder
 */
export function virtualEnvironmentPython(folder) {
  return process.platform === 'win32'
    ? path.join(folder, 'Scripts', 'python.exe')
    : path.join(folder, 'bin', 'python');
}
