// @ts-check
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildFolder, projectRoot, virtualEnvironment, virtualEnvironmentPython } from './paths.mjs';
import { runQuietly } from './run.mjs';
import { isStale, markDone } from './stamp.mjs';
import { nodeModule } from './steps.mjs';

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {readonly (readonly string[])[]} commands all of which have to succeed; side by side if there are several
 * @property {readonly string[]} [unlessChanged] for a slow check: inputs with which it need not be repeated once it passed
 */

/**
 * Every formatter and linter in check mode; with `fix`, those that can mend what they find, doing so.
 * @param {{ fix: boolean }} mode
 * @returns {Check[]}
 */
export function listChecks({ fix }) {
  const python = virtualEnvironmentPython(virtualEnvironment);
  const ruff = [python, '-m', 'ruff'];
  const node = process.execPath;
  const sources = [...listSources('native'), ...listSources('test/native')];
  // Formatters come after the linters whose changes they format.
  const mending = [
    {
      name: 'ESLint',
      commands: [
        [node, nodeModule('eslint/bin/eslint.js'), '--max-warnings=0', ...(fix ? ['--fix'] : []), '.'],
      ],
    },
    {
      name: 'Prettier',
      commands: [
        [node, nodeModule('prettier/bin/prettier.cjs'), fix ? '--write' : '--check', '--log-level=warn', '.'],
      ],
    },
    { name: 'Ruff', commands: [[...ruff, 'check', ...(fix ? ['--fix'] : []), '.']] },
    { name: 'Ruff format', commands: [[...ruff, 'format', ...(fix ? [] : ['--check']), '.']] },
    {
      name: 'clang-format',
      commands: [[pythonTool('clang-format'), ...(fix ? ['-i'] : ['--dry-run', '-Werror']), ...sources]],
    },
  ];
  if (fix) return mending;
  const types = [node, nodeModule('typescript/bin/tsc'), '-p', 'tsconfig.json'];
  const zizmor = [pythonTool('zizmor'), '--offline', '--quiet', '.github'];
  return [
    ...mending,
    { name: 'TypeScript types', commands: [types] },
    { name: 'zizmor', commands: [zizmor] },
    clangTidy(),
  ];
}

/**
 * clang-tidy on what the addon is compiled from: many sources together, since libtorch's headers alone take it seconds.
 * @returns {Check}
 */
function clangTidy() {
  return {
    name: 'clang-tidy',
    // The wheel of clang-tidy has no header of OpenMP's.
    commands: listCompiledSources().map((file) => [
      pythonTool('clang-tidy'),
      ...['-p', buildFolder, '--quiet', '--extra-arg=-fno-openmp', file],
    ]),
    unlessChanged: ['.clang-tidy', 'CMakeLists.txt', 'native', 'test/native', 'scripts/requirements-dev.txt'],
  };
}

/** What CMake hands to the compiler. */
function listCompiledSources() {
  /** @type {readonly { file: string }[]} */
  const commands = JSON.parse(readFileSync(path.join(buildFolder, 'compile_commands.json'), 'utf8'));
  return commands.map(({ file }) => file);
}

/**
 * A program that a Python package has put into the virtual environment.
 * @param {string} name
 */
function pythonTool(name) {
  return path.join(path.dirname(virtualEnvironmentPython(virtualEnvironment)), name);
}

/**
 * Runs a check, shows its output if it fails, and says whether it passed.
 * @param {Check} check
 */
export async function runCheck({ name, commands, unlessChanged }) {
  const started = Date.now();
  const stamp = `check-${name.toLowerCase().replaceAll(' ', '-')}`;
  if (unlessChanged && !isStale(stamp, { inputs: unlessChanged, outputs: [] })) {
    report('ok', name, 'nothing changed since it passed');
    return true;
  }
  const failures = await runSideBySide(commands);
  report(failures.length === 0 ? 'ok' : 'FAILED', name, `${((Date.now() - started) / 1000).toFixed(1)} s`);
  for (const output of failures) process.stdout.write(`${output.trimEnd()}\n\n`);
  if (unlessChanged && failures.length === 0) markDone(stamp, { inputs: unlessChanged });
  return failures.length === 0;
}

/**
 * @param {string} outcome
 * @param {string} name
 * @param {string} detail
 */
function report(outcome, name, detail) {
  process.stdout.write(`${outcome.padEnd(7)}${name} (${detail})\n`);
}

/**
 * Runs commands, as many at a time as there are processors, and returns what those that fail print.
 * @param {readonly (readonly string[])[]} commands
 */
async function runSideBySide(commands) {
  const waiting = [...commands];
  /** @type {string[]} */
  const failures = [];
  async function work() {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [command = '', ...parameters] = next;
      const { passed, output } = await runQuietly(command, parameters);
      if (!passed) failures.push(output);
    }
  }
  await Promise.all(Array.from({ length: Math.min(commands.length, os.availableParallelism()) }, work));
  return failures;
}

/**
 * C++ sources below a folder of the project.
 * @param {string} folder
 */
function listSources(folder) {
  const absolute = path.join(projectRoot, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(cc|h)$/.test(file))
    .map((file) => path.join(folder, file));
}
