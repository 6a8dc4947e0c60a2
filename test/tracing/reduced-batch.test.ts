import { expect } from 'chai';
import type { NativeTraceRequest } from '../../src/native/binding.js';
import { CausalTracer } from '../../src/index.js';
import { modelFolder } from '../support/models.js';
import { warningsOf } from '../support/process-warnings.js';

const PROMPT = 'The mother tongue of Marie Curie was';

describe('a trace for which memory ran out', () => {
  it('says with how many rows it went on, and gives its result', async () => {
    using tracer = await CausalTracer.load(modelFolder('tiny-gpt2'), { threads: 1 });
    const { model } = tracer;
    const traceMany = model.traceMany.bind(model);
    model.traceMany = async (requests: readonly NativeTraceRequest[], options) => {
      const results = await traceMany(requests, options);
      return results.map((result) => ({ ...result, reducedBatchSize: 4 }));
    };
    const options = { subject: 'Marie Curie', samples: 2 };
    const warnings = await warningsOf(async () => {
      const flow = await tracer.calculateHiddenFlow(PROMPT, options);
      expect(flow.scores).to.have.length(flow.inputIds.length);
    });
    expect(warnings.map(({ code }) => code)).to.deep.equal(['BATCH_REDUCED']);
    expect(warnings[0]?.message).to.include(PROMPT).and.include('batchSize 4');
  });
});
