import { expect } from 'chai';
import { CausalTracer } from '../../src/index.js';
import { resolveTraceOptions, type TraceOptions } from '../../src/tracing/options.js';
import { countRows, planTrace, toNativeRequest } from '../../src/tracing/trace-plan.js';
import { modelFolder } from '../support/models.js';

const PROMPT = 'The mother tongue of Marie Curie was';

describe('the plan of a trace', () => {
  let tracer: CausalTracer;
  before(async () => {
    tracer = await CausalTracer.load(modelFolder('tiny-gpt2'), { threads: 1, engine: 'full' });
  });
  after(() => {
    tracer.dispose();
  });

  function requestOf(options: TraceOptions): ReturnType<typeof toNativeRequest> {
    const resolved = resolveTraceOptions(options, tracer.layerCount);
    const setting = {
      model: tracer.model,
      noise: tracer.noise,
      options: resolved,
      layerModules: tracer.model.layerModuleNames(resolved.kind),
      engineReason: null,
    };
    return toNativeRequest(planTrace({ text: PROMPT, subject: 'Marie Curie' }, setting), setting);
  }

  it('leaves the batch size to the engine unless it is given', () => {
    expect(requestOf({}).batchSize).to.equal(0);
    expect(requestOf({ batchSize: 'auto' }).batchSize).to.equal(0);
    expect(requestOf({ batchSize: 7 }).batchSize).to.equal(7);
  });

  it('counts the rows of every cell that is asked for', () => {
    const options = resolveTraceOptions(
      { samples: 4, startLayer: 1, endLayer: 3, patchSubjectTokensOnly: true },
      tracer.layerCount,
    );
    const plan = planTrace({ text: PROMPT, subject: 'Marie Curie' }, { model: tracer.model, options });
    const tokens = plan.subjectRange[1] - plan.subjectRange[0];
    expect(tokens).to.be.above(1);
    expect(plan.tokenRange).to.deep.equal(plan.subjectRange);
    expect(countRows(plan, options)).to.equal(1 + 4 * (1 + 2 * tokens));
  });
});
