// @ts-check
// Everything that only a machine with a GPU can show, in one unattended run that ends with a summary.
import { parseArgs } from 'node:util';
import { runGpuCheck } from './gpu/run-gpu-check.mjs';
import { runMain, SetupError } from './setup/run.mjs';
import { setUp } from './setup/steps.mjs';

const usage = `Checks models on a GPU: equal results, speed, memory, and what happens when memory runs out.

Usage: npm run gpu-check -- [options]

  --python PATH   a Python with PyTorch 2.13.0 for CUDA and what scripts/requirements*.txt list (default: python3)
  --quick         small models only
`;

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      python: { type: 'string' },
      quick: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return;
  }
  await setUp();
  const failed = await runGpuCheck({ python: values.python ?? 'python3', quick: values.quick === true });
  if (failed > 0) throw new SetupError(`${failed} of the checks failed.`);
});
