// @ts-check
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { largestDifference } from '../bench/compare.mjs';
import { findTorchFolder, OwnProcess, ReferenceProcess } from '../bench/processes.mjs';
import { projectRoot } from '../setup/paths.mjs';
import { say, SetupError } from '../setup/run.mjs';
import { facts, kinds, modelName, samples, threads, tolerance } from './facts.mjs';
import { describeRun } from './report.mjs';

/** @typedef {import('../../src/index.js').HiddenFlow} HiddenFlow */
/** @typedef {import('./facts.mjs').Fact} Fact */
/** @typedef {import('./facts.mjs').TracedKind} TracedKind */
/** @typedef {{ fact: Fact, flows: readonly HiddenFlow[], seconds: number, picture: string }} TracedFact */
/** @typedef {TracedKind & { packageSeconds: number, ownSeconds: number, difference: number }} ComparedKind */

/** Rows in one forward pass of the Python package: its default. */
const packageBatch = 32;

/**
 * Traces the facts, draws them into out/real/, compares the first with the Python package, and prints a table.
 * @param {string} folder of the exported model
 * @param {string} python
 * @throws SetupError if the model does not know a fact, or scores differ from the Python package's
 */
export async function traceFacts(folder, python) {
  const torchFolder = findTorchFolder(python);
  const own = new OwnProcess(torchFolder, folder, { threads });
  try {
    const loaded = await own.loaded();
    const [compared, ...others] = facts;
    const traced = [];
    for (const fact of others) {
      const { seconds, flows } = await own.trace(requestOf(fact, kinds));
      requireAnswer(fact, flows);
      say(`${fact.name}: ${seconds.toFixed(1)} s`);
      traced.push({ fact, flows, seconds, picture: await draw(fact, flows) });
    }
    const { flows, comparison, versions } = await compare(compared, own, folder, python);
    const seconds = comparison.reduce((sum, { ownSeconds }) => sum + ownSeconds, 0);
    traced.unshift({ fact: compared, flows, seconds, picture: await draw(compared, flows) });
    const manifest = JSON.parse(readFileSync(path.join(folder, 'causal-tracer.json'), 'utf8'));
    process.stdout.write(describeRun({ manifest, libtorch: loaded.libtorch, versions, traced, comparison }));
  } finally {
    own.close();
  }
}

/**
 * Traces one fact kind by kind, in turns with the Python package.
 * @param {Fact} fact
 * @param {OwnProcess} own
 * @param {string} folder
 * @param {string} python
 */
async function compare(fact, own, folder, python) {
  const reference = new ReferenceProcess(python, folder, threads);
  try {
    const versions = await reference.versions();
    const { prompt, subject } = fact;
    // The first trace of a process is slower; ours had its first one already.
    await reference.trace(prompt, { subject, samples: 1, end_layer: 1, batch_size: packageBatch });
    /** @type {HiddenFlow[]} */
    const flows = [];
    /** @type {ComparedKind[]} */
    const comparison = [];
    for (const kind of kinds) {
      const expected = await reference.trace(prompt, { subject, ...kind, samples, batch_size: packageBatch });
      const found = await own.trace(requestOf(fact, [kind]));
      requireAnswer(fact, found.flows);
      const difference = Math.max(...found.flows.map((flow) => largestDifference(flow, expected)));
      requireEqualScores(kind, difference);
      flows.push(...found.flows);
      const [packageSeconds, ownSeconds] = [expected.seconds, found.seconds];
      comparison.push({ ...kind, packageSeconds, ownSeconds, difference });
      say(
        `${fact.name}, ${kind.kind}: package ${packageSeconds.toFixed(1)} s, ours ${ownSeconds.toFixed(1)} s`,
      );
    }
    return { flows, comparison, versions };
  } finally {
    reference.close();
  }
}

/**
 * @param {Fact} fact
 * @param {readonly TracedKind[]} traced
 */
function requestOf({ prompt, subject }, traced) {
  return { prompt, kinds: [...traced], options: { subject, samples } };
}

/**
 * @param {Fact} fact
 * @param {readonly Pick<HiddenFlow, 'answer'>[]} flows
 * @throws SetupError unless the most probable token is the fact's answer
 */
export function requireAnswer(fact, flows) {
  const wrong = flows.find(({ answer }) => answer.trim() !== fact.answer);
  if (wrong === undefined) return;
  throw new SetupError(`${modelName} answers "${wrong.answer}" to "${fact.prompt}", not "${fact.answer}".`);
}

/**
 * @param {TracedKind} kind
 * @param {number} difference largest of any score
 * @throws SetupError if it is more than rounding
 */
export function requireEqualScores({ kind }, difference) {
  // Not `>`, so that a number that is missing counts as different.
  if (difference <= tolerance) return;
  throw new SetupError(
    `Scores of ${kind} differ by ${difference} from the Python package's; ${tolerance} is allowed.`,
  );
}

/**
 * Draws the kinds of one fact side by side.
 * @param {Fact} fact
 * @param {readonly HiddenFlow[]} flows
 * @returns {Promise<string>} the picture's path
 */
async function draw(fact, flows) {
  /** @type {typeof import('../../src/index.js')} */
  const { plotHiddenFlows } = await import(pathToFileURL(path.join(projectRoot, 'dist', 'index.js')).href);
  const picture = path.join('out', 'real', `${fact.name}.png`);
  const title = `${modelName}: ${fact.prompt}`;
  await plotHiddenFlows(flows, { savePath: path.join(projectRoot, picture), title, scale: 2 });
  return picture;
}
