// @ts-check
// Checks the whole tree with every formatter and linter; with --fix it formats what can be formatted.
import { listChecks, runCheck } from './setup/checks.mjs';
import { ensurePythonEnvironment } from './setup/python-environment.mjs';
import { runMain } from './setup/run.mjs';
import { setUp } from './setup/steps.mjs';

await runMain(async () => {
  await setUp({ beforeLibtorch: ensurePythonEnvironment });
  let passed = true;
  for (const check of listChecks({ fix: process.argv.includes('--fix') })) {
    passed = (await runCheck(check)) && passed;
  }
  return passed ? 0 : 1;
});
