/**
 * Traces in batches that do not fit into the memory that it leaves itself; prints what came of it, and whether the tracer
 * still gives its numbers.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { CausalTracer, CausalTracerError } from '../../src/index.js';
import { LONG_PROMPT } from './long-trace.js';
import { modelFolder } from './models.js';

/** Should memory be enough after all, the work ends soon. */
const FEW_CELLS = { endLayer: 1, patchSubjectTokensOnly: true };
const SPARE_BYTES = 2 ** 30;

const rows = Number(process.argv[2]);
using tracer = await CausalTracer.load(modelFolder('tiny-gpt2'), { threads: 1 });
const before = await tracer.calculateHiddenFlow(LONG_PROMPT, { samples: 2 });
limitMemory();
const failures: unknown[] = [];
for (const work of [
  () => tracer.calculateHiddenFlow(LONG_PROMPT, { ...FEW_CELLS, samples: rows, batchSize: rows }),
  () => tracer.calculateBaseOutputs(Array<string>(rows).fill(LONG_PROMPT), { batchSize: rows }),
]) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CausalTracerError)) throw error;
    failures.push({ code: error.code, message: error.message });
  }
}
const after = await tracer.calculateHiddenFlow(LONG_PROMPT, { samples: 2 });
const unchanged = JSON.stringify(after) === JSON.stringify(before);
process.stdout.write(JSON.stringify({ failures, unchanged }));

/** Node can set no limit for itself, and one that holds from the start leaves no room for what starts it. */
function limitMemory(): void {
  const taken = Number(/^VmSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
  execFileSync('prlimit', [`--pid=${process.pid}`, `--as=${taken + SPARE_BYTES}`]);
}
