import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { projectRoot } from '../../scripts/setup/paths.mjs';
import { CausalTracer, CausalTracerError, type HiddenFlow } from '../../src/index.js';
import { fromNativeError } from '../../src/native/addon.js';
import { runConformanceScript, type ReferenceFlow } from './conformance-models.js';

type Dtype = 'float32' | 'bfloat16' | 'float16';
type Scores = Pick<HiddenFlow, 'scores' | 'lowScore' | 'highScore'>;

/** What scripts/conformance/make_dtypes.py writes of each model and dtype. */
interface DtypeRecord {
  readonly noise: number;
  /** As the package computes them: the softmax, too, is rounded to the dtype. */
  readonly flows: readonly ReferenceFlow[];
  /** The same, but with the softmax of float32 logits, as here. */
  readonly flowsOfFloat32Logits: readonly ReferenceFlow[];
}

const MODELS = ['demo-gpt2', 'demo-llama'] as const;
const DTYPES: readonly Dtype[] = ['float32', 'bfloat16', 'float16'];

/** How far a narrow dtype may lead from the float32 scores. */
const OF_FLOAT32 = 2e-2;

/** Equal logits give equal scores, up to the order of float32 sums. */
const EXACT = 1e-5;

/**
 * The formula of GPT-2's activation is eight operators, each rounded to the dtype, in Python; here it is one. Of logits of
 * up to 20 this moves the last digits, and with them scores, in the dtype's own rounding.
 */
const FUSED_ACTIVATION: Readonly<Record<Dtype, number>> = { float32: EXACT, bfloat16: 2e-2, float16: 3e-3 };

/** The package rounds the probabilities of the samples to the dtype, and then their mean: half a last digit each. */
const ROUNDED_TWICE: Readonly<Record<Dtype, number>> = { float32: 0, bfloat16: 2 ** -8, float16: 2 ** -11 };

const folder = path.join(projectRoot, 'build', 'dtypes');
const problem = await runConformanceScript('make_dtypes.py', ['--out', folder]);

function readRecord(model: string, dtype: Dtype): DtypeRecord {
  return JSON.parse(readFileSync(path.join(folder, `${model}-${dtype}.json`), 'utf8')) as DtypeRecord;
}

it('the models in every dtype can be made', () => {
  expect(problem).to.equal('');
});

for (const model of problem === '' ? MODELS : []) {
  for (const dtype of DTYPES) {
    describe(`${model} in ${dtype}`, () => {
      const record = readRecord(model, dtype);
      const float32 = readRecord(model, 'float32');
      const found: HiddenFlow[] = [];
      before(async () => {
        using tracer = await CausalTracer.load(path.join(folder, `${model}-${dtype}`), { threads: 1 });
        expect(tracer.noise).to.equal(record.noise);
        for (const { prompt, options } of record.flows) {
          found.push(await tracer.calculateHiddenFlow(prompt, options));
        }
      });

      it('gives the answers of Python, and says its dtype in every result', () => {
        expect(found.map(({ answer }) => answer)).to.deep.equal(record.flows.map(({ answer }) => answer));
        for (const { provenance } of found) expect(provenance.dtype).to.equal(dtype);
      });

      it(`gives the scores of Python in ${dtype}`, () => {
        const tolerance = model === 'demo-gpt2' ? FUSED_ACTIVATION[dtype] : EXACT;
        for (const [i, flow] of found.entries()) {
          const kind = `${flow.kind}, softmax of float32 logits`;
          expect(largestDifference(flow, record.flowsOfFloat32Logits[i]!), kind).to.be.at.most(tolerance);
          const rounded = tolerance + ROUNDED_TWICE[dtype];
          expect(largestDifference(flow, record.flows[i]!), flow.kind).to.be.at.most(rounded);
        }
      });

      it('gives the scores of float32 within 0.02', () => {
        for (const [i, flow] of found.entries()) {
          expect(largestDifference(flow, float32.flows[i]!), flow.kind).to.be.at.most(OF_FLOAT32);
        }
      });

      it('has scores that a wrong restore or wrong noise would change', () => {
        for (const { scores, lowScore, highScore, kind } of found) {
          expect(highScore - lowScore).to.be.greaterThan(0.3);
          expect(Math.max(...scores.flat()) - Math.min(...scores.flat()), kind).to.be.greaterThan(0.05);
        }
      });
    });
  }
}

describe('a dtype that the processor cannot compute in', () => {
  it('is an error that says what to do', () => {
    const native = Object.assign(
      new Error('libtorch failed while running the model: "addmm_impl_cpu_" not implemented for \'Half\'.'),
      { code: 'MODEL_RUN_FAILED' },
    );
    const error = fromNativeError(native);
    expect(error).to.be.instanceOf(CausalTracerError);
    expect(error).to.have.property('code', 'MODEL_RUN_FAILED');
    expect((error as Error).message).to.match(
      /not implemented for 'Half'\. This processor cannot compute the model in float16: export it with --dtype float32\.$/,
    );
  });
});

function largestDifference(a: Scores, b: Scores): number {
  const rows = a.scores.flatMap((row, token) =>
    row.map((score, layer) => Math.abs(score - (b.scores[token]?.[layer] ?? Number.NaN))),
  );
  return Math.max(...rows, Math.abs(a.lowScore - b.lowScore), Math.abs(a.highScore - b.highScore));
}
