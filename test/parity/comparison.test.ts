import { expect } from 'chai';
import type { HiddenFlow } from '../../src/index.js';
import { Comparison } from './comparison.js';
import { compareFlow, requireSkippedCells } from './flow-comparison.js';
import { readGolden, requireSameWeights, type GoldenResult, type GoldenTensor } from './golden.js';

/** A golden result as if it had been found. */
function asFound(result: GoldenResult): HiddenFlow {
  return { ...result, kind: 'hidden', window: 1 } as unknown as HiddenFlow;
}

function problemsOf(found: HiddenFlow, golden: GoldenResult): readonly string[] {
  const comparison = new Comparison();
  compareFlow(comparison, found, golden);
  return comparison.problems;
}

describe('the comparison with golden numbers', () => {
  const golden = readGolden('flows', 'tiny-gpt2').flows.find((flow) => !flow.result.layerOutputs)!.result;
  const [start, end] = golden.subjectRange;

  it('finds nothing in equal results', () => {
    expect(problemsOf(asFound(golden), golden)).to.deep.equal([]);
  });

  for (const [what, changed] of Object.entries<Partial<GoldenResult>>({
    'scores[1][2]': {
      scores: golden.scores.map((row, i) => row.map((x, j) => (i === 1 && j === 2 ? x + 1.1e-5 : x))),
    },
    'shape of scores': { scores: golden.scores.slice(1) },
    lowScore: { lowScore: golden.lowScore - 1.1e-5 },
    highScore: { highScore: Number.NaN },
    answer: { answer: `${golden.answer} ` },
    answerId: { answerId: golden.answerId + 1 },
    subjectRange: { subjectRange: [start, end + 1] },
    inputIds: { inputIds: [...golden.inputIds, 0] },
    inputTokens: { inputTokens: golden.inputTokens.map((token) => token.toUpperCase()) },
  })) {
    it(`finds a changed ${what}`, () => {
      const problems = problemsOf(asFound(golden), { ...golden, ...changed });
      expect(problems[0]).to.match(new RegExp(`^${what.replaceAll(/[[\]]/g, '\\$&')}: `));
    });
  }

  it('keeps the worst difference, and lets one within the tolerance pass', () => {
    const comparison = new Comparison();
    comparison.score('a', 0.25, 0.25 + 4e-6);
    comparison.score('b', 0.25, 0.25 - 9e-6);
    expect(comparison.problems).to.deep.equal([]);
    expect(comparison.scores.worst).to.be.closeTo(9e-6, 1e-12);
    expect(comparison.scores.toString()).to.equal('9.0e-6 among 2 (b)');
    comparison.requireNone();
    comparison.score('c', undefined, 0.5);
    expect(() => {
      comparison.requireNone();
    }).to.throw('c: found undefined, golden 0.5');
  });

  describe('of a tensor', () => {
    const data = Array.from({ length: 60 }, (_unused, i) => Math.sin(i));
    const shape = [3, 4, 5];
    // Computed by scripts/parity/golden_hooks.py.
    const summary: GoldenTensor = {
      shape,
      checksum: { mean: 0.0323223217, norm: 5.46446189, projection: -0.961762852 },
      samples: [
        [0, 0],
        [59, 0.636738007],
      ],
    };

    function problems(changed: readonly number[]): readonly string[] {
      const comparison = new Comparison();
      comparison.tensor('x', { data: changed, shape }, summary);
      return comparison.problems;
    }

    it('finds nothing in an equal one', () => {
      expect(problems(data)).to.deep.equal([]);
    });

    it('finds a changed element', () => {
      expect(problems(data.map((value, i) => (i === 30 ? value + 1e-3 : value)))).to.have.length.above(0);
      expect(problems(data.map((value, i) => (i === 59 ? Number.NaN : value)))).to.have.length.above(0);
    });

    it('finds two elements that changed places', () => {
      const swapped = data.map((value, i) => (i === 20 ? data[21]! : i === 21 ? data[20]! : value));
      expect(problems(swapped).map((problem) => problem.split(' ')[0])).to.deep.equal(['projection']);
    });

    it('finds another shape', () => {
      const comparison = new Comparison();
      comparison.tensor('x', { data, shape: [60] }, summary);
      comparison.tensor('y', undefined, summary);
      expect(comparison.problems.map((problem) => problem.split(':')[0])).to.deep.equal([
        'shape of x',
        'shape of y',
      ]);
    });
  });

  it('finds a skipped cell that does not hold the low score', () => {
    const range = { startLayer: 1, endLayer: 5, tokens: [0, golden.inputIds.length] } as const;
    const flow = asFound(golden);
    const scores = flow.scores.map((row) => row.map((score, layer) => (layer < 1 ? flow.lowScore : score)));
    expect(requireSkippedCells({ ...flow, scores }, range)).to.equal(golden.inputIds.length);
    const wrong = scores.map((row, i) => (i === 2 ? row.map((score) => score + 1e-7) : row));
    expect(() => requireSkippedCells({ ...flow, scores: wrong }, range)).to.throw('[2][0]');
  });

  it('says which golden numbers must be made again when a model has changed', () => {
    expect(() => {
      requireSameWeights({ model: 'tiny-gpt2', modelSha256: 'a' }, 'b');
    }).to.throw('make_golden.py tiny-gpt2');
  });
});
