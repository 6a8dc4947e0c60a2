import { expect } from 'chai';
import { CausalTracer, parseHiddenFlow, type HiddenFlow, type LayerKind } from '../../src/index.js';
import { expectError } from '../support/errors.js';
import { modelFolder, TINY_MODELS } from '../support/models.js';

const PROMPT = 'The mother tongue of Marie Curie was';
const SUBJECT = 'Marie Curie';

function largestDifference(a: HiddenFlow, b: HiddenFlow): number {
  return Math.max(
    ...a.scores.flatMap((row, token) =>
      row.map((score, layer) => Math.abs(score - b.scores[token]![layer]!)),
    ),
  );
}

for (const name of TINY_MODELS) {
  describe(`CausalTracer on ${name}`, () => {
    let tracer: CausalTracer;
    before(async () => {
      tracer = await CausalTracer.load(modelFolder(name), { threads: 1 });
    });
    after(() => {
      tracer.dispose();
    });

    it('gives a flow that holds all that is needed to repeat it, and survives JSON', async () => {
      const options = { subject: SUBJECT, kind: 'mlp', window: 3, samples: 4, patchSeed: 7 } as const;
      const flow = await tracer.calculateHiddenFlow(PROMPT, options);
      const ids = tracer.tokenizer.encode(PROMPT);
      expect(flow.inputIds).to.deep.equal(ids);
      expect(flow.inputTokens).to.deep.equal(tracer.tokenizer.decodeTokens(ids));
      expect(flow.inputTokens.slice(...flow.subjectRange).join('')).to.include('Curie');
      expect(flow.scores).to.have.length(ids.length);
      expect(flow.scores.every((row) => row.length === tracer.layerCount)).to.equal(true);
      expect(flow.answer).to.equal(tracer.tokenizer.decodeToken(flow.answerId));
      expect(flow).not.to.have.property('layerOutputs');
      expect(flow.provenance).to.include({
        prompt: PROMPT,
        subject: SUBJECT,
        samples: 4,
        patchSeed: 7,
        noise: tracer.noise,
        startLayer: 0,
        endLayer: tracer.layerCount,
        patchSubjectTokensOnly: false,
        device: 'cpu',
        dtype: 'float32',
        family: tracer.model.manifest?.family,
        modelSha256: tracer.model.sha256,
      });
      const copy: unknown = JSON.parse(JSON.stringify(flow));
      expect(copy).to.deep.equal(flow);
      expect(parseHiddenFlow(copy)).to.deep.equal(flow);
      const { prompt, ...repeat } = flow.provenance;
      const again = await tracer.calculateHiddenFlow(prompt, {
        ...repeat,
        kind: flow.kind,
        window: flow.window,
      });
      expect(again).to.deep.equal(flow);
    });

    it('restores the clean answer at the last layer of the last token', async () => {
      const flow = await tracer.calculateHiddenFlow(PROMPT, { subject: SUBJECT });
      expect(flow.scores.at(-1)!.at(-1)).to.be.closeTo(flow.highScore, 1e-6);
      expect(Math.abs(flow.lowScore - flow.highScore)).to.be.above(1e-3);
    });

    it('changes nothing without noise', async () => {
      const calm = await CausalTracer.load(modelFolder(name), { noise: 0, threads: 1 });
      const flow = await calm.calculateHiddenFlow(PROMPT, { subject: SUBJECT, samples: 2 });
      calm.dispose();
      expect(flow.provenance.noise).to.equal(0);
      expect(flow.lowScore).to.be.closeTo(flow.highScore, 1e-6);
      for (const score of flow.scores.flat()) expect(score).to.be.closeTo(flow.highScore, 1e-6);
    });

    it('gives the same scores in batches of 1, 7, 32 and of its own choice', async () => {
      const flows: HiddenFlow[] = [];
      for (const batchSize of [1, 7, 32, 'auto'] as const) {
        flows.push(
          await tracer.calculateHiddenFlow(PROMPT, {
            subject: SUBJECT,
            samples: 3,
            kind: 'attention',
            batchSize,
          }),
        );
      }
      const [one, ...others] = flows;
      for (const other of others) {
        expect(largestDifference(one!, other)).to.be.below(1e-6);
        expect(other.lowScore).to.be.closeTo(one!.lowScore, 1e-6);
      }
    });

    it('holds the low score in cells that were not asked for, and equals the whole flow elsewhere', async () => {
      const whole = await tracer.calculateHiddenFlow(PROMPT, { subject: SUBJECT, samples: 3 });
      const part = await tracer.calculateHiddenFlow(PROMPT, {
        subject: SUBJECT,
        samples: 3,
        startLayer: 1,
        endLayer: 3,
        patchSubjectTokensOnly: true,
      });
      const [start, end] = part.subjectRange;
      part.scores.forEach((row, token) => {
        row.forEach((score, layer) => {
          const asked = token >= start && token < end && layer >= 1 && layer < 3;
          if (asked) expect(score).to.be.closeTo(whole.scores[token]![layer]!, 1e-6);
          else expect(score).to.equal(part.lowScore);
        });
      });
    });

    it('measures another answer when told to', async () => {
      const flow = await tracer.calculateHiddenFlow(PROMPT, { subject: SUBJECT, samples: 1 });
      const answerIdOverride = (flow.answerId + 1) % tracer.model.vocabularySize;
      const other = await tracer.calculateHiddenFlow(PROMPT, {
        subject: SUBJECT,
        samples: 1,
        answerIdOverride,
      });
      expect(other.answerId).to.equal(answerIdOverride);
      expect(other.highScore).to.be.below(flow.highScore);
    });

    it('hands out the clean outputs of the traced modules on request', async () => {
      const flow = await tracer.calculateHiddenFlow(PROMPT, {
        subject: SUBJECT,
        samples: 1,
        kind: 'attention',
        includeLayerOutputs: true,
      });
      const outputs = flow.layerOutputs!;
      expect(Object.keys(outputs)).to.deep.equal(tracer.model.layerModuleNames('attention'));
      const base = await tracer.calculateBaseOutputs([PROMPT], { kind: 'attention' });
      for (const [module, rows] of Object.entries(outputs)) {
        const { data, shape } = base.layerOutputs[0]![module]!;
        expect(shape).to.deep.equal([rows.length, rows[0]!.length]);
        rows.flat().forEach((value, i) => {
          expect(value).to.be.closeTo(data[i]!, 1e-5);
        });
      }
      expect(parseHiddenFlow(JSON.parse(JSON.stringify(flow)))).to.deep.equal(flow);
    });

    it('traces several prompts as it traces each alone', async () => {
      const queries = [
        'The Golden Gate Bridge is in',
        { text: PROMPT, subject: 'Curie', overrideAnswerId: 5 },
        PROMPT,
      ];
      const together = await tracer.calculateHiddenFlows(queries, { samples: 2 });
      const alone = [
        await tracer.calculateHiddenFlow('The Golden Gate Bridge is in', { samples: 2 }),
        await tracer.calculateHiddenFlow(PROMPT, { samples: 2, subject: 'Curie', answerIdOverride: 5 }),
        await tracer.calculateHiddenFlow(PROMPT, { samples: 2 }),
      ];
      expect(together).to.deep.equal(alone);
      expect(await tracer.calculateHiddenFlows([])).to.deep.equal([]);
    });

    it('takes an empty subject for none', async () => {
      const flow = await tracer.calculateHiddenFlow(PROMPT, { subject: '', samples: 1 });
      expect(flow.provenance.subject).to.equal('The');
    });

    it('gives base outputs that equal those of each prompt alone', async () => {
      const prompts = [PROMPT, 'The Golden Gate Bridge is in', 'The mother tongue of Marie Curie is', PROMPT];
      const options = { kind: 'mlp', batchSize: 2, answerIdOverrides: [[2, 9]] } as const;
      const base = await tracer.calculateBaseOutputs(prompts, options);
      expect(base.answerIds).to.have.length(4);
      for (const [i, prompt] of prompts.entries()) {
        const alone = await tracer.calculateBaseOutputs([prompt], {
          kind: 'mlp',
          answerIdOverrides: i === 2 ? [[0, 9]] : [],
        });
        expect(base.answerIds[i]).to.equal(alone.answerIds[0]);
        expect(base.answers[i]).to.equal(tracer.tokenizer.decodeToken(base.answerIds[i]!));
        expect(base.baseScores[i]).to.be.closeTo(alone.baseScores[0]!, 1e-6);
        expect(base.inputIds[i]).to.deep.equal(tracer.tokenizer.encode(prompt));
        for (const [module, { data, shape }] of Object.entries(base.layerOutputs[i]!)) {
          const other = alone.layerOutputs[0]![module]!;
          expect(shape).to.deep.equal(other.shape);
          data.forEach((value, j) => {
            expect(value).to.be.closeTo(other.data[j]!, 1e-4);
          });
        }
      }
      expect(base.answerIds[2]).to.equal(9);
      const flow = await tracer.calculateHiddenFlow(PROMPT, { subject: SUBJECT, samples: 1 });
      expect(flow.answerId).to.equal(base.answerIds[0]);
      expect(flow.highScore).to.be.closeTo(base.baseScores[0]!, 1e-6);
      expect((await tracer.calculateBaseOutputs([])).answerIds).to.deep.equal([]);
    });
  });
}

