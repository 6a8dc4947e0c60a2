// @ts-check
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../setup/paths.mjs';
import { npmCommand } from '../setup/steps.mjs';
import { SetupError } from '../setup/run.mjs';
import { compareContents } from './contents.mjs';
import { runTool } from './stage.mjs';

/** Where the tarballs go. */
export const artifactFolder = path.join(projectRoot, 'artifacts');

/**
 * @typedef {object} PackageKind
 * @property {number} limit largest size of the tarball, in bytes
 * @property {string} contents name of the list of what it holds, below contents/
 */

/**
 * Path of a package's tarball, as npm names it.
 * @param {{ name: string, version: string }} manifest
 */
export function tarballOf({ name, version }) {
  return path.join(artifactFolder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
}

/**
 * Packs a package and checks what is in it.
 * @param {import('./stage.mjs').StagedPackage} staged
 * @param {PackageKind} kind
 * @returns {{ packed: number, unpacked: number, files: number }} sizes in bytes
 * @throws SetupError if it is too large, or holds something else than its list
 */
export function packPackage({ folder, manifest }, { limit, contents }) {
  mkdirSync(artifactFolder, { recursive: true });
  const { command, parameters } = npmCommand([
    'pack',
    folder,
    '--ignore-scripts',
    '--loglevel=error',
    '--pack-destination',
    artifactFolder,
  ]);
  runTool(command, parameters);
  const tarball = tarballOf(manifest);
  const files = runTool('tar', ['-tzf', tarball])
    .split(/\r?\n/)
    .filter((name) => name !== '' && !name.endsWith('/'))
    .map((name) => name.replace(/^package\//, ''));
  const list = path.join(projectRoot, 'scripts', 'packaging', 'contents', contents);
  const { unexpected, absent } = compareContents(files, readFileSync(list, 'utf8'));
  const packed = statSync(tarball).size;
  const problems = [
    ...unexpected.map((name) => `${name} is in the package, but not in contents/${contents}`),
    ...absent.map((pattern) => `${pattern} is in contents/${contents}, but not in the package`),
    ...(packed > limit ? [`it has ${packed} bytes, more than ${limit}`] : []),
  ];
  if (problems.length > 0) {
    throw new SetupError(
      `${path.basename(tarball)} is wrong:\n${problems.map((each) => `  ${each}`).join('\n')}`,
    );
  }
  const unpacked = files.reduce((total, name) => total + statSync(path.join(folder, name)).size, 0);
  return { packed, unpacked, files: files.length };
}
