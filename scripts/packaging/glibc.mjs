// @ts-check
import { SetupError } from '../setup/run.mjs';
import { runTool } from './stage.mjs';

/**
 * The oldest glibc that a Linux binary runs on, e.g. `2.28`.
 * @param {string} file
 * @throws SetupError if that is newer than `CAUSAL_TRACER_NEWEST_GLIBC`, with which a release limits it
 */
export function oldestGlibc(file) {
  const versions = [...runTool('readelf', ['--version-info', '--wide', file]).matchAll(/GLIBC_([\d.]+)/g)];
  const oldest = versions.map(([, version = '']) => version).reduce(laterOf, '2.0');
  const limit = process.env['CAUSAL_TRACER_NEWEST_GLIBC'];
  if (limit && laterOf(oldest, limit) !== limit) {
    throw new SetupError(`${file} needs glibc ${oldest}: build it on a system with ${limit}.`);
  }
  return oldest;
}

/**
 * The later of two versions.
 * @param {string} one
 * @param {string} other
 */
export function laterOf(one, other) {
  return one.localeCompare(other, 'en', { numeric: true }) > 0 ? one : other;
}