describe('CausalTracer', () => {
  let tracer: CausalTracer;
  before(async () => {
    tracer = await CausalTracer.load(modelFolder('tiny-gpt2'), { threads: 1 });
  });
  afterEach(async () => {
    const { scores } = await tracer.calculateHiddenFlow(PROMPT, { samples: 1 });
    expect(scores.length, 'the tracer stays usable').to.be.above(0);
  });
  after(() => {
    tracer.dispose();
  });

  it('names layers, and refuses unknown kinds and layers', async () => {
    expect(tracer.getLayerName(2, 'attention')).to.equal('transformer.h.2.attn');
    await expectError(
      () => tracer.getLayerName(0, 'head' as LayerKind),
      'UNKNOWN_KIND',
      '"head"',
      'hidden, mlp, attention',
    );
    await expectError(() => tracer.getLayerName(5, 'mlp'), 'LAYER_RANGE_INVALID', '0 to 4');
  });

  it('shows the decoded prompt when the subject is not in it', async () => {
    await expectError(
      () => tracer.calculateHiddenFlow(PROMPT, { subject: 'Pierre' }),
      'SUBJECT_NOT_FOUND',
      '"Pierre"',
      JSON.stringify(PROMPT),
    );
  });

  it('asks for a subject where none can be guessed', async () => {
    await expectError(
      () => tracer.calculateHiddenFlow('the tower is in'),
      'SUBJECT_NOT_GUESSABLE',
      '"the tower is in"',
    );
  });

  it('refuses an empty prompt, and what is no text', async () => {
    await expectError(() => tracer.calculateHiddenFlow(''), 'EMPTY_PROMPT');
    await expectError(() => tracer.calculateBaseOutputs(['']), 'EMPTY_PROMPT', 'prompts[0]');
    await expectError(() => tracer.calculateHiddenFlow(3 as unknown as string), 'INVALID_OPTION', 'number');
    await expectError(() => tracer.calculateHiddenFlow('The \ud800 is'), 'INVALID_OPTION', 'surrogate');
    await expectError(
      () => tracer.calculateHiddenFlows('The' as unknown as string[]),
      'INVALID_OPTION',
      'array',
    );
    await expectError(
      () => tracer.calculateHiddenFlows([null] as unknown as string[]),
      'INVALID_OPTION',
      'queries[0]',
    );
  });

  it('refuses a prompt that is longer than the positions of the model', async () => {
    const long = 'A '.repeat(200);
    await expectError(() => tracer.calculateHiddenFlow(long), 'PROMPT_TOO_LONG', 'only 96 positions');
  });

  it('refuses an answer id outside the vocabulary', async () => {
    for (const id of [-1, 384, 1.5, Number.NaN]) {
      await expectError(
        () => tracer.calculateHiddenFlow(PROMPT, { answerIdOverride: id }),
        'ANSWER_ID_OUT_OF_RANGE',
        String(id),
        'from 0 to 383',
      );
    }
    await expectError(
      () => tracer.calculateBaseOutputs([PROMPT, PROMPT], { answerIdOverrides: [[1, 384]] }),
      'ANSWER_ID_OUT_OF_RANGE',
      'prompts[1]',
    );
    await expectError(
      () => tracer.calculateBaseOutputs([PROMPT], { answerIdOverrides: [[1, 3]] }),
      'INVALID_OPTION',
      'answerIdOverrides',
      'the prompt 1',
    );
  });

  it('refuses options out of range', async () => {
    await expectError(
      () => tracer.calculateHiddenFlow(PROMPT, { window: 0 }),
      'INVALID_OPTION',
      'window',
      '0',
    );
    await expectError(
      () => tracer.calculateHiddenFlow(PROMPT, { endLayer: 6 }),
      'LAYER_RANGE_INVALID',
      '5 layers',
    );
    await expectError(
      () => tracer.calculateBaseOutputs([PROMPT], { batchSize: 0 }),
      'INVALID_OPTION',
      'batchSize',
    );
    const kind = 'heads' as LayerKind;
    await expectError(() => tracer.calculateHiddenFlow(PROMPT, { kind }), 'UNKNOWN_KIND', '"heads"');
    await expectError(() => tracer.calculateBaseOutputs([PROMPT], { kind }), 'UNKNOWN_KIND', '"heads"');
    const folder = modelFolder('tiny-gpt2');
    await expectError(
      () => CausalTracer.load(folder, { noise: Number.NaN }),
      'INVALID_OPTION',
      'noise',
      'NaN',
    );
    await expectError(() => CausalTracer.load(folder, { noise: -1 }), 'INVALID_OPTION', 'noise', '-1');
  });

  it('says which of several queries is wrong, before any is run', async () => {
    let progress = 0;
    const onProgress = (): void => {
      progress += 1;
    };
    const queries = [PROMPT, { text: PROMPT, subject: 'Pierre' }];
    await expectError(
      () => tracer.calculateHiddenFlows(queries, { onProgress }),
      'SUBJECT_NOT_FOUND',
      'queries[1]',
      '"Pierre"',
    );
    expect(progress).to.equal(0);
  });

  it('refuses what is no signal, callback, list of overrides, answer or source', async () => {
    for (const wrong of [{ signal: {} }, { onProgress: 'x' }]) {
      const [name = ''] = Object.keys(wrong);
      await expectError(() => tracer.calculateHiddenFlow(PROMPT, wrong as never), 'INVALID_OPTION', name);
      await expectError(() => tracer.calculateBaseOutputs([PROMPT], wrong as never), 'INVALID_OPTION', name);
    }
    const overrides = { answerIdOverrides: [3] as never };
    await expectError(() => tracer.calculateBaseOutputs([PROMPT], overrides), 'INVALID_OPTION', 'pairs');
    await expectError(() => tracer.getAnswerId(5 as never), 'INVALID_OPTION', 'text');
    for (const source of [undefined, null, 5]) {
      await expectError(() => CausalTracer.load(source as never), 'INVALID_OPTION', 'A model is given as');
    }
  });

  it('says that memory ran out for samples beyond all memory, however many rows run at once', async () => {
    for (const samples of [1e12, 2 ** 40]) {
      await expectError(() => tracer.calculateHiddenFlow(PROMPT, { samples }), 'OUT_OF_MEMORY');
    }
  });

  it('says that memory ran out, how large the batch was, and what to lower', async () => {
    await expectError(
      () => tracer.calculateHiddenFlow(PROMPT, { samples: 1e12, batchSize: 1e9 }),
      'OUT_OF_MEMORY',
      '1000000000',
      'batchSize',
    );
  });

  it('says that the noise is too large when probabilities overflow', async () => {
    const loud = await CausalTracer.load(modelFolder('tiny-gpt2'), { noise: 1e200, threads: 1 });
    await expectError(
      () => loud.calculateHiddenFlow(PROMPT, { samples: 1 }),
      'MODEL_RUN_FAILED',
      'noise 1e+200',
    );
    loud.dispose();
  });

  it('finds the id of an answer, and names the tokens of one that is several', async () => {
    const id = tracer.getAnswerId('the');
    expect(tracer.tokenizer.decodeToken(id)).to.equal(' the');
    const error = await expectError(
      () => tracer.getAnswerId('Antananarivo'),
      'ANSWER_NOT_ONE_TOKEN',
      'tokens',
    );
    for (const token of tracer.tokenizer.encode(' Antananarivo'))
      expect(error.message).to.include(`(id ${token})`);
  });
});
