// @ts-check
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../../setup/paths.mjs';

/** Scores that differ by more from those of the Python package are wrong. */
const tolerance = 1e-5;

/** @typedef {{ answer: string, lowScore: number, highScore: number, scores: number[][] }} Outcome */
/** @typedef {{ prompt: string, options: object, result: Outcome }} GoldenFlow */

/**
 * The flows of a demo model with its default noise, as the Python package computed them.
 * @param {string} model
 * @returns {GoldenFlow[]}
 */
export function readGoldenFlows(model) {
  const file = path.join(projectRoot, 'test', 'parity', 'golden', `flows-${model}.json`);
  /** @type {(GoldenFlow & { noise: number | null })[]} */
  const flows = JSON.parse(readFileSync(file, 'utf8')).flows;
  return flows.filter(({ noise }) => noise === null);
}

/**
 * The largest difference of a score.
 * @param {readonly Outcome[]} found
 * @param {readonly GoldenFlow[]} golden
 * @throws Error if answers or shapes differ, or a score by more than the tolerance
 */
export function compareWithGolden(found, golden) {
  if (found.length !== golden.length)
    throw new Error(`${found.length} flows, but ${golden.length} were asked for`);
  let largest = 0;
  golden.forEach(({ prompt, result }, index) => {
    const flow = found[index];
    if (flow?.answer !== result.answer) {
      throw new Error(`"${prompt}" is answered with "${flow?.answer}", not "${result.answer}"`);
    }
    const [numbers, expected] = [flow, result].map(({ lowScore, highScore, scores }) => [
      lowScore,
      highScore,
      ...scores.flat(),
    ]);
    if (numbers?.length !== expected?.length) throw new Error(`the scores of "${prompt}" have another shape`);
    expected?.forEach((value, place) => {
      const difference = Math.abs((numbers?.[place] ?? NaN) - value);
      if (!(difference <= tolerance)) throw new Error(`a score of "${prompt}" differs by ${difference}`);
      largest = Math.max(largest, difference);
    });
  });
  return largest;
}
