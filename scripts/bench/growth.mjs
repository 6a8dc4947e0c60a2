// @ts-check
import { say } from '../setup/run.mjs';
import { OwnProcess } from './processes.mjs';
import { makePrompt } from './prompts.mjs';
import { ensureModel, gpt2Shape, quickGpt2Shape, shapeName } from './shapes.mjs';
import { median } from './statistics.mjs';

/** @typedef {import('./options.mjs').BenchOptions} BenchOptions */
/** @typedef {import('./shapes.mjs').Shape} Shape */
/** @typedef {{ x: number, seconds: number, multiplications: number }} GrowthPoint */
/** @typedef {{ name: string, points: GrowthPoint[] }} Growth */
/** @typedef {{ tokens: number, layers: number, samples: number }} Size */

/** No more repetitions once a point has taken this long. */
const ENOUGH_SECONDS = 60;
const SUBJECT = /** @type {[number, number]} */ ([0, 4]);

/**
 * Times this package's traces of hidden states over prompt lengths, layers and samples.
 *
 * @param {BenchOptions} options
 * @param {{ python: string, torchFolder: string }} places
 * @param {(folder: string) => Promise<import('./prompts.mjs').Encoder>} loadTokenizer
 * @returns {Promise<Growth[]>}
 */
export async function measureGrowth(options, places, loadTokenizer) {
  const { quick, samples } = options;
  const shape = quick ? quickGpt2Shape : gpt2Shape;
  const usual = { tokens: 11, layers: shape.layers, samples };
  const sizes = {
    tokens: quick ? [8, 16, 32] : [8, 16, 32, 64],
    layers: quick ? [2, 4, 8] : [6, 12, 24],
    samples: quick ? [1, 5, 10] : [1, 5, 10, 25],
  };
  /** @type {Growth[]} */
  const growths = [];
  for (const name of /** @type {const} */ (['tokens', 'layers', 'samples'])) {
    const points = [];
    for (const x of sizes[name]) {
      const point = await measure(shape, { ...usual, [name]: x }, options, places, loadTokenizer);
      say(`${name} ${x}: ${point.seconds.toFixed(2)} s`);
      points.push({ x, ...point });
    }
    growths.push({ name, points });
  }
  return growths;
}

/**
 * @param {Shape} base
 * @param {Size} size
 * @param {BenchOptions} options
 * @param {{ python: string, torchFolder: string }} places
 * @param {(folder: string) => Promise<import('./prompts.mjs').Encoder>} loadTokenizer
 */
async function measure(base, { tokens, layers, samples }, { threads, repeats }, places, loadTokenizer) {
  const shape = { ...base, layers };
  const folder = await ensureModel(shape, places.python);
  const prompt = makePrompt(await loadTokenizer(folder), tokens, SUBJECT);
  const own = new OwnProcess(places.torchFolder, folder, { threads });
  try {
    await own.loaded();
    const seconds = [];
    let [multiplications, total] = [0, 0];
    // The first trace of a process is not counted, unless it is the only one.
    for (let repeat = 0; repeat <= repeats && total < ENOUGH_SECONDS; repeat += 1) {
      const answer = await own.trace({
        prompt: prompt.text,
        kinds: [{ kind: 'hidden', window: 1 }],
        options: { subject: prompt.subject, samples },
      });
      ({ multiplications } = answer);
      total += answer.seconds;
      seconds.push(answer.seconds);
    }
    if (seconds.length === 0) throw new Error(`${shapeName(shape)} was not traced`);
    return { seconds: median(seconds.length === 1 ? seconds : seconds.slice(1)), multiplications };
  } finally {
    own.close();
  }
}
