// @ts-check
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildFolder, projectRoot } from '../setup/paths.mjs';
import { probe, runStep, SetupError } from '../setup/run.mjs';
import { ReferenceProcess } from './reference-process.mjs';

/** @typedef {import('./options.mjs').BenchOptions} BenchOptions */
/** @typedef {import('./options.mjs').Task} Task */
/** @typedef {{ python: number[], ours: number[], difference: number }} Timing */

/** Ten tokens of the benchmark's tokenizer, four of them the subject's. */
const prompt = 'The city of the tower was in the capital of';
const subject = 'The city of the';

/**
 * Makes the model if it is missing, times both, and prints a table on stdout.
 * @param {BenchOptions} options
 * @param {string} python
 */
export async function runBench(options, python) {
  const torchFolder = probe(python, ['-c', 'import os, torch; print(os.path.dirname(torch.__file__))']);
  if (torchFolder === null) throw new SetupError(`${python} has no PyTorch.`);
  const folder = await ensureModel(options, python);

  // The addon loads the very library that Python computes with.
  process.env['CAUSAL_TRACER_LIBTORCH'] = torchFolder;
  const library = pathToFileURL(path.join(projectRoot, 'dist', 'index.js')).href;
  /** @type {typeof import('../../src/index.js')} */
  const { CausalTracer } = await import(library);

  const reference = new ReferenceProcess(python, folder, options.threads);
  const tracer = await CausalTracer.load(folder, { threads: options.threads });
  try {
    const { versions } = await reference.setting();
    const tokens = tracer.tokenizer.encode(prompt).length;
    printSetting(options, tokens, `${tracer.model.libtorchVersion} of ${torchFolder}`, versions);
    for (const task of options.tasks) {
      printRow(task, await timeTask(task, options, reference, tracer));
    }
  } finally {
    reference.close();
    tracer.dispose();
  }
}

/**
 * @param {BenchOptions} options
 * @param {string} python
 */
async function ensureModel({ shape }, python) {
  const folder = path.join(buildFolder, 'bench', `gpt2-${shape.layers}x${shape.width}`);
  if (existsSync(path.join(folder, 'causal-tracer.json'))) return folder;
  const sizes = Object.entries(shape).flatMap(([name, size]) => [`--${name}`, String(size)]);
  await runStep({
    title: `Make a random GPT-2 with ${shape.layers} layers, ${shape.width} wide`,
    command: python,
    parameters: [path.join('scripts', 'bench', 'make_bench_model.py'), folder, ...sizes],
  });
  return folder;
}

/**
 * @param {Task} task
 * @param {BenchOptions} options
 * @param {ReferenceProcess} reference
 * @param {import('../../src/index.js').CausalTracer} tracer
 * @returns {Promise<Timing>}
 */
async function timeTask({ kind, window }, { samples, batchSize, repeats }, reference, tracer) {
  const title = `${kind}, window ${window}`;
  const traceBoth = async (/** @type {number} */ sampleCount) => {
    const expected = await reference.trace(prompt, {
      ...{ subject, kind, window, samples: sampleCount },
      batch_size: batchSize,
    });
    const started = performance.now();
    const found = await tracer.calculateHiddenFlow(prompt, {
      ...{ subject, kind, window, samples: sampleCount, batchSize },
    });
    return { expected, found, seconds: (performance.now() - started) / 1000 };
  };
  /** @type {Timing} */
  const timing = { python: [], ours: [], difference: 0 };
  process.stderr.write(`${title}: warm-up\n`);
  await traceBoth(1);
  for (let repeat = 1; repeat <= repeats; repeat += 1) {
    const { expected, found, seconds } = await traceBoth(samples);
    if (found.answer !== expected.answer) {
      throw new SetupError(`The answers differ: ${found.answer} here, ${expected.answer} in Python.`);
    }
    timing.python.push(expected.seconds);
    timing.ours.push(seconds);
    timing.difference = Math.max(timing.difference, largestDifference(found, expected));
    process.stderr.write(
      `${title}: ${repeat} of ${repeats}, Python ${expected.seconds.toFixed(2)} s, ours ${seconds.toFixed(2)} s\n`,
    );
  }
  return timing;
}

/**
 * @param {import('../../src/index.js').HiddenFlow} found
 * @param {import('./reference-process.mjs').ReferenceTrace} expected
 */
function largestDifference(found, expected) {
  const differences = found.scores.flatMap((row, token) =>
    row.map((score, layer) => Math.abs(score - (expected.scores[token]?.[layer] ?? Number.NaN))),
  );
  differences.push(Math.abs(found.lowScore - expected.lowScore));
  differences.push(Math.abs(found.highScore - expected.highScore));
  return Math.max(...differences);
}

/**
 * @param {BenchOptions} options
 * @param {number} tokens
 * @param {string} libtorch
 * @param {Record<string, string>} versions
 */
function printSetting({ shape, samples, repeats, batchSize, threads }, tokens, libtorch, versions) {
  process.stdout.write(
    `Random GPT-2: ${shape.layers} layers, ${shape.width} wide, ${shape.heads} heads, ${shape.vocabulary} tokens, float32\n` +
      `Trace: ${tokens} tokens, ${samples} samples, batches of ${batchSize}, ${threads} threads; ` +
      `medians of ${repeats} in turns\n` +
      `Both run on libtorch ${libtorch}\n` +
      `Python ${versions['python']}, causal-tracer ${versions['causal-tracer']}, transformers ${versions['transformers']}; ` +
      `Node.js ${process.versions.node}\n\n` +
      `${row(['', 'Python', 'ours', 'ratio', 'largest difference'])}\n`,
  );
}

/**
 * @param {Task} task
 * @param {Timing} timing
 */
function printRow({ kind, window }, { python, ours, difference }) {
  const cells = [
    window === 1 ? kind : `${kind}, window ${window}`,
    spread(python),
    spread(ours),
    (median(python) / median(ours)).toFixed(2),
    difference.toExponential(1),
  ];
  process.stdout.write(`${row(cells)}\n`);
}

/** @param {readonly string[]} cells */
function row(cells) {
  const widths = [22, 30, 30, 8, 20];
  return cells
    .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
    .join('');
}

/** @param {readonly number[]} seconds */
function spread(seconds) {
  const format = (/** @type {number} */ value) => value.toFixed(2);
  return `${format(median(seconds))} s (${format(Math.min(...seconds))} to ${format(Math.max(...seconds))})`;
}

/** @param {readonly number[]} values at least one */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}
