import { expect } from 'chai';
import { makePrompt } from '../../scripts/bench/prompts.mjs';
import { multiplicationsPerToken, packageMultiplications, type Shape } from '../../scripts/bench/shapes.mjs';
import { fitExponent, median } from '../../scripts/bench/statistics.mjs';
import { CausalTracer } from '../../src/index.js';
import type { NativeTraceResult } from '../../src/native/binding.js';
import { modelFolder } from '../support/models.js';

/** The shapes of the models in test/fixtures, as scripts/parity/make_tiny_models.py makes them. */
const SHAPES = {
  'tiny-gpt2': {
    ...{ family: 'gpt2', layers: 5, width: 24, heads: 4, keyValueHeads: 4, inner: 96, vocabulary: 384 },
  },
  'tiny-llama': {
    ...{ family: 'llama', layers: 5, width: 24, heads: 4, keyValueHeads: 2, inner: 48, vocabulary: 448 },
  },
} satisfies Record<string, Shape>;

describe('the benchmark', () => {
  it('knows the operations of a whole forward pass', () => {
    // Attention: 4 * 24 * 24; MLP: 2 * 24 * 96; vocabulary: 24 * 384.
    expect(multiplicationsPerToken(SHAPES['tiny-gpt2'])).to.equal(5 * (2304 + 4608) + 9216);
    // Queries and output: 2 * 24 * 24; keys and values: 2 * 24 * 12; MLP: 3 * 24 * 48; vocabulary: 24 * 448.
    expect(multiplicationsPerToken(SHAPES['tiny-llama'])).to.equal(5 * (1152 + 576 + 3456) + 10752);
  });

  for (const name of ['tiny-gpt2', 'tiny-llama'] as const) {
    it(`counts for the package what the engine counts that runs all of ${name} for every cell`, async () => {
      using tracer = await CausalTracer.load(modelFolder(name), { threads: 1, engine: 'full' });
      const results: NativeTraceResult[] = [];
      const traceMany = tracer.model.traceMany.bind(tracer.model);
      tracer.model.traceMany = async (...parameters) => {
        const traced = await traceMany(...parameters);
        results.push(...traced);
        return traced;
      };
      const flow = await tracer.calculateHiddenFlow('The mother tongue of Marie Curie was', { samples: 3 });
      const size = { tokens: flow.inputIds.length, samples: 3 };
      expect(results.map(({ work }) => work.multiplications)).to.deep.equal([
        packageMultiplications(SHAPES[name], size),
      ]);
    });

    it(`makes prompts for ${name} with the subject where it is meant`, async () => {
      using tracer = await CausalTracer.load(modelFolder(name), { threads: 1 });
      const special = name === 'tiny-llama' ? 1 : 0;
      for (const [tokens, range] of [
        [11, [0, 4]],
        [40, [20, 24]],
        [64, [0, 4]],
      ] as const) {
        const prompt = makePrompt(tracer.tokenizer, tokens, [...range]);
        const start = Math.max(range[0], special);
        expect(prompt.subjectRange).to.deep.equal([start, range[1]]);
        const { text, subject } = prompt;
        const options = { subject, samples: 1, startLayer: 4, patchSubjectTokensOnly: true };
        const flow = await tracer.calculateHiddenFlow(text, options);
        expect(flow.inputIds).to.have.length(tokens);
        expect(flow.subjectRange).to.deep.equal([start, range[1]]);
      }
    });
  }

  it('takes medians, and fits exponents', () => {
    expect(median([3, 1, 2])).to.equal(2);
    expect(median([4, 1])).to.equal(2.5);
    const points = [1, 2, 5, 9].map((x) => ({ x, y: 7 * x ** 1.5 }));
    expect(fitExponent(points)).to.be.closeTo(1.5, 1e-12);
  });
});
