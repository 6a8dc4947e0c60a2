import { expect } from 'chai';
import { CausalTracer, type HiddenFlow, type TraceProgress } from '../../src/index.js';
import { expectError } from '../support/errors.js';
import { LONG_PROMPT, LONG_TRACE } from '../support/long-trace.js';
import { modelFolder } from '../support/models.js';

const PROMPT = 'The mother tongue of Marie Curie was';

describe('several things at once', () => {
  let tracer: CausalTracer;
  let expected: HiddenFlow;
  before(async () => {
    tracer = await CausalTracer.load(modelFolder('tiny-gpt2'), { threads: 1 });
    expected = await tracer.calculateHiddenFlow(PROMPT);
  });
  after(() => {
    tracer.dispose();
  });

  it('keeps the event loop free: a timer of 10 ms goes on ticking during a trace', async () => {
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 10);
    await tracer.calculateHiddenFlow(LONG_PROMPT, LONG_TRACE);
    clearInterval(timer);
    expect(ticks).to.be.at.least(10);
  });

  it('reports rising progress that ends at the total', async () => {
    const seen: TraceProgress[] = [];
    const queries = [PROMPT, 'The Golden Gate Bridge is in'];
    const flows = await tracer.calculateHiddenFlows(queries, {
      samples: 3,
      startLayer: 1,
      batchSize: 5,
      onProgress: (progress) => {
        seen.push(progress);
      },
    });
    const cells = flows.reduce((sum, flow) => sum + flow.inputIds.length * 4, 0);
    const total = 2 + 3 * (2 + cells);
    expect(seen.every((progress) => progress.total === total)).to.equal(true);
    expect(seen.length).to.be.above(4);
    seen.slice(1).forEach((progress, i) => {
      expect(progress.done).to.be.above(seen[i]!.done);
    });
    expect(seen.at(-1)!.done).to.equal(total);
  });

  it('stops in the middle when aborted, with the reason, and stays usable', async () => {
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    let last: TraceProgress | undefined;
    const trace = tracer.calculateHiddenFlow(LONG_PROMPT, {
      ...LONG_TRACE,
      signal: controller.signal,
      onProgress: (progress) => {
        last = progress;
        controller.abort(reason);
      },
    });
    expect(await trace.catch((error: unknown) => error)).to.equal(reason);
    expect(last!.done).to.be.below(last!.total);
    expect(await tracer.calculateHiddenFlow(PROMPT)).to.deep.equal(expected);
  });

  it('does not begin when aborted before, and rejects base outputs as well', async () => {
    const signal = AbortSignal.abort();
    for (const call of [
      () => tracer.calculateHiddenFlow(PROMPT, { signal }),
      () => tracer.calculateHiddenFlows([PROMPT], { signal }),
      () => tracer.calculateBaseOutputs([PROMPT], { signal }),
    ]) {
      expect(await call().catch((error: unknown) => error)).to.equal(signal.reason);
    }
  });

  it('hands on what the progress listener throws, and stays usable', async () => {
    const failure = new Error('the listener failed');
    const trace = tracer.calculateHiddenFlow(LONG_PROMPT, {
      ...LONG_TRACE,
      onProgress: () => {
        throw failure;
      },
    });
    expect(await trace.catch((error: unknown) => error)).to.equal(failure);
    expect(await tracer.calculateHiddenFlow(PROMPT)).to.deep.equal(expected);
  });

  it('queues the calls of one tracer in order, also when one in the middle is aborted', async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const listen = (name: string) => (): void => {
      if (log.at(-1) !== name) log.push(name);
    };
    const results = await Promise.allSettled([
      tracer.calculateHiddenFlows([PROMPT, PROMPT], { onProgress: listen('first') }),
      tracer.calculateHiddenFlow(PROMPT, { onProgress: listen('second'), signal: controller.signal }),
      tracer.calculateBaseOutputs([PROMPT], { onProgress: listen('third') }),
      tracer.calculateHiddenFlow(PROMPT, { onProgress: listen('fourth') }),
      Promise.resolve().then(() => {
        controller.abort();
      }),
    ]);
    expect(log).to.deep.equal(['first', 'third', 'fourth']);
    expect(results.map(({ status }) => status)).to.deep.equal([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
    const [first, , , fourth] = results;
    expect(first.status === 'fulfilled' && first.value).to.deep.equal([expected, expected]);
    expect(fourth.status === 'fulfilled' && fourth.value).to.deep.equal(expected);
  });

  it('runs several tracers side by side with equal numbers', async () => {
    const others = await Promise.all(
      [1, 2, 3].map(() => CausalTracer.load(modelFolder('tiny-gpt2'), { threads: 1 })),
    );
    const flows = await Promise.all(others.map((other) => other.calculateHiddenFlow(PROMPT)));
    for (const other of others) other.dispose();
    for (const flow of flows) expect(flow).to.deep.equal(expected);
  });

  describe('dispose', () => {
    it('stops running and waiting calls with DISPOSED, and later calls too', async () => {
      const other = await CausalTracer.load(modelFolder('tiny-gpt2'), { threads: 1 });
      let disposed = false;
      const running = other.calculateHiddenFlow(LONG_PROMPT, {
        ...LONG_TRACE,
        onProgress: () => {
          disposed = true;
          other.dispose();
        },
      });
      const waiting = other.calculateHiddenFlow(PROMPT);
      await expectError(() => running, 'DISPOSED');
      await expectError(() => waiting, 'DISPOSED');
      expect(disposed).to.equal(true);
      await expectError(() => other.calculateHiddenFlow(PROMPT), 'DISPOSED', 'Load it again');
      await expectError(() => other.calculateHiddenFlows([PROMPT]), 'DISPOSED');
      await expectError(() => other.calculateBaseOutputs([PROMPT]), 'DISPOSED');
      other.dispose();
      expect(await tracer.calculateHiddenFlow(PROMPT)).to.deep.equal(expected);
    });

    it('comes with the end of a using block', async () => {
      let kept: CausalTracer;
      {
        using scoped = await CausalTracer.load(modelFolder('tiny-gpt2'), { threads: 1 });
        kept = scoped;
        expect(await scoped.calculateHiddenFlow(PROMPT)).to.deep.equal(expected);
      }
      await expectError(() => kept.calculateHiddenFlow(PROMPT), 'DISPOSED');
    });
  });
});
