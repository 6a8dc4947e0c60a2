// @ts-check
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildFolder } from '../setup/paths.mjs';
import { SetupError } from '../setup/run.mjs';

/** @typedef {import('./packages.mjs').Manifest} Manifest */
/** @typedef {{ folder: string, manifest: Manifest }} StagedPackage a package put together, ready to be packed */

/**
 * An empty folder for a package, with its package.json.
 * @param {Manifest} manifest
 */
export function emptyStage(manifest) {
  const folder = path.join(buildFolder, 'packages', manifest.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return folder;
}

/**
 * The files below a folder, with absolute paths.
 * @param {string} folder
 */
export function listFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/**
 * Takes from a binary what is only of use to debuggers and to linking against it.
 * @param {string} file
 */
export function stripBinary(file) {
  if (process.platform === 'linux') runTool('strip', ['--strip-unneeded', file]);
  if (process.platform === 'darwin') {
    runTool('strip', ['-x', file]);
    // A changed binary does not run on Apple's processors before it is signed again; this signature names nobody.
    runTool('codesign', ['--force', '--sign', '-', file]);
  }
}

/**
 * What a tool prints.
 * @param {string} command
 * @param {readonly string[]} parameters
 */
export function runTool(command, parameters) {
  const { status, stdout, stderr, error } = spawnSync(command, [...parameters], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status === 0) return stdout;
  throw new SetupError(`${command} ${parameters.join(' ')} failed: ${error?.message ?? stderr}`);
}
