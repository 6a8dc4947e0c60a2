// @ts-check
// On a machine without a GPU: a CUDA build of libtorch opens, models run on its CPU half, and the device cuda is refused
// with the reason. The build comes from a Python that has it, or is the one that `causal-tracer install --cuda` fetched.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { findTorchFolder } from './bench/processes.mjs';
import { projectRoot } from './setup/paths.mjs';
import { runMain, SetupError } from './setup/run.mjs';
import { setUp } from './setup/steps.mjs';

const [python = ''] = process.argv.slice(2);

await runMain(async () => {
  if (python === '--help') {
    process.stdout.write(
      'Usage: node scripts/check-cuda-libtorch.mjs [PYTHON]\n\n' +
        'PYTHON has PyTorch 2.13.0 for CUDA; without it, what "causal-tracer install --cuda" fetched is checked.\n' +
        'The machine needs no GPU.\n',
    );
    return;
  }
  await setUp();
  if (python !== '') process.env['CAUSAL_TRACER_LIBTORCH'] = findTorchFolder(python);
  /** @type {typeof import('../src/index.js')} */
  const { CausalTracer, CausalTracerError } = await import(
    pathToFileURL(path.join(projectRoot, 'dist', 'index.js')).href
  );
  const folder = path.join(projectRoot, 'models', 'demo-gpt2');
  const prompt = 'The capital of Italy is the city of';

  // The first load opens CUDA's libraries and falls back to the CPU.
  const tracer = await CausalTracer.load(folder, { device: 'auto' });
  const { answer, provenance } = await tracer.calculateHiddenFlow(prompt, { subject: 'Italy', samples: 1 });
  tracer.dispose();
  const { device, versions } = provenance;
  process.stdout.write(`device auto: ${device}, libtorch ${versions.libtorch}, answer${answer}\n`);
  if (device !== 'cpu' || answer !== ' Rome')
    throw new SetupError('This should run on the CPU and answer Rome.');

  const failure = await CausalTracer.load(folder, { device: 'cuda' }).then(
    () => null,
    (/** @type {unknown} */ error) => error,
  );
  if (!(failure instanceof CausalTracerError) || failure.code !== 'DEVICE_NOT_AVAILABLE') {
    throw new SetupError(`The device cuda gave ${String(failure)}, not DEVICE_NOT_AVAILABLE.`);
  }
  process.stdout.write(`device cuda: ${failure.code}: ${failure.message}\n`);
  if (!failure.message.includes('finds no GPU'))
    throw new SetupError('The message does not name the reason.');
});
