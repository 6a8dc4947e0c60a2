// A user's program that traces in two worker threads, one after the other; the second one's results are printed.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

for (const isLast of [false, true]) {
  const worker = new Worker(new URL('esm.mjs', import.meta.url), { argv: [process.argv[2]], stdout: true });
  if (isLast) worker.stdout.pipe(process.stdout);
  else worker.stdout.resume();
  const [code] = await once(worker, 'exit');
  if (code !== 0) process.exitCode = code;
}
