// @ts-check
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildFolder } from '../setup/paths.mjs';
import { SetupError } from '../setup/run.mjs';
import { runTool } from './stage.mjs';

/**
 * The libtorch that the addon was built against; it must be a build for the CPU.
 * @returns {import('../setup/libtorch.mjs').Libtorch}
 */
export function readLibtorch() {
  const record = path.join(buildFolder, 'libtorch.json');
  if (!existsSync(record)) throw new SetupError('build/libtorch.json is missing: run "npm run setup" first.');
  const libtorch = JSON.parse(readFileSync(record, 'utf8'));
  if (/\+(?!cpu)/.test(libtorch.version)) {
    throw new SetupError(
      `libtorch in ${libtorch.path} is ${libtorch.version}; the package is made from a build for the CPU. ` +
        'Set CAUSAL_TRACER_LIBTORCH to one and run "npm run setup".',
    );
  }
  return libtorch;
}

/**
 * The licences that came with a libtorch folder: inside it, or in the wheel's metadata beside it.
 * @param {string} folder
 */
export function licensesOfLibtorch(folder) {
  const beside = readdirSync(path.dirname(folder))
    .filter((name) => /^torch-[^/]+\.dist-info$/.test(name))
    .map((name) => path.join(path.dirname(folder), name, 'licenses'));
  const found = [path.join(folder, 'licenses'), ...beside].find((place) =>
    existsSync(path.join(place, 'LICENSE')),
  );
  if (found === undefined) throw new SetupError(`There are no licences with libtorch in ${folder}.`);
  return found;
}

/**
 * The libraries that inference needs: the one that the addon links to, and what it needs of the libraries beside it.
 * @param {string} folder with the libraries
 * @param {string} library
 */
export function neededLibraries(folder, library) {
  const beside = new Set(readdirSync(folder));
  const needed = new Set([library]);
  for (const name of needed) {
    for (const next of linkedLibraries(path.join(folder, name))) {
      if (beside.has(next)) needed.add(next);
    }
  }
  return [...needed].toSorted();
}

/**
 * File names of the libraries that a library links to.
 * @param {string} file
 */
function linkedLibraries(file) {
  if (process.platform === 'linux') {
    const entries = runTool('readelf', ['--dynamic', '--wide', file]).matchAll(/\(NEEDED\).*\[(.+)\]/g);
    return [...entries].map(([, name = '']) => name);
  }
  if (process.platform === 'darwin') {
    const entries = runTool('otool', ['-L', file]).matchAll(/^\s+(\S+) \(compatibility/gm);
    return [...entries].map(([, name = '']) => path.basename(name));
  }
  // Windows comes with no tool that tells: everything in the folder that is no import library is taken.
  return readdirSync(path.dirname(file)).filter((name) => name.endsWith('.dll'));
}
