// @ts-check
import { parseArgs } from 'node:util';
import { SetupError } from '../setup/run.mjs';

/** @typedef {{ layers: number, width: number, heads: number, vocabulary: number }} Shape */
/** @typedef {{ kind: 'hidden' | 'mlp' | 'attention', window: number }} Task */
/** @typedef {{ shape: Shape, samples: number, repeats: number, batchSize: number, threads: number, tasks: readonly Task[], python: string | null }} BenchOptions */

export const usage = `Times the Python package causal-tracer and this one, with the same weights, threads and libtorch.

Usage: npm run bench -- [options]

  --quick          a small model and few samples: seconds instead of minutes
  --layers N       layers of the model (default 12; GPT-2 small)
  --samples N      corrupted runs a score (default 10)
  --repeats N      timed traces of each, in turns (default 3)
  --batch-size N   rows in one forward pass (default 32)
  --threads N      threads inside an operator (default 2)
  --attention      traces windowed attention, too, beside hidden and windowed MLP
  --python PATH    a Python that has what scripts/requirements*.txt list (default: the project's own, set up if missing)
`;

/** @type {Shape} */
const gpt2Small = { layers: 12, width: 768, heads: 12, vocabulary: 50257 };
/** @type {Shape} */
const quickShape = { layers: 4, width: 128, heads: 4, vocabulary: 2000 };

/**
 * @param {readonly string[]} parameters
 * @returns {BenchOptions | null} null if only the usage is asked for
 */
export function readOptions(parameters) {
  const values = parse(parameters);
  if (values.help === true) return null;
  const quick = values.quick === true;
  const shape = quick ? quickShape : gpt2Small;
  return {
    shape: { ...shape, layers: count('layers', values.layers) ?? shape.layers },
    samples: count('samples', values.samples) ?? (quick ? 3 : 10),
    repeats: count('repeats', values.repeats) ?? 3,
    batchSize: count('batch-size', values['batch-size']) ?? 32,
    threads: count('threads', values.threads) ?? 2,
    tasks: [
      { kind: 'hidden', window: 1 },
      { kind: 'mlp', window: 10 },
      ...(values.attention === true ? [/** @type {Task} */ ({ kind: 'attention', window: 10 })] : []),
    ],
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
        attention: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        layers: { type: 'string' },
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
