import { expect } from 'chai';
import { CausalTracer } from '../../src/index.js';
import { Comparison } from './comparison.js';
import { compareFlow, compareOutcome, requireSkippedCells } from './flow-comparison.js';
import { FLOW_MODELS, goldenModelFolder, readGolden, requireSameWeights, type GoldenFlow } from './golden.js';

function describeFlow({ name, noise, options }: GoldenFlow): string {
  const parts = [`${options.kind}, window ${options.window}, ${options.samples} samples`];
  parts.push(`seed ${options.patchSeed}, batches of ${options.batchSize}`);
  parts.push(`layers ${options.startLayer} to ${options.endLayer ?? 'the last'}`);
  if (options.patchSubjectTokensOnly) parts.push('subject only');
  if (options.answerIdOverride !== undefined) parts.push(`answer ${options.answerIdOverride}`);
  if (noise !== null) parts.push(`noise ${noise}`);
  return `${name}: ${parts.join(', ')}`;
}

for (const model of FLOW_MODELS) {
  describe(`flows of ${model} equal those of the Python package`, () => {
    const golden = readGolden('flows', model);
    const total = new Comparison();
    const tracers = new Map<number | null, CausalTracer>();
    async function tracerWith(noise: number | null): Promise<CausalTracer> {
      let tracer = tracers.get(noise);
      if (tracer === undefined) {
        const options = noise === null ? {} : { noise };
        tracer = await CausalTracer.load(goldenModelFolder(model), { ...options, threads: 1 });
        tracers.set(noise, tracer);
      }
      return tracer;
    }
    before(async () => {
      const tracer = await tracerWith(null);
      requireSameWeights(golden, tracer.model.sha256);
    });
    after(() => {
      for (const tracer of tracers.values()) tracer.dispose();
    });

    it('default noise and number of layers', async () => {
      const tracer = await tracerWith(null);
      expect(tracer.noise).to.be.closeTo(golden.defaultNoise, 1e-6);
      expect(tracer.layerCount).to.equal(golden.layerCount);
    });

    for (const flow of golden.flows) {
      it(describeFlow(flow), async () => {
        const tracer = await tracerWith(flow.noise);
        const found = await tracer.calculateHiddenFlow(flow.prompt, flow.options);
        const comparison = new Comparison();
        compareFlow(comparison, found, flow.result);
        total.include(comparison, describeFlow(flow));
        comparison.requireNone();
        requireSkippedCells(found, {
          startLayer: flow.options.startLayer,
          endLayer: flow.options.endLayer ?? golden.layerCount,
          tokens: flow.options.patchSubjectTokensOnly ? found.subjectRange : [0, found.inputIds.length],
        });
      });
    }

    it('several prompts in one call', async () => {
      const tracer = await tracerWith(null);
      const { queries, options, results } = golden.batch;
      const flows = await tracer.calculateHiddenFlows(queries, options);
      expect(flows).to.have.length(results.length);
      const comparison = new Comparison();
      results.forEach((result, i) => {
        compareOutcome(comparison, flows[i]!, result);
      });
      total.include(comparison, 'several prompts');
      comparison.requireNone();
    });

    for (const expected of golden.baseOutputs) {
      it(`base outputs of ${expected.options.kind}`, async () => {
        const tracer = await tracerWith(null);
        const found = await tracer.calculateBaseOutputs(expected.prompts, expected.options);
        const comparison = new Comparison();
        comparison.equal('answerIds', found.answerIds, expected.answerIds);
        comparison.scoreRows('baseScores', [found.baseScores], [expected.baseScores]);
        expected.layerOutputs.forEach((outputs, i) => {
          comparison.equal('layers', Object.keys(found.layerOutputs[i]!), Object.keys(outputs));
          for (const [module, tensor] of Object.entries(outputs)) {
            comparison.tensor(`${module} of prompt ${i}`, found.layerOutputs[i]![module], tensor);
          }
        });
        total.include(comparison, 'base outputs');
        comparison.requireNone();
      });
    }

    it('worst differences', function () {
      expect(total.scores.compared).to.be.above(golden.flows.length * 10);
      expect(total.tensors.compared).to.be.above(golden.layerCount * 3);
      this.test!.title =
        `worst difference of scores: ${total.scores.toString()}; ` +
        `of layer outputs, relative: ${total.tensors.toString()}`;
    });
  });
}
