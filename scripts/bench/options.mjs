// @ts-check
import { parseArgs } from 'node:util';
import { SetupError } from '../setup/run.mjs';

/**
 * @typedef {object} BenchOptions
 * @property {boolean} quick
 * @property {boolean} growth
 * @property {boolean} long whether the long prompt is traced, too
 * @property {number} samples
 * @property {number} repeats
 * @property {number} batchSize of the Python package
 * @property {number} threads
 * @property {string | null} python
 */

export const usage = `Times the Python package causal-tracer and this one, with the same weights, threads and libtorch.

Usage: npm run bench -- [options]

  --quick          small models and few samples: under a minute instead of an hour
  --growth         times this package alone, over prompt lengths, layers and samples, and fits exponents
  --without-long   leaves out the 40-token prompt, which takes the Python package minutes a trace
  --samples N      corrupted runs a score (default 10; 2 with --quick)
  --repeats N      timed traces of each, in turns, after the first (default 3; 2 with --quick)
  --batch-size N   rows in one forward pass of the Python package (default 32)
  --threads N      threads inside an operator (default 2)
  --python PATH    a Python that has what scripts/requirements*.txt list (default: the project's own, set up if missing)
`;

/**
 * @param {readonly string[]} parameters
 * @returns {BenchOptions | null} null if only the usage is asked for
 */
export function readOptions(parameters) {
  const values = parse(parameters);
  if (values.help === true) return null;
  const quick = values.quick === true;
  return {
    quick,
    growth: values.growth === true,
    long: values['without-long'] !== true,
    samples: count('samples', values.samples) ?? (quick ? 2 : 10),
    repeats: count('repeats', values.repeats) ?? (quick ? 2 : 3),
    batchSize: count('batch-size', values['batch-size']) ?? 32,
    threads: count('threads', values.threads) ?? 2,
    python: values.python ?? null,
  };
}

/** @param {readonly string[]} parameters */
function parse(parameters) {
  try {
    return parseArgs({
      args: [...parameters],
      options: {
        quick: { type: 'boolean' },
        growth: { type: 'boolean' },
        'without-long': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        samples: { type: 'string' },
        repeats: { type: 'string' },
        'batch-size': { type: 'string' },
        threads: { type: 'string' },
        python: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new SetupError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

/**
 * @param {string} name
 * @param {string | undefined} text
 */
function count(name, text) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new SetupError(`--${name} must be a whole number of at least 1, not ${text}.`);
}
