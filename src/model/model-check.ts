import { CausalTracerError } from '../errors.js';
import type { NativeFingerprint } from '../native/binding.js';
import type { Manifest } from './manifest.js';

type Check = Manifest['check'];
type SiteCheck = Check['sites'][number];

/**
 * How far numbers may lie from those of the export, relative to the size of the tensor: another machine adds in
 * another order, and the narrow types round coarsely after every operation.
 */
const TOLERANCES: Readonly<Record<Manifest['dtype'], number>> = {
  float32: 1e-4,
  float16: 1e-2,
  bfloat16: 5e-2,
};

/**
 * Compares what the loaded model computes on the manifest's fixed ids with what PyTorch computed at export.
 *
 * @throws CausalTracerError `MODEL_CHECK_FAILED` naming the first site, or logits row, that differs, with the
 *   expected and the found numbers.
 */
export function requireEqualFingerprint(
  expected: Check,
  found: NativeFingerprint,
  dtype: Manifest['dtype'],
): void {
  const tolerance = TOLERANCES[dtype];
  const foundSites = new Map(found.sites.map((site) => [site.module, site]));
  for (const site of expected.sites) requireEqualSite(site, foundSites.get(site.module), tolerance);
  expected.topLogits.forEach((row, i) => {
    requireEqualLogits(row, found.topLogits[i] ?? [], i, tolerance);
  });
}

function requireEqualSite(
  expected: SiteCheck,
  found: NativeFingerprint['sites'][number] | undefined,
  tolerance: number,
): void {
  const where = `the output of "${expected.module}"`;
  if (found === undefined) throw checkFailed(where, 'a tensor', 'nothing');
  if (expected.shape.join() !== found.shape.join()) {
    throw checkFailed(
      `the shape of ${where}`,
      `[${expected.shape.join(', ')}]`,
      `[${found.shape.join(', ')}]`,
    );
  }
  const size = expected.shape.reduce((product, length) => product * length, 1);
  const scale = Math.max(expected.checksum.norm, Number.MIN_VALUE);
  // Each bound is what an error of `tolerance` times the norm can do to that number.
  const bounds = {
    mean: (tolerance * scale) / Math.sqrt(size),
    norm: tolerance * scale,
    projection: tolerance * scale,
  };
  for (const part of ['norm', 'projection', 'mean'] as const) {
    if (Math.abs(expected.checksum[part] - found.checksum[part]) <= bounds[part]) continue;
    throw checkFailed(
      `the ${part} of ${where}`,
      String(expected.checksum[part]),
      String(found.checksum[part]),
    );
  }
}

function requireEqualLogits(
  expected: Check['topLogits'][number],
  found: NativeFingerprint['topLogits'][number],
  row: number,
  tolerance: number,
): void {
  const bound = tolerance * Math.max(...expected.map(({ logit }) => Math.abs(logit)), Number.MIN_VALUE);
  const foundById = new Map(found.map(({ id, logit }) => [id, logit]));
  const lowest = found.at(-1)?.logit ?? Number.NaN;
  for (const { id, logit } of expected) {
    // A token that is not among the best can only be tied with the last of them.
    const other = foundById.get(id) ?? lowest;
    if (Math.abs(logit - other) <= bound) continue;
    const best = found.map((entry) => `${entry.id}: ${entry.logit}`).join(', ');
    throw checkFailed(
      `the logits of row ${row}`,
      `${logit} for the token ${id}`,
      foundById.has(id) ? `${other}` : best,
    );
  }
}

function checkFailed(what: string, expected: string, found: string): CausalTracerError {
  return new CausalTracerError(
    'MODEL_CHECK_FAILED',
    `The model does not compute what it computed at export: expected ${what} to be ${expected}, found ${found}. The ` +
      "folder's files do not belong together, or this libtorch computes differently; export the model again.",
  );
}
