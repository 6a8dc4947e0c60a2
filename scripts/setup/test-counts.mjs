// @ts-check

/** @typedef {{ readonly passed: number, readonly failed: number, readonly skipped: number }} Counts */

/** @type {Counts} */
export const noTests = Object.freeze({ passed: 0, failed: 0, skipped: 0 });
/** @type {Counts} */
export const passedOnce = Object.freeze({ ...noTests, passed: 1 });
/** @type {Counts} */
export const failedOnce = Object.freeze({ ...noTests, failed: 1 });

/**
 * @param {readonly Counts[]} counts
 * @returns {Counts}
 */
export function addCounts(...counts) {
  return counts.reduce(
    (sum, { passed, failed, skipped }) => ({
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      skipped: sum.skipped + skipped,
    }),
    noTests,
  );
}

/** @param {Counts} counts */
export function formatSummary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * What a runner's report is worth: one failure more if the runner ran nothing, or failed without saying of which test.
 * @param {number | null} status
 * @param {Counts} counts
 * @returns {Counts}
 */
export function judgeRun(status, counts) {
  const ranSomething = counts.passed + counts.failed > 0;
  const explained = status === 0 || counts.failed > 0;
  return ranSomething && explained ? counts : addCounts(counts, failedOnce);
}

/**
 * Counts from a JUnit report: `tests`, `failures`, `errors` and `skipped` of its `testsuite` elements.
 * @param {string} xml
 */
export function readJUnit(xml) {
  let counts = noTests;
  for (const [, attributes = ''] of xml.matchAll(/<testsuite\s([^>]*)>/g)) {
    const number = (/** @type {string} */ name) =>
      Number(new RegExp(`\\b${name}="(\\d+)"`).exec(attributes)?.[1] ?? 0);
    const failed = number('failures') + number('errors');
    const skipped = number('skipped');
    counts = addCounts(counts, { passed: number('tests') - failed - skipped, failed, skipped });
  }
  return counts;
}

/**
 * Counts from the reporter's file: a line of JSON a test, and one that says that the run came to its end. Without that one
 * the runner has crashed, which is a failure.
 * @param {string} lines
 */
export function readTestLines(lines) {
  let counts = noTests;
  let ended = false;
  for (const line of lines.split('\n')) {
    if (line === '') continue;
    const { outcome } = JSON.parse(line);
    if (outcome === 'end') ended = true;
    else counts = addCounts(counts, { ...noTests, [outcome]: 1 });
  }
  return ended ? counts : addCounts(counts, failedOnce);
}

/**
 * Counts from the last line of a program, which ends with `N passed, N failed` or `N passed, N failed, N skipped`; null if
 * it does not.
 * @param {string} output
 * @returns {Counts | null}
 */
export function readSummaryLine(output) {
  const lastLine = output.trimEnd().split('\n').at(-1) ?? '';
  const match = /\b(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(lastLine);
  if (match === null) return null;
  return { passed: Number(match[1]), failed: Number(match[2]), skipped: Number(match[3] ?? 0) };
}
