/**
 * The candidates most like `name`, most alike first, for "did you mean" messages.
 *
 * @param limit at most this many are returned.
 */
export function nearestNames(name: string, candidates: Iterable<string>, limit = 5): string[] {
  return [...new Set(candidates)]
    .map((candidate) => ({ candidate, distance: nameDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}

/**
 * The numbered templates that a model's module names follow: each name with its first number replaced by `{num}`,
 * as `transformer.h.3.mlp` becomes `transformer.h.{num}.mlp`. Names without a number are left out.
 */
export function numberedTemplates(moduleNames: Iterable<string>): string[] {
  const templates = new Set<string>();
  for (const name of moduleNames) {
    const parts = name.split('.');
    const numbered = parts.findIndex((part) => /^\d+$/.test(part));
    if (numbered >= 0) templates.add(parts.with(numbered, '{num}').join('.'));
  }
  return [...templates];
}

/** Edit distance, but a name under another parent is near as well: `wte` is near `transformer.wte`. */
function nameDistance(a: string, b: string): number {
  const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1);
  const ofLastParts = editDistance(lastPart(a), lastPart(b));
  return ofLastParts <= 1 ? Math.min(editDistance(a, b), ofLastParts + 0.5) : editDistance(a, b);
}

/** Levenshtein distance: the fewest single-character insertions, deletions and replacements. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
