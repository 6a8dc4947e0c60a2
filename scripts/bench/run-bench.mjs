// @ts-check
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../setup/paths.mjs';
import { say } from '../setup/run.mjs';
import { compareOn } from './compare.mjs';
import { measureGrowth } from './growth.mjs';
import { findTorchFolder } from './processes.mjs';
import { makePrompt } from './prompts.mjs';
import { describeComparison, describeGrowth, describeMachine, legend } from './report.mjs';
import { ensureModel, gpt2Shape, llamaShape, quickGpt2Shape, quickLlamaShape } from './shapes.mjs';

/** @typedef {import('./compare.mjs').Task} Task */
/** @typedef {import('./options.mjs').BenchOptions} BenchOptions */

/** As many processors at work for others spoil a measurement. */
const BUSY_LOAD = 1;

/** @type {readonly import('./compare.mjs').TracedKind[]} */
const KINDS = [
  { kind: 'hidden', window: 1 },
  { kind: 'mlp', window: 10 },
  { kind: 'attention', window: 10 },
];

/** Says so if other work would spoil a measurement; to be asked before our own set-up raises the load. */
export function warnIfBusy() {
  if ((os.loadavg()[0] ?? 0) > BUSY_LOAD)
    say('The machine is busy with other work; the figures will be off.');
}

/**
 * Makes the models that are missing, times what is asked for, and prints tables on stdout.
 * @param {BenchOptions} options
 * @param {string} python
 */
export async function runBench(options, python) {
  const places = { python, torchFolder: findTorchFolder(python) };
  const { quick, long } = options;
  const shapes = quick ? [quickGpt2Shape, quickLlamaShape] : [gpt2Shape, llamaShape];
  for (const shape of shapes) await ensureModel(shape, python);
  process.stdout.write(`${describeMachine(places.torchFolder)}\n`);
  if (options.growth) {
    process.stdout.write(describeGrowth(await measureGrowth(options, places, loadTokenizer)));
    return;
  }
  for (const shape of shapes) {
    const folder = await ensureModel(shape, python);
    const tasks = listTasks(await loadTokenizer(folder), { quick, long: long && shape.family === 'gpt2' });
    const comparison = await compareOn(shape, folder, tasks, options, places);
    process.stdout.write(describeComparison(shape, comparison, options));
  }
  process.stdout.write(legend);
}

/**
 * @param {string} folder
 * @returns {Promise<import('../../src/index.js').Tokenizer>}
 */
async function loadTokenizer(folder) {
  const library = pathToFileURL(path.join(projectRoot, 'dist', 'index.js')).href;
  /** @type {typeof import('../../src/index.js')} */
  const { Tokenizer } = await import(library);
  return Tokenizer.load(folder);
}

/**
 * @param {import('./prompts.mjs').Encoder} tokenizer
 * @param {{ quick: boolean, long: boolean }} which
 * @returns {Task[]}
 */
function listTasks(tokenizer, { quick, long }) {
  const prompt = makePrompt(tokenizer, 11, [0, 4]);
  const [length, subject] = quick ? [20, 10] : [40, 20];
  const longPrompt = makePrompt(tokenizer, length, [subject, subject + 4]);
  return [
    ...KINDS.map((kind) => ({ title: titleOf(kind), prompt, kinds: [kind] })),
    { title: 'the three in one call', prompt, kinds: KINDS },
    ...(long
      ? [
          {
            title: `hidden, ${length} tokens, subject from ${subject}`,
            prompt: longPrompt,
            kinds: KINDS.slice(0, 1),
          },
        ]
      : []),
  ];
}

/** @param {import('./compare.mjs').TracedKind} kind */
function titleOf({ kind, window }) {
  return window === 1 ? kind : `${kind}, window ${window}`;
}
