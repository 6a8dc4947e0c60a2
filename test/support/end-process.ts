/**
 * Ends its own process, or worker thread, in the way that its first argument names, while a trace is at work. In a
 * worker thread it tells its parent when the work has begun.
 */
import { parentPort } from 'node:worker_threads';
import { CausalTracer } from '../../src/index.js';
import { LONG_PROMPT, LONG_TRACE } from './long-trace.js';
import { modelFolder } from './models.js';

const ways: Readonly<Record<string, () => void>> = {
  exit: () => process.exit(7),
  uncaught: () => {
    setImmediate(() => {
      throw new Error('uncaught on purpose');
    });
  },
  /** The parent ends it. */
  wait: () => {
    parentPort?.postMessage('at work');
  },
};
const tracer = await CausalTracer.load(modelFolder('tiny-gpt2'), { threads: 1 });
const way = ways[process.argv[2] ?? ''];
if (way === undefined) {
  // Nothing is disposed of: the process ends when the trace has ended.
  await tracer.calculateHiddenFlow(LONG_PROMPT, { ...LONG_TRACE, samples: 1 });
} else {
  await tracer.calculateHiddenFlow(LONG_PROMPT, { ...LONG_TRACE, onProgress: way });
}
