// @ts-check
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildFolder, projectRoot } from './paths.mjs';

const stampFolder = path.join(buildFolder, 'stamps');

/**
 * Whether a step has to be done: its inputs changed since `markDone`, or something that it makes is gone.
 * @param {string} step
 * @param {{ inputs: readonly string[], facts?: readonly string[], outputs: readonly string[] }} description files or
 *   folders, relative to the project, and other values that the step depends on
 */
export function isStale(step, { inputs, facts = [], outputs }) {
  if (outputs.some((output) => !existsSync(path.join(projectRoot, output)))) return true;
  const file = path.join(stampFolder, step);
  return !existsSync(file) || readFileSync(file, 'utf8') !== digest(inputs, facts);
}

/**
 * @param {string} step
 * @param {{ inputs: readonly string[], facts?: readonly string[] }} description
 */
export function markDone(step, { inputs, facts = [] }) {
  mkdirSync(stampFolder, { recursive: true });
  writeFileSync(path.join(stampFolder, step), digest(inputs, facts));
}

/**
 * @param {readonly string[]} inputs
 * @param {readonly string[]} facts
 */
function digest(inputs, facts) {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap((input) => listFiles(input)).toSorted()) {
    hash.update(`${file}\0`).update(readFileSync(path.join(projectRoot, file)));
  }
  return hash.update(JSON.stringify(facts)).digest('hex');
}

/**
 * @param {string} input
 * @returns {string[]}
 */
function listFiles(input) {
  const absolute = path.join(projectRoot, input);
  if (!existsSync(absolute)) return [];
  try {
    return readdirSync(absolute, { withFileTypes: true }).flatMap((entry) =>
      entry.name === '__pycache__' ? [] : listFiles(path.join(input, entry.name)),
    );
  } catch {
    return [input];
  }
}
