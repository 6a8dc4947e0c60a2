import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { CausalTracer } from '../../src/index.js';
import { modelFolder } from '../support/models.js';
import { startWorker } from '../support/worker.js';

const PROMPT = 'The mother tongue of Marie Curie was';

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a file of test/support in a process of its own until it ends. */
async function run(file: string, ...args: string[]): Promise<Ended> {
  const script = fileURLToPath(new URL(`../support/${file}`, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, ...output };
}

describe('threads and processes', () => {
  it('gives the same numbers in worker threads, several at once, and on the main thread', async () => {
    const folder = modelFolder('tiny-gpt2');
    using tracer = await CausalTracer.load(folder, { threads: 1 });
    const work = async (): Promise<unknown> => {
      const worker = startWorker('trace-in-worker.ts', { folder, prompt: PROMPT });
      const ended = once(worker, 'exit') as Promise<[number]>;
      const [flow] = (await once(worker, 'message')) as [unknown];
      const [exitCode] = await ended;
      expect(exitCode).to.equal(0);
      return flow;
    };
    const [expected, ...flows] = await Promise.all([tracer.calculateHiddenFlow(PROMPT), work(), work()]);
    for (const flow of flows) expect(flow).to.deep.equal(expected);
  });

  it('lets worker threads exit, or be terminated, in the middle of a run, and goes on elsewhere', async () => {
    const stdout = 'exited with 7\nterminated with 1\ntraced The\n';
    expect(await run('end-worker.ts')).to.deep.equal({ code: 0, signal: null, stdout, stderr: '' });
  });

  it('lets process.exit end the process cleanly in the middle of a run', async () => {
    expect(await run('end-process.ts', 'exit')).to.deep.equal({
      code: 7,
      signal: null,
      stdout: '',
      stderr: '',
    });
  });

  it('lets an uncaught error end the process as Node does', async () => {
    const { code, signal, stderr } = await run('end-process.ts', 'uncaught');
    expect(code).to.equal(1);
    expect(signal).to.equal(null);
    expect(stderr).to.include('uncaught on purpose');
  });

  it('does not keep the process alive once its work is done', async () => {
    expect(await run('end-process.ts')).to.deep.equal({ code: 0, signal: null, stdout: '', stderr: '' });
  });

  it('says that memory ran out, and goes on with what fits', async function () {
    if (spawnSync('prlimit', ['--version']).status !== 0) this.skip();
    this.timeout(180_000);
    const { code, signal, stdout, stderr } = await run('run-out-of-memory.ts', '40000');
    expect({ code, signal, stderr }).to.deep.equal({ code: 0, signal: null, stderr: '' });
    interface Report {
      readonly failures: readonly { readonly code: string; readonly message: string }[];
      readonly unchanged: boolean;
    }
    const { failures, unchanged } = JSON.parse(stdout) as Report;
    expect(failures).to.have.length(2);
    for (const { code: errorCode, message } of failures) {
      expect(errorCode, message).to.equal('OUT_OF_MEMORY');
      expect(message).to.match(/^Out of memory while .* 40000\b.* Lower .*\bbatchSize\b/);
    }
    expect(unchanged).to.equal(true);
  });
});
