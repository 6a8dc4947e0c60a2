// @ts-check
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { findTorchFolder, OwnProcess, ReferenceProcess } from '../bench/processes.mjs';
import { makePrompt } from '../bench/prompts.mjs';
import { ensureModel, gpt2Shape, quickGpt2Shape, describeShape } from '../bench/shapes.mjs';
import { median } from '../bench/statistics.mjs';
import { projectRoot } from '../setup/paths.mjs';
import { say } from '../setup/run.mjs';
import { describeGpu, GpuMemoryHolder, usedMemory } from './gpu-memory.mjs';

/** @typedef {{ name: string, passed: boolean, detail: string }} Outcome */
/** @typedef {import('../../src/index.js').HiddenFlow} HiddenFlow */

/** Between processors whose kernels add in other orders. */
const TOLERANCE = 1e-4;
const REPEATS = 3;
const THREADS = 8;

/** @type {readonly { kind: 'hidden' | 'mlp' | 'attention', window: number }[]} */
const KINDS = [
  { kind: 'hidden', window: 1 },
  { kind: 'mlp', window: 3 },
  { kind: 'attention', window: 3 },
];

/** GPT-2 medium. */
const mediumShape = { ...gpt2Shape, layers: 24, width: 1024, heads: 16, keyValueHeads: 16, inner: 4096 };

/**
 * @param {{ python: string, quick: boolean }} options
 * @returns {Promise<number>} how many checks failed
 */
export async function runGpuCheck({ python, quick }) {
  const torchFolder = findTorchFolder(python);
  // For the processes below, and for this one's own use of the package.
  process.env['CAUSAL_TRACER_LIBTORCH'] = torchFolder;
  const places = { python, torchFolder };
  say(`GPU: ${describeGpu()}`);
  const shape = quick ? quickGpt2Shape : mediumShape;
  say(describeShape(shape));
  const folder = await ensureModel(shape, python);
  /** @type {Outcome[]} */
  const outcomes = [];
  for (const name of ['demo-gpt2', 'demo-llama']) {
    const model = path.join(projectRoot, 'models', name);
    outcomes.push(await attempt(`parity of ${name}`, () => checkParity(model, places, demoTask)));
  }
  outcomes.push(await attempt('parity of the random model', () => checkParity(folder, places, benchTask)));
  outcomes.push(await attempt('speed', () => checkSpeed(folder, places)));
  outcomes.push(await attempt('memory runs out', () => checkFullMemory(folder, places)));
  for (const { name, passed, detail } of outcomes) {
    process.stdout.write(`${passed ? 'ok    ' : 'FAILED'} ${name}: ${detail}\n`);
  }
  const failed = outcomes.filter(({ passed }) => !passed).length;
  process.stdout.write(`${outcomes.length - failed} passed, ${failed} failed\n`);
  return failed;
}

/**
 * @param {string} name
 * @param {() => Promise<{ passed: boolean, detail: string }>} check
 * @returns {Promise<Outcome>}
 */
