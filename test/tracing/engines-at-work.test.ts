import path from 'node:path';
import { expect } from 'chai';
import {
  CausalTracer,
  ENGINES,
  LAYER_KINDS,
  type HiddenFlow,
  type HiddenFlowOptions,
  type TraceProgress,
} from '../../src/index.js';
import { packageRoot } from '../../src/native/package-root.js';
import { requireEqualScores } from '../support/flows.js';

const DEMO_MODELS = ['demo-gpt2', 'demo-llama'] as const;
const PROMPT = 'The Eiffel Tower is located in the city of';
const SUBJECT = 'The Eiffel Tower';

/** Takes every engine seconds. */
const LONG: HiddenFlowOptions = { subject: SUBJECT, samples: 200, kind: 'mlp', window: 3 };
/** Shares of the progress after which a trace is aborted. */
const ABORTED_AT = [0, 0.02, 0.05, 0.1, 0.2];
const ALLOWED_MILLISECONDS = 200;
/** What a machine that is busy with other work may take once. */
const BUSY_MILLISECONDS = 3000;

function load(model: (typeof DEMO_MODELS)[number], engine: (typeof ENGINES)[number]): Promise<CausalTracer> {
  return CausalTracer.load(path.join(packageRoot, 'models', model), { threads: 1, engine });
}

/** Aborts a long trace once `share` of it is done; gives the milliseconds until it has ended. */
async function timeAbort(tracer: CausalTracer, share: number): Promise<number> {
  const controller = new AbortController();
  const reason = new Error(`aborted at ${share}`);
  let [aborted, last]: [number, TraceProgress | null] = [0, null];
  const failure: unknown = await tracer
    .calculateHiddenFlow(PROMPT, {
      ...LONG,
      signal: controller.signal,
      onProgress: (progress) => {
        last = progress;
        if (aborted > 0 || progress.done < share * progress.total) return;
        aborted = performance.now();
        controller.abort(reason);
      },
    })
    .catch((error: unknown) => error);
  const milliseconds = performance.now() - aborted;
  expect(failure).to.equal(reason);
  const { done, total } = last as unknown as TraceProgress;
  expect(done).to.be.below(total);
  return milliseconds;
}

for (const model of DEMO_MODELS) {
  for (const engine of ['incremental', 'layers', 'full'] as const) {
    describe(`the ${engine} engine on ${model}`, function () {
      this.timeout(120_000);
      let tracer: CausalTracer;
      let expected: HiddenFlow;
      before(async () => {
        tracer = await load(model, engine);
        expected = await tracer.calculateHiddenFlow(PROMPT, { subject: SUBJECT, samples: 2 });
        expect(expected.provenance.engine).to.equal(engine);
      });
      after(() => {
        tracer.dispose();
      });

      it(`stops within ${ALLOWED_MILLISECONDS} ms of an abort, at any time, and can be used afterwards`, async () => {
        const times: number[] = [];
        for (const share of ABORTED_AT) times.push(await timeAbort(tracer, share));
        times.sort((a, b) => a - b);
        const shown = times.map((time) => time.toFixed(1)).join(', ');
        expect(times[Math.floor(times.length / 2)], shown).to.be.below(ALLOWED_MILLISECONDS);
        expect(times.at(-1), shown).to.be.below(BUSY_MILLISECONDS);
        const again = await tracer.calculateHiddenFlow(PROMPT, { subject: SUBJECT, samples: 2 });
        requireEqualScores(again, expected);
      });

      for (const kind of LAYER_KINDS) {
        it(`reports progress for ${kind} that only rises and ends at its total`, async () => {
          for (const batchSize of [1, 'auto'] as const) {
            const seen: TraceProgress[] = [];
            const flow = await tracer.calculateHiddenFlow(PROMPT, {
              ...{ subject: SUBJECT, samples: 2, kind, window: 3, startLayer: 1, batchSize },
              onProgress: (progress) => {
                seen.push(progress);
              },
            });
            const total = 1 + 2 * (1 + flow.inputIds.length * (tracer.layerCount - 1));
            expect(seen.map((progress) => progress.total)).to.deep.equal(seen.map(() => total));
            for (const [i, { done }] of seen.slice(1).entries()) expect(done).to.be.above(seen[i]!.done);
            expect(seen.at(-1)).to.deep.equal({ done: total, total });
            expect(seen.length, `${batchSize}`).to.be.above(2);
          }
        });
      }
    });
  }
}

describe('two tracers at once', function () {
  this.timeout(120_000);
  for (const engine of ['incremental', 'layers', 'full'] as const) {
    it(`give with the ${engine} engine the numbers of one after the other`, async () => {
      const tracers = await Promise.all(DEMO_MODELS.map((model) => load(model, engine)));
      const jobs = tracers.flatMap((tracer) => LAYER_KINDS.map((kind) => ({ tracer, kind })));
      const trace = ({ tracer, kind }: (typeof jobs)[number]): Promise<HiddenFlow> =>
        tracer.calculateHiddenFlow(PROMPT, { subject: SUBJECT, samples: 4, kind, window: 3 });
      const alone: HiddenFlow[] = [];
      for (const job of jobs) alone.push(await trace(job));
      const together = await Promise.all(jobs.map(trace));
      for (const tracer of tracers) tracer.dispose();
      for (const [i, flow] of together.entries()) {
        requireEqualScores(flow, alone[i]!);
        expect(flow.provenance).to.deep.equal(alone[i]!.provenance);
      }
      // The two models differ, so that a mix-up would show.
      expect(Math.abs(alone[0]!.lowScore - alone[3]!.lowScore)).to.be.above(1e-4);
    });
  }
});
