/** Has worker threads end in the middle of a trace, then traces on the main thread; prints what happened. */
import { once } from 'node:events';
import { CausalTracer } from '../../src/index.js';
import { modelFolder } from './models.js';
import { startWorker } from './worker.js';

const exiting = startWorker('end-process.ts', null, ['exit']);
const [code] = (await once(exiting, 'exit')) as [number];
process.stdout.write(`exited with ${code}\n`);

const waiting = startWorker('end-process.ts', null, ['wait']);
await once(waiting, 'message');
process.stdout.write(`terminated with ${await waiting.terminate()}\n`);

using tracer = await CausalTracer.load(modelFolder('tiny-gpt2'), { threads: 1 });
const flow = await tracer.calculateHiddenFlow('The tower of Pisa leans', { samples: 1 });
process.stdout.write(`traced ${flow.provenance.subject}\n`);
