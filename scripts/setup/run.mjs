// @ts-check
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { logFolder, projectRoot } from './paths.mjs';

/** A failure whose message is all that the user needs: no stack is shown. */
export class SetupError extends Error {}

/**
 * What a command prints on stdout, trimmed; null if it cannot be started or fails.
 * @param {string} command
 * @param {readonly string[]} parameters
 */
export function probe(command, parameters) {
  const result = spawnSync(command, [...parameters], { encoding: 'utf8', timeout: 60_000 });
  return result.status === 0 ? result.stdout.trim() : null;
}

/** Environment of programs whose output is shown: without colors in CI and where no terminal is. */
export function terminalEnvironment() {
  const plain = Boolean(process.env['CI']) || !process.stdout.isTTY;
  return plain ? { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined } : process.env;
}

/**
 * Runs a command to its end, keeping what it prints.
 * @param {string} command
 * @param {readonly string[]} parameters
 * @returns {Promise<{ passed: boolean, output: string }>}
 */
export async function runQuietly(command, parameters) {
  return await new Promise((resolve) => {
    const child = spawn(command, [...parameters], {
      cwd: projectRoot,
      env: terminalEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    /** @type {Buffer[]} */
    const chunks = [];
    child.stdout.on('data', (/** @type {Buffer} */ chunk) => chunks.push(chunk));
    child.stderr.on('data', (/** @type {Buffer} */ chunk) => chunks.push(chunk));
    child.on('error', (error) =>
      resolve({ passed: false, output: `${command} cannot be started: ${error.message}` }),
    );
    child.on('close', (code) => resolve({ passed: code === 0, output: Buffer.concat(chunks).toString() }));
  });
}

/**
 * Tells the user something; stdout is left to results.
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * @typedef {object} Command
 * @property {string} title what the user sees, and the name of the log
 * @property {string} command
 * @property {readonly string[]} parameters
 * @property {Readonly<Record<string, string | undefined>>} [environment] changes of the environment
 */

/**
 * Runs a command as one step of the set-up: a line with its time, everything that it prints in a log file.
 * @param {Command} step
 * @returns {Promise<{ failure: string | null, log: string }>} why it failed (null if it did not)
 */
export async function tryStep({ title, command, parameters, environment }) {
  mkdirSync(logFolder, { recursive: true });
  const log = path.join(logFolder, `${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.log`);
  const started = Date.now();
  process.stderr.write(`${title} ... `);
  const output = openSync(log, 'w');
  /** @type {string | null} */
  const failure = await new Promise((resolve) => {
    const child = spawn(command, [...parameters], {
      cwd: projectRoot,
      env: { ...process.env, ...environment },
      stdio: ['ignore', output, output],
    });
    child.on('error', (error) => resolve(`${command} cannot be started: ${error.message}`));
    child.on('close', (code, signal) =>
      resolve(code === 0 ? null : `${command} ended with ${signal ?? code}`),
    );
  });
  closeSync(output);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  say(failure === null ? `done in ${seconds} s` : 'failed');
  return { failure, log };
}

/**
 * Runs a command as one step of the set-up, as `tryStep` does.
 * @param {Command} step
 * @throws SetupError with the end of the log
 */
export async function runStep(step) {
  const { failure, log } = await tryStep(step);
  if (failure !== null) throw new SetupError(`${step.title} failed: ${failure}.\n${describeLog(log)}`);
}

/**
 * The end of a log, and where the whole of it is.
 * @param {string} log
 */
export function describeLog(log) {
  const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-30);
  const indented = tail.map((line) => `    ${line}`).join('\n');
  return `The end of ${path.relative(projectRoot, log)}:\n\n${indented}\n`;
}

/**
 * Runs `main` and ends the process with what it returns; a SetupError is shown by its message alone.
 * @param {() => Promise<number | void>} main
 */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    say(`\n${describeFailure(error)}`);
    process.exitCode = 1;
  }
}

/** @param {unknown} error */
export function describeFailure(error) {
  if (error instanceof SetupError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
