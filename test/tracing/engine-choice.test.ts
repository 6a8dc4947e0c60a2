import { expect } from 'chai';
import {
  CausalTracer,
  LAYER_KINDS,
  parseHiddenFlow,
  type EngineRequest,
  type KernelRequest,
} from '../../src/index.js';
import { expectError } from '../support/errors.js';
import { requireEqualScores } from '../support/flows.js';
import { modelFolder, TINY_MODELS } from '../support/models.js';
import { warningsOf } from '../support/process-warnings.js';
import { runtimeWithEngines } from '../support/stepped-down.js';

const PROMPT = 'The mother tongue of Marie Curie was';
const OPTIONS = { subject: 'Marie Curie', samples: 3, window: 2 } as const;

describe('the engine of a tracer', () => {
  for (const name of TINY_MODELS) {
    it(`is the incremental one on ${name} unless asked otherwise, and gives the numbers of the whole model`, async () => {
      const warnings = await warningsOf(async () => {
        using fast = await CausalTracer.load(modelFolder(name), { threads: 1 });
        using full = await CausalTracer.load(modelFolder(name), { threads: 1, engine: 'full' });
        for (const kind of LAYER_KINDS) {
          expect(fast.engines.get(kind)).to.deep.equal({ engine: 'incremental', reason: null });
          expect(full.engines.get(kind)).to.deep.equal({ engine: 'full', reason: null });
          const found = await fast.calculateHiddenFlow(PROMPT, { ...OPTIONS, kind });
          const expected = await full.calculateHiddenFlow(PROMPT, { ...OPTIONS, kind });
          expect(found.provenance).to.include({ engine: 'incremental', engineReason: null });
          expect(expected.provenance).to.include({ engine: 'full', engineReason: null });
          requireEqualScores(found, expected);
        }
      });
      expect(warnings).to.deep.equal([]);
    });
  }

  it('gives the same numbers with the default kernels', async () => {
    using tracer = await CausalTracer.load(modelFolder('tiny-llama'), { threads: 1 });
    using plain = await CausalTracer.load(modelFolder('tiny-llama'), { threads: 1, kernels: 'default' });
    requireEqualScores(
      await plain.calculateHiddenFlow(PROMPT, OPTIONS),
      await tracer.calculateHiddenFlow(PROMPT, OPTIONS),
    );
  });

  it('must be one that there is, and so must the kernels', async () => {
    const folder = modelFolder('tiny-gpt2');
    for (const [engine, shown] of [
      ['fast', '"fast"'],
      ['', '""'],
      [3, '3'],
    ] as const) {
      await expectError(
        () => CausalTracer.load(folder, { engine: engine as unknown as EngineRequest }),
        'INVALID_OPTION',
        `engine must be "auto", "incremental", "layers" or "full", not ${shown}.`,
      );
    }
    await expectError(
      () => CausalTracer.load(folder, { kernels: 'mkl' as KernelRequest }),
      'INVALID_OPTION',
      'kernels must be "auto" or "default", not "mkl".',
    );
  });

  it('says once, and in every result, why it is not the fastest', async () => {
    const folder = modelFolder('tiny-gpt2');
    const runtime = runtimeWithEngines(({ engine, kinds }) => {
      expect(engine).to.equal('auto');
      expect(kinds.map(({ layerModules }) => layerModules.length)).to.deep.equal([5, 5, 5]);
      return [
        { engine: 'full', reason: 'its attention is not causal' },
        { engine: 'incremental', reason: '' },
        { engine: 'full', reason: 'its attention is not causal' },
      ];
    });
    const warnings = await warningsOf(async () => {
      using tracer = await CausalTracer.loadOn(runtime, folder, { threads: 1 });
      for (const kind of LAYER_KINDS) {
        const flow = await tracer.calculateHiddenFlow(PROMPT, { samples: 1, kind });
        const reason = kind === 'mlp' ? null : 'its attention is not causal';
        expect(flow.provenance.engineReason).to.equal(reason);
        expect(parseHiddenFlow(JSON.parse(JSON.stringify(flow)))).to.deep.equal(flow);
      }
    });
    expect(warnings.map(({ name, code }) => [name, code])).to.deep.equal([
      ['CausalTracerWarning', 'ENGINE_STEPPED_DOWN'],
    ]);
    expect(warnings[0]!.message).to.equal(
      `${folder} is traced more slowly than other models are: hidden, attention by the engine "full", since a faster ` +
        'one cannot be used: its attention is not causal. The results are the same.',
    );
  });

  it('is refused when it is asked for and does not prove itself', async () => {
    const runtime = runtimeWithEngines(({ engine }) => {
      expect(engine).to.equal('incremental');
      throw Object.assign(new Error('The incremental engine cannot be used.'), { code: 'ENGINE_NOT_PROVEN' });
    });
    await expectError(
      () => CausalTracer.loadOn(runtime, modelFolder('tiny-gpt2'), { engine: 'incremental' }),
      'ENGINE_NOT_PROVEN',
      'cannot be used',
    );
  });

  it('is not chosen for a kind that has no module in some layer, which only fails when it is traced', async () => {
    const folder = modelFolder('tiny-gpt2');
    using whole = await CausalTracer.load(folder, { threads: 1 });
    const mlpLayersMatcher = (layer: number): string =>
      `transformer.h.${layer}.${layer === 3 ? 'no' : 'mlp'}`;
    const layerConfig = { ...whole.layerConfig, mlpLayersMatcher };
    using tracer = await CausalTracer.load(folder, { threads: 1, layerConfig });
    expect([...tracer.engines.keys()]).to.deep.equal(['hidden', 'attention']);
    await expectError(
      () => tracer.calculateHiddenFlow(PROMPT, { kind: 'mlp' }),
      'MODULE_NOT_FOUND',
      'transformer.h.3.no',
    );
    const flow = await tracer.calculateHiddenFlow(PROMPT, { ...OPTIONS, kind: 'attention' });
    expect(flow.provenance).to.include({ engine: 'incremental', engineReason: null });
    requireEqualScores(flow, await whole.calculateHiddenFlow(PROMPT, { ...OPTIONS, kind: 'attention' }));
  });
});
