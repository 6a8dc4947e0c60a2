import { Worker } from 'node:worker_threads';

/** A worker thread that runs a TypeScript file of test/support, given `data` and `argv`. */
export function startWorker(file: string, data: unknown, argv: string[] = []): Worker {
  const script = new URL(file, import.meta.url).href;
  // Node 20 does not hand --import on to worker threads in a way that tsx understands.
  const code = `import('tsx/esm/api').then(({ register }) => { register(); return import('${script}'); })`;
  return new Worker(code, { eval: true, workerData: data, argv });
}
