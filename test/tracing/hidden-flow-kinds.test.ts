import { expect } from 'chai';
import { CausalTracer, type TracedKind, type TraceProgress } from '../../src/index.js';
import type { NativeTraceRequest } from '../../src/native/binding.js';
import { expectError } from '../support/errors.js';
import { requireEqualScores } from '../support/flows.js';
import { modelFolder, TINY_MODELS } from '../support/models.js';

const PROMPT = 'The mother tongue of Marie Curie was';
const OTHER_PROMPT = 'The Golden Gate Bridge is in';
const KINDS: readonly TracedKind[] = [
  { kind: 'attention', window: 2 },
  { kind: 'hidden' },
  { kind: 'mlp', window: 3 },
  { kind: 'mlp', window: 1 },
];

/** Has the tracer say which prompts it hands on together, by their lengths. */
function recordTogether(tracer: CausalTracer): number[][] {
  const together: number[][] = [];
  const { model } = tracer;
  const traceMany = model.traceMany.bind(model);
  model.traceMany = (requests: readonly NativeTraceRequest[], options) => {
    together.push(requests.map(({ inputIds }) => inputIds.length));
    return traceMany(requests, options);
  };
  return together;
}

describe('several kinds of one prompt', () => {
  for (const name of TINY_MODELS) {
    it(`give on ${name} what each kind gives alone`, async () => {
      using tracer = await CausalTracer.load(modelFolder(name), { threads: 1 });
      const options = {
        subject: 'Marie Curie',
        samples: 3,
        patchSeed: 4,
        startLayer: 1,
        answerIdOverride: 9,
      };
      const together = recordTogether(tracer);
      const flows = await tracer.calculateHiddenFlowKinds(PROMPT, KINDS, options);
      expect(together.map((requests) => requests.length)).to.deep.equal([KINDS.length]);
      expect(flows).to.have.length(KINDS.length);
      for (const [i, traced] of KINDS.entries()) {
        const alone = await tracer.calculateHiddenFlow(PROMPT, { ...options, ...traced });
        const { scores, lowScore, highScore, ...rest } = flows[i]!;
        expect({ ...alone, ...rest }).to.deep.equal(alone);
        requireEqualScores({ ...rest, scores, lowScore, highScore }, alone);
      }
      expect(flows.map(({ kind, window }) => ({ kind, window }))).to.deep.equal(
        KINDS.map(({ kind, window = 1 }) => ({ kind, window })),
      );
    });
  }

  describe('on tiny-gpt2', () => {
    let tracer: CausalTracer;
    before(async () => {
      tracer = await CausalTracer.load(modelFolder('tiny-gpt2'), { threads: 1 });
    });
    after(() => {
      tracer.dispose();
    });

    it('have one progress over all, which only rises and ends at its total', async () => {
      const seen: TraceProgress[] = [];
      const flows = await tracer.calculateHiddenFlowKinds(PROMPT, KINDS, {
        samples: 3,
        batchSize: 4,
        onProgress: (progress) => {
          seen.push(progress);
        },
      });
      const tokens = flows[0]!.inputIds.length;
      const total = KINDS.length * (1 + 3 * (1 + tokens * tracer.layerCount));
      expect(seen.map((progress) => progress.total)).to.deep.equal(seen.map(() => total));
      expect(seen.length).to.be.above(2 * KINDS.length);
      seen.slice(1).forEach(({ done }, i) => {
        expect(done).to.be.above(seen[i]!.done);
      });
      expect(seen.at(-1)!.done).to.equal(total);
    });

    it('are all checked before any is run, and a message names the one that is wrong', async () => {
      let progress = 0;
      const options = {
        onProgress: () => {
          progress += 1;
        },
      };
      const call = (kinds: unknown, more: object = {}): Promise<unknown> =>
        tracer.calculateHiddenFlowKinds(PROMPT, kinds as TracedKind[], { ...options, ...more });
      await expectError(() => call('hidden'), 'INVALID_OPTION', 'kinds must be an array');
      await expectError(
        () => call([KINDS[0], 'mlp']),
        'INVALID_OPTION',
        'kinds[1]: ',
        '{ kind, window? }',
        '"mlp"',
      );
      await expectError(() => call([null]), 'INVALID_OPTION', 'kinds[0]: ', 'null');
      await expectError(
        () => call([{ kind: 'mlp' }, { kind: 'heads' }]),
        'UNKNOWN_KIND',
        'kinds[1]: ',
        '"heads"',
      );
      await expectError(() => call([{ window: 3 }]), 'UNKNOWN_KIND', 'kinds[0]: ');
      await expectError(
        () => call([{ kind: 'mlp', window: 0 }]),
        'INVALID_OPTION',
        'kinds[0]: window must be',
      );
      for (const [wrong, code, message] of [
        [{ samples: 0 }, 'INVALID_OPTION', 'samples must be'],
        [{ endLayer: 9 }, 'LAYER_RANGE_INVALID', 'startLayer is 0'],
        [{ subject: 'Pierre' }, 'SUBJECT_NOT_FOUND', 'The subject "Pierre"'],
      ] as const) {
        const error = await expectError(() => call(KINDS, wrong), code);
        expect(error.message.startsWith(message), error.message).to.equal(true);
      }
      expect(progress).to.equal(0);
    });

    it('can be none', async () => {
      expect(await tracer.calculateHiddenFlowKinds(PROMPT, [])).to.deep.equal([]);
    });

    it('stop in the middle when aborted, with the reason, and leave the tracer usable', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const seen: TraceProgress[] = [];
      const call = tracer.calculateHiddenFlowKinds(PROMPT, KINDS, {
        signal: controller.signal,
        onProgress: (progress) => {
          seen.push(progress);
          if (progress.done > progress.total / 2) controller.abort(reason);
        },
      });
      expect(await call.catch((error: unknown) => error)).to.equal(reason);
      expect(seen.at(-1)!.done).to.be.below(seen.at(-1)!.total);
      const [flow] = await tracer.calculateHiddenFlowKinds(PROMPT, KINDS);
      expect(flow!.kind).to.equal('attention');
    });

    it('fail with DISPOSED once the model is gone', async () => {
      const other = await CausalTracer.load(modelFolder('tiny-gpt2'), { threads: 1 });
      other.dispose();
      await expectError(() => other.calculateHiddenFlowKinds(PROMPT, []), 'DISPOSED');
    });

    it('go to the engine together, as equal prompts of one call do, with results in the order asked for', async () => {
      using other = await CausalTracer.load(modelFolder('tiny-gpt2'), { threads: 1 });
      const together = recordTogether(other);
      const queries = [
        { text: PROMPT, subject: 'Marie Curie' },
        OTHER_PROMPT,
        { text: PROMPT, subject: 'Curie', overrideAnswerId: 5 },
        OTHER_PROMPT,
      ];
      const flows = await other.calculateHiddenFlows(queries, { samples: 2 });
      const [length, otherLength] = [flows[0]!.inputIds.length, flows[1]!.inputIds.length];
      expect(together).to.deep.equal([
        [length, length],
        [otherLength, otherLength],
      ]);
      const subjects = flows.map(({ provenance, answerId }) => [provenance.subject, answerId === 5]);
      expect(subjects[0]).to.deep.equal(['Marie Curie', false]);
      expect(subjects[2]).to.deep.equal(['Curie', true]);
      requireEqualScores(flows[1]!, await tracer.calculateHiddenFlow(OTHER_PROMPT, { samples: 2 }));
      requireEqualScores(flows[3]!, flows[1]!);
      const second = { samples: 2, subject: 'Curie', answerIdOverride: 5 };
      requireEqualScores(flows[2]!, await tracer.calculateHiddenFlow(PROMPT, second));
    });
  });
});
