// @ts-check
import { existsSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensureLibtorch } from './libtorch.mjs';
import { buildFolder, projectRoot } from './paths.mjs';
import { checkPrerequisites, describeMissing } from './prerequisites.mjs';
import { runStep, say, SetupError, tryStep } from './run.mjs';
import { isStale, markDone } from './stamp.mjs';

/** A compiler at work on libtorch's headers takes about 1 GB. */
const memoryPerCompiler = 1.5 * 2 ** 30;

/**
 * Everything that running causal-tracer from a checkout needs; does only what is not done yet.
 * @param {{ beforeLibtorch?: () => Promise<unknown> }} [hooks] what else to install, once the prerequisites are there
 */
export async function setUp({ beforeLibtorch } = {}) {
  const started = Date.now();
  const missing = describeMissing(checkPrerequisites());
  if (missing !== null) throw new SetupError(missing);
  await installDependencies();
  await beforeLibtorch?.();
  await buildAddon(await ensureLibtorch());
  await compileTypeScript();
  say(`Set-up is complete (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
}

async function installDependencies() {
  if (dependenciesAreInstalled(projectRoot)) return;
  await runStep({
    title: 'Install npm dependencies',
    ...npmCommand(['ci', '--ignore-scripts', '--no-audit', '--no-fund']),
  });
}

/**
 * Whether node_modules holds what package-lock.json names: npm keeps a lock file of its own in there.
 * @param {string} root
 */
export function dependenciesAreInstalled(root) {
  const installed = readLockedPackages(path.join(root, 'node_modules', '.package-lock.json'));
  const locked = readLockedPackages(path.join(root, 'package-lock.json'));
  if (installed === null || locked === null) return false;
  return Object.entries(locked).every(
    ([location, { version, optional, devOptional }]) =>
      location === '' ||
      (installed[location] === undefined
        ? optional === true || devOptional === true
        : installed[location].version === version),
  );
}

/** @typedef {{ version?: string, optional?: boolean, devOptional?: boolean }} LockedPackage */

/**
 * @param {string} lockFile
 * @returns {Record<string, LockedPackage> | null}
 */
function readLockedPackages(lockFile) {
  return existsSync(lockFile) ? JSON.parse(readFileSync(lockFile, 'utf8')).packages : null;
}

/**
 * npm as a command that can be started without a shell.
 * @param {readonly string[]} parameters
 */
export function npmCommand(parameters) {
  const script = process.env['npm_execpath'];
  if (script?.endsWith('npm-cli.js'))
    return { command: process.execPath, parameters: [script, ...parameters] };
  if (process.platform === 'win32') return { command: 'cmd', parameters: ['/c', 'npm', ...parameters] };
  return { command: 'npm', parameters };
}

/**
 * Builds the addon with CMake unless its sources are those of the last build.
 * @param {import('./libtorch.mjs').Libtorch} libtorch
 */
export async function buildAddon(libtorch) {
  const description = {
    inputs: ['CMakeLists.txt', 'native', 'test/native'],
    // Where libtorch lies is no part of the addon.
    facts: [libtorch.version, process.platform, process.arch],
    outputs: ['build/Release/causal_tracer.node', 'build/Release/causal_tracer_preload.node'],
  };
  if (!isStale('addon', description)) return;
  const definitions = [
    `--CDCAUSAL_TRACER_LIBTORCH=${libtorch.path.replaceAll(path.sep, '/')}`,
    '--CDCMAKE_EXPORT_COMPILE_COMMANDS=ON',
  ];
  const compilers = Math.min(os.availableParallelism(), Math.floor(os.totalmem() / memoryPerCompiler));
  const environment = {
    CMAKE_BUILD_PARALLEL_LEVEL: process.env['CMAKE_BUILD_PARALLEL_LEVEL'] ?? String(Math.max(1, compilers)),
    // Set when make called us (through node-gyp); its jobs are none of ours.
    MAKEFLAGS: undefined,
  };
  const cmake = (/** @type {string} */ title, /** @type {string} */ action) => ({
    title,
    command: process.execPath,
    parameters: [nodeModule('cmake-js/bin/cmake-js'), action, ...definitions],
    environment,
  });
  const configure = cmake('Configure the addon', 'configure');
  if ((await tryStep(configure)).failure !== null) {
    // The settings of a build elsewhere, or of another generator, cannot be carried on with.
    rmSync(path.join(buildFolder, 'CMakeCache.txt'), { force: true });
    rmSync(path.join(buildFolder, 'CMakeFiles'), { recursive: true, force: true });
    await runStep({ ...configure, title: 'Configure the addon afresh' });
  }
  await runStep(cmake('Build the addon', 'build'));
  markDone('addon', description);
}

async function compileTypeScript() {
  const description = {
    inputs: ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'],
    outputs: ['dist/index.js', 'dist/cli/main.js'],
  };
  if (!isStale('typescript', description)) return;
  // What a removed source has left behind would still be found by imports.
  rmSync(path.join(projectRoot, 'dist'), { recursive: true, force: true });
  await runStep({
    title: 'Compile TypeScript',
    command: process.execPath,
    parameters: [nodeModule('typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
  });
  markDone('typescript', description);
}

/**
 * A file of an installed package.
 * @param {string} file
 */
export function nodeModule(file) {
  const found = path.join(projectRoot, 'node_modules', file);
  if (!existsSync(found)) throw new SetupError(`node_modules/${file} is missing: run "npm ci" first.`);
  return found;
}
