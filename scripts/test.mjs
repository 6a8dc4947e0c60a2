// @ts-check
// Sets up what is missing, runs every check and test, and sums them up in its last line.
// --quick runs the suites over model families on a part of them.
import { listChecks, runCheck } from './setup/checks.mjs';
import { ensurePythonEnvironment } from './setup/python-environment.mjs';
import { quickVariable } from './setup/quick.mjs';
import { describeFailure, say } from './setup/run.mjs';
import { setUp } from './setup/steps.mjs';
import { addCounts, failedOnce, formatSummary, noTests, passedOnce } from './setup/test-counts.mjs';
import { runCoreTests, runMocha, runPytest } from './setup/test-runners.mjs';

const unknown = process.argv.slice(2).filter((option) => option !== '--quick');
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(' ')}. Usage: npm test [-- --quick]`);
  process.exit(2);
}
if (process.argv.includes('--quick')) process.env[quickVariable] = '1';

let counts = noTests;
try {
  await setUp({ beforeLibtorch: ensurePythonEnvironment });
  for (const check of listChecks({ fix: false })) {
    counts = addCounts(counts, (await runCheck(check)) ? passedOnce : failedOnce);
  }
  for (const runTests of [runCoreTests, runMocha, runPytest]) counts = addCounts(counts, runTests());
} catch (error) {
  say(`\n${describeFailure(error)}`);
  counts = addCounts(counts, failedOnce);
}
process.stdout.write(`\n${formatSummary(counts)}\n`);
process.exitCode = counts.failed === 0 ? 0 : 1;
