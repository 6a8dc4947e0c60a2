import { expect } from 'chai';
import { isQuick } from '../../scripts/setup/quick.mjs';
import { CausalTracer, CausalTracerError, type EngineRequest } from '../../src/index.js';
import type { NativeTraceResult } from '../../src/native/binding.js';
import { Comparison } from '../parity/comparison.js';
import {
  conformanceModelFolder,
  makeConformanceModels,
  type ConformanceFamily,
} from './conformance-models.js';
import { drawTrace, randomNumbers, seedOf, type RandomTrace } from './random-traces.js';

/** Both can be set, for longer runs and to repeat a failure. */
const SEED = Number(process.env['CAUSAL_TRACER_TEST_SEED'] ?? 1);
const LEAST_CASES = Number(process.env['CAUSAL_TRACER_TEST_CASES'] ?? (isQuick() ? 100 : 500));
const LEAST_FAMILIES = isQuick() ? 4 : 8;
/** One trace of so many tests the layers engine in place of the fastest one. */
const LAYERS_EVERY = 5;

const { families } = await makeConformanceModels();
const exported = families.filter(({ refused }) => !refused);
// More than the least, for the traces of the layers engine and for families that have no incremental one.
const casesOfEach = Math.ceil((1.6 * LEAST_CASES) / exported.length);
const total = new Comparison();
/** How many traces of each family each engine ran. */
const counts = new Map<string, Map<string, number>>();

describe(`engines equal the whole model on random traces (seed ${SEED})`, () => {
  for (const family of exported) {
    it(`${family.name}, ${casesOfEach} traces`, async function () {
      this.timeout(120_000 + casesOfEach * 1000);
      using fastest = await load(family, 'auto');
      using layers = await loadIfProven(family, 'layers');
      using full = await load(family, 'full');
      for (let i = 0; i < casesOfEach; i += 1) {
        const tested = layers !== null && i % LAYERS_EVERY === 1 ? layers : fastest;
        await checkCase(family, i, tested, full);
      }
    });
  }

  it(`the incremental one at least ${LEAST_CASES} times, on ${LEAST_FAMILIES} families`, () => {
    const incremental = [...counts].filter(([, engines]) => engines.get('incremental') !== undefined);
    expect(incremental).to.have.length.of.at.least(LEAST_FAMILIES);
    expect(countOf('incremental')).to.be.at.least(LEAST_CASES);
  });

  after(() => {
    const tested = ['incremental', 'layers', 'full']
      .map((engine) => `${countOf(engine)} ${engine}`)
      .join(', ');
    process.stdout.write(
      `    Traces by engine: ${tested}; largest difference of scores: ${total.scores.toString()}\n`,
    );
  });
});

function load(family: ConformanceFamily, engine: EngineRequest): Promise<CausalTracer> {
  return CausalTracer.load(conformanceModelFolder(family), { threads: 1, engine });
}

async function loadIfProven(family: ConformanceFamily, engine: EngineRequest): Promise<CausalTracer | null> {
  try {
    return await load(family, engine);
  } catch (error) {
    if (error instanceof CausalTracerError && error.code === 'ENGINE_NOT_PROVEN') return null;
    throw error;
  }
}

async function checkCase(
  family: ConformanceFamily,
  index: number,
  tested: CausalTracer,
  full: CausalTracer,
): Promise<void> {
  const shape = { layers: full.layerCount, vocabularySize: full.model.vocabularySize, noise: full.noise };
  const drawn = drawTrace(randomNumbers(seedOf(SEED, family.name, index)), shape);
  const comparison = new Comparison();
  const found = await trace(tested, drawn);
  comparison.equal('engine', found.engine, tested.engines.get(drawn.kind)?.engine);
  compareResults(comparison, found, await trace(full, drawn));
  total.include(comparison, family.name);
  count(family, found.engine);
  try {
    comparison.requireNone();
  } catch (cause) {
    const request = { ...drawn.request, inputIds: [...drawn.request.inputIds] };
    throw new Error(
      `Trace ${index} of ${family.name} with CAUSAL_TRACER_TEST_SEED=${SEED}: engine ${found.engine}, ` +
        `${drawn.kind}, ${JSON.stringify(request)}\n${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

function count({ name }: ConformanceFamily, engine: string): void {
  const engines = counts.get(name) ?? new Map<string, number>();
  engines.set(engine, (engines.get(engine) ?? 0) + 1);
  counts.set(name, engines);
}

function countOf(engine: string): number {
  return [...counts.values()].reduce((sum, engines) => sum + (engines.get(engine) ?? 0), 0);
}

function trace(
  { model, layerConfig }: CausalTracer,
  { kind, request }: RandomTrace,
): Promise<NativeTraceResult> {
  const layerModules = model.layerModuleNames(kind);
  return model.trace({ ...request, layerModules, embeddingModule: layerConfig.embeddingLayer });
}

function compareResults(comparison: Comparison, found: NativeTraceResult, expected: NativeTraceResult): void {
  comparison.equal('reference engine', expected.engine, 'full');
  comparison.equal('answer', found.answerId, expected.answerId);
  comparison.score('lowScore', found.lowScore, expected.lowScore);
  comparison.score('highScore', found.highScore, expected.highScore);
  comparison.scoreRows('scores', [[...found.scores]], [[...expected.scores]]);
  const modules = Object.keys(expected.layerOutputs ?? {});
  comparison.equal('layers', Object.keys(found.layerOutputs ?? {}), modules);
  for (const module of modules) {
    const [a, b] = [found.layerOutputs?.[module], expected.layerOutputs?.[module]];
    comparison.equal(`shape of ${module}`, a?.shape, b?.shape);
    const scale = Math.max(1, ...(b?.data ?? []).map(Math.abs));
    comparison.scoreRows(
      module,
      [[...(a?.data ?? [])].map((x) => x / scale)],
      [[...(b?.data ?? [])].map((x) => x / scale)],
    );
  }
}
