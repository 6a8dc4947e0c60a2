// @ts-check
import { say, SetupError } from '../setup/run.mjs';
import { KernelProcess, OwnProcess, ReferenceProcess } from './processes.mjs';
import { packageMultiplications } from './shapes.mjs';
import { median } from './statistics.mjs';

/** @typedef {import('./options.mjs').BenchOptions} BenchOptions */
/** @typedef {import('./prompts.mjs').Prompt} Prompt */
/** @typedef {import('./shapes.mjs').Shape} Shape */
/** @typedef {{ kind: 'hidden' | 'mlp' | 'attention', window: number }} TracedKind */
/** @typedef {{ title: string, prompt: Prompt, kinds: readonly TracedKind[] }} Task */

/**
 * Seconds are in the order in which they were measured; the first is that of the first trace.
 * @typedef {object} Timing
 * @property {Task} task
 * @property {number[]} packageSeconds
 * @property {number[]} ownSeconds
 * @property {number} difference largest of any score
 * @property {number} packageMultiplications
 * @property {number} ownMultiplications
 * @property {number} peakBytes over the weights
 */

/**
 * @typedef {object} Comparison of one model
 * @property {Record<string, string>} versions of Python and its packages
 * @property {import('./processes.mjs').LoadAnswer} loaded
 * @property {LoadSeconds} loadSeconds
 * @property {Record<string, number>} rates best seen of each kernel
 * @property {Timing[]} timings
 */

/**
 * @typedef {object} LoadSeconds each load in a process of its own; medians, or one of each for --quick
 * @property {number} plain with libtorch's own kernels and the engine that needs no proof
 * @property {number} packed with the kernels that are measured, and their packed weights
 * @property {number} complete with the engines proven, as well
 */

/**
 * Times both on one model, in turns.
 *
 * @param {Shape} shape
 * @param {string} folder
 * @param {readonly Task[]} tasks a task of several kinds comes after those of the single kinds, whose package traces it
 *   is compared with
 * @param {BenchOptions} options
 * @param {{ python: string, torchFolder: string }} places
 * @returns {Promise<Comparison>}
 */
export async function compareOn(shape, folder, tasks, options, { python, torchFolder }) {
  const { threads, samples } = options;
  const loadSeconds = await timeLoads(torchFolder, folder, options);
  const kernels = new KernelProcess(python, threads);
  const reference = new ReferenceProcess(python, folder, threads);
  const own = new OwnProcess(torchFolder, folder, { threads });
  try {
    const versions = await reference.versions();
    const loaded = await own.loaded();
    const rates = await kernels.rates();
    const timings = tasks.map((task) => emptyTiming(task, shape, samples));
    for (let repeat = 0; repeat <= options.repeats; repeat += 1) {
      await runOnce(timings, options, reference, own);
      for (const { task, packageSeconds, ownSeconds } of timings) {
        const [theirs, ours] = [packageSeconds.at(-1) ?? 0, ownSeconds.at(-1) ?? 0];
        const which = repeat === 0 ? 'first' : `${repeat} of ${options.repeats}`;
        say(`${task.title}, ${which}: package ${theirs.toFixed(2)} s, ours ${ours.toFixed(2)} s`);
      }
      // The machine may be faster at another time; what was computed is measured against the best.
      for (const [name, rate] of Object.entries(await kernels.rates())) {
        rates[name] = Math.max(rates[name] ?? 0, rate);
      }
    }
    return { versions, loaded, loadSeconds, rates, timings };
  } finally {
    for (const each of [kernels, reference, own]) each.close();
  }
}

/**
 * @param {string} torchFolder
 * @param {string} folder
 * @param {BenchOptions} options
 * @returns {Promise<LoadSeconds>}
 */
async function timeLoads(torchFolder, folder, { threads, quick, repeats }) {
  const time = async (/** @type {import('../../src/index.js').LoadOptions} */ options) => {
    const seconds = [];
    for (let repeat = 0; repeat < (quick ? 1 : repeats); repeat += 1) {
      const own = new OwnProcess(torchFolder, folder, { threads, ...options });
      seconds.push((await own.loaded()).loadSeconds);
      own.close();
    }
    return median(seconds);
  };
  return {
    plain: await time({ engine: 'full', kernels: 'default' }),
    packed: await time({ engine: 'full' }),
    complete: await time({}),
  };
}

/**
 * @param {Task} task
 * @param {Shape} shape
 * @param {number} samples
 * @returns {Timing}
 */
function emptyTiming(task, shape, samples) {
  const one = packageMultiplications(shape, { tokens: task.prompt.tokens, samples });
  return {
    ...{ task, packageSeconds: [], ownSeconds: [], difference: 0, ownMultiplications: 0, peakBytes: 0 },
    packageMultiplications: one * task.kinds.length,
  };
}

/**
 * Every task once, the package's traces and ours in turns.
 * @param {readonly Timing[]} timings
 * @param {BenchOptions} options
 * @param {ReferenceProcess} reference
 * @param {OwnProcess} own
 */
async function runOnce(timings, { samples, batchSize }, reference, own) {
  /** @type {Map<string, import('./processes.mjs').ReferenceTrace>} */
  const references = new Map();
  for (const timing of timings) {
    const { prompt, kinds } = timing.task;
    const { subject } = prompt;
    let packageSeconds = 0;
    const expected = [];
    for (const kind of kinds) {
      const key = JSON.stringify([prompt.text, kind]);
      const trace =
        references.get(key) ??
        (await reference.trace(prompt.text, { subject, ...kind, samples, batch_size: batchSize }));
      references.set(key, trace);
      expected.push(trace);
      packageSeconds += trace.seconds;
    }
    const found = await own.trace({ prompt: prompt.text, kinds: [...kinds], options: { subject, samples } });
    timing.packageSeconds.push(packageSeconds);
    timing.ownSeconds.push(found.seconds);
    timing.ownMultiplications = found.multiplications;
    timing.peakBytes = Math.max(timing.peakBytes, found.peakBytes);
    for (const [i, flow] of found.flows.entries()) {
      requireMeantSubject(flow, prompt);
      timing.difference = Math.max(timing.difference, largestDifference(flow, expected[i]));
    }
  }
}

/**
 * @param {import('../../src/index.js').HiddenFlow} flow
 * @param {Prompt} prompt
 */
function requireMeantSubject(flow, { subjectRange, text }) {
  if (flow.subjectRange.join() === subjectRange.join()) return;
  throw new SetupError(
    `The subject of "${text}" is at ${flow.subjectRange.join()}, not ${subjectRange.join()}.`,
  );
}

/**
 * The largest difference of any score.
 * @param {import('../../src/index.js').HiddenFlow} found
 * @param {import('./processes.mjs').ReferenceTrace | undefined} expected
 */
export function largestDifference(found, expected) {
  if (found.answer !== expected?.answer) {
    throw new SetupError(`The answers differ: ${found.answer} here, ${expected?.answer} in Python.`);
  }
  const differences = found.scores.flatMap((row, token) =>
    row.map((score, layer) => Math.abs(score - (expected.scores[token]?.[layer] ?? Number.NaN))),
  );
  differences.push(Math.abs(found.lowScore - expected.lowScore));
  differences.push(Math.abs(found.highScore - expected.highScore));
  return Math.max(...differences);
}
