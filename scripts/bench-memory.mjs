// @ts-check
// Traces the demo model a thousand times with prompts of varying lengths, and prints how the resident set grows.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from './setup/paths.mjs';
import { runMain } from './setup/run.mjs';
import { setUp } from './setup/steps.mjs';

const traces = 1000;
/** The allocator's pools have their size by then. */
const warmUp = 200;
const words =
  'The Eiffel Tower is located in the city of light and it is the best known sight of the country'.split(' ');
const kinds = /** @type {const} */ (['hidden', 'mlp', 'attention']);

await runMain(async () => {
  await setUp();
  /** @type {typeof import('../src/index.js')} */
  const { CausalTracer } = await import(pathToFileURL(path.join(projectRoot, 'dist', 'index.js')).href);
  const tracer = await CausalTracer.load(path.join(projectRoot, 'models', 'demo-gpt2'));
  let before = 0;
  for (let i = 1; i <= traces; i += 1) {
    const prompt = words.slice(0, 4 + (i % (words.length - 4))).join(' ');
    const kind = kinds[i % kinds.length];
    await tracer.calculateHiddenFlow(prompt, {
      subject: 'The Eiffel Tower',
      kind,
      window: 1 + (i % 4),
      samples: 4,
    });
    if (i % 100 === 0)
      process.stdout.write(`${String(i).padStart(5)} traces: ${megabytes(residentSet())} MB\n`);
    if (i === warmUp) before = residentSet();
  }
  const growth = (residentSet() / before - 1) * 100;
  process.stdout.write(
    `From trace ${warmUp} to trace ${traces} the resident set grew by ${growth.toFixed(2)} %\n`,
  );
  tracer.dispose();
  return 0;
});

function residentSet() {
  return process.memoryUsage().rss;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return (bytes / 2 ** 20).toFixed(1);
}
