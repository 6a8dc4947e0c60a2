import { parentPort, workerData } from 'node:worker_threads';
import { CausalTracer } from '../../src/index.js';

const { folder, prompt } = workerData as { readonly folder: string; readonly prompt: string };
using tracer = await CausalTracer.load(folder, { threads: 1 });
parentPort?.postMessage(await tracer.calculateHiddenFlow(prompt));