async function attempt(name, check) {
  say(`${name} ...`);
  try {
    return { name, ...(await check()) };
  } catch (error) {
    return { name, passed: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** @returns {Promise<typeof import('../../src/index.js')>} the package itself, as it was built */
async function importLibrary() {
  return import(pathToFileURL(path.join(projectRoot, 'dist', 'index.js')).href);
}

/** @typedef {{ prompt: string, subject: string, samples: number }} Task */
/** @typedef {{ python: string, torchFolder: string }} Places */

/** @returns {Promise<Task>} */
async function demoTask() {
  return Promise.resolve({
    prompt: 'The capital of Italy is the city of',
    subject: 'Italy',
    samples: 5,
  });
}

/**
 * @param {string} folder
 * @returns {Promise<Task>}
 */
async function benchTask(folder) {
  const { Tokenizer } = await importLibrary();
  const { text, subject } = makePrompt(await Tokenizer.load(folder), 11, [0, 4]);
  return { prompt: text, subject, samples: 10 };
}

/**
 * Traces of all kinds on the CPU and on the GPU.
 * @param {string} folder
 * @param {Places} places
 * @param {(folder: string) => Promise<Task>} makeTask
 */
async function checkParity(folder, { torchFolder }, makeTask) {
  const { prompt, subject, samples } = await makeTask(folder);
  const request = { prompt, kinds: [...KINDS], options: { subject, samples } };
  const [onCpu, onGpu] = [
    await traceOn('cpu', torchFolder, folder, request),
    await traceOn('cuda', torchFolder, folder, request),
  ];
  const differences = onCpu.map((flow, i) => largestDifference(flow, onGpu[i]));
  const largest = Math.max(...differences);
  const engines = [...new Set(onGpu.map((flow) => flow.provenance.engine))].join(', ');
  return {
    // Written so that NaN fails.
    passed: largest <= TOLERANCE && onGpu.every((flow) => flow.provenance.device.startsWith('cuda')),
    detail: `largest difference of a score ${largest.toExponential(1)} (allowed ${TOLERANCE}); engine on the GPU: ${engines}`,
  };
}

/**
 * @param {string} device
 * @param {string} torchFolder
 * @param {string} folder
 * @param {import('../bench/trace-server.mjs').TraceRequest} request
 */
async function traceOn(device, torchFolder, folder, request) {
  const own = new OwnProcess(torchFolder, folder, { device, threads: THREADS });
  try {
    await own.loaded();
    return (await own.trace(request)).flows;
  } finally {
    own.close();
  }
}

/**
 * @param {HiddenFlow} flow
 * @param {{ scores: readonly (readonly number[])[], lowScore: number, highScore: number } | undefined} other
 */
function largestDifference(flow, other) {
  const values = [flow.lowScore, flow.highScore, ...flow.scores.flat()];
  const others = other === undefined ? [] : [other.lowScore, other.highScore, ...other.scores.flat()];
  return Math.max(...values.map((value, i) => Math.abs(value - (others[i] ?? Number.NaN))));
}

/**
 * Against the Python package on the same GPU, in turns.
 * @param {string} folder
 * @param {Places} places
 */
async function checkSpeed(folder, { python, torchFolder }) {
  const { prompt, subject, samples } = await benchTask(folder);
  const own = new OwnProcess(torchFolder, folder, { device: 'cuda', threads: THREADS });
  const reference = new ReferenceProcess(python, folder, THREADS, 'cuda');
  try {
    const { loadSeconds } = await own.loaded();
    await reference.versions();
    /** @type {{ own: number[], reference: number[] }} */
    const seconds = { own: [], reference: [] };
    let difference = 0;
    let memory = 0;
    // The first of each warms up and is not counted.
    for (let repeat = 0; repeat <= REPEATS; repeat += 1) {
      const ours = await own.trace({
        prompt,
        kinds: [{ kind: 'hidden', window: 1 }],
        options: { subject, samples },
      });
      memory = Math.max(memory, usedMemory());
      const theirs = await reference.trace(prompt, { subject, samples, kind: 'hidden' });
      if (repeat > 0) {
        seconds.own.push(ours.seconds);
        seconds.reference.push(theirs.seconds);
      }
      const [flow] = ours.flows;
      difference = flow === undefined ? Number.NaN : Math.max(difference, largestDifference(flow, theirs));
    }
    const [ours, theirs] = [median(seconds.own), median(seconds.reference)];
    return {
      passed: difference <= TOLERANCE && ours < theirs,
      detail:
        `hidden, 11 tokens, ${samples} samples: ${ours.toFixed(2)} s, the Python package ${theirs.toFixed(2)} s, ` +
        `ratio ${(theirs / ours).toFixed(1)}; largest difference ${difference.toExponential(1)}; ` +
        `loaded in ${loadSeconds.toFixed(1)} s; GPU memory in use with both ${(memory / 2 ** 20).toFixed(0)} MiB`,
    };
  } finally {
    own.close();
    reference.close();
  }
}

/**
 * With almost all memory taken: a batch size of the caller's own fails with a typed error and leaves the tracer usable;
 * an automatic one gets through with the same result.
 * @param {string} folder
 * @param {Places} places
 */
async function checkFullMemory(folder, { python }) {
  const { CausalTracer, CausalTracerError } = await importLibrary();
  const { prompt, subject } = await benchTask(folder);
  const tracer = await CausalTracer.load(folder, { device: 'cuda', engine: 'full' });
  const options = { subject, samples: 10 };
  const expected = await tracer.calculateHiddenFlow(prompt, options);
  const holder = await GpuMemoryHolder.take(python, 400 * 2 ** 20);
  try {
    let code = 'none';
    try {
      await tracer.calculateHiddenFlow(prompt, { ...options, samples: 200, batchSize: 20_000 });
    } catch (error) {
      code = error instanceof CausalTracerError ? error.code : String(error);
    }
    const flow = await tracer.calculateHiddenFlow(prompt, options);
    const difference = largestDifference(expected, flow);
    return {
      passed: code === 'OUT_OF_MEMORY' && difference <= TOLERANCE,
      detail: `a batch of 20,000 rows: ${code}; an automatic one afterwards: largest difference ${difference.toExponential(1)}`,
    };
  } finally {
    holder.close();
    tracer.dispose();
  }
}
