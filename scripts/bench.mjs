// @ts-check
// Times the Python package causal-tracer and this one on the same machine, weights, threads and libtorch.
import { readOptions, usage } from './bench/options.mjs';
import { runBench, warnIfBusy } from './bench/run-bench.mjs';
import { ensurePythonEnvironment } from './setup/python-environment.mjs';
import { runMain } from './setup/run.mjs';
import { setUp } from './setup/steps.mjs';

await runMain(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(usage);
    return;
  }
  warnIfBusy();
  if (options.python !== null) {
    await setUp();
    await runBench(options, options.python);
    return;
  }
  await setUp({ beforeLibtorch: ensurePythonEnvironment });
  await runBench(options, await ensurePythonEnvironment());
});
