// @ts-check
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { projectRoot, virtualEnvironmentPython } from './paths.mjs';
import { hasPip, pip, pipTorch } from './pip.mjs';
import { findPython } from './prerequisites.mjs';
import { runStep, SetupError } from './run.mjs';

/** On Linux, `libtorch_cpu` of the plain wheel links to two libraries of CUDA, even where there is no GPU. */
const cudaRuntime = 'cuda-toolkit[cudart,cupti]==13.0.3';

/** A Python that has wheels of the pinned version, for those that have none: the libraries are the same. */
const substitutePython = ['--only-binary=:all:', '--python-version', '3.13'];

/**
 * Fetches a torch wheel and keeps its libraries and headers in `target`. The folder appears when it is complete.
 * @param {string} target
 */
export async function fetchLibtorch(target) {
  const python = findPython();
  if (python === null) throw new SetupError('Python is needed to fetch libtorch.');
  const scratch = `${target}.partial-${process.pid}`;
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  try {
    const wheels = path.join(scratch, 'wheels');
    const unpacked = path.join(scratch, 'libtorch');
    const pipPython = await pythonWithPip(python.command, scratch);
    const forOther = python.hasTorch ? [] : substitutePython;
    await pipTorch('Fetch libtorch', pipPython, ['download', '--no-deps', ...forOther, '--dest', wheels]);
    await unpack(python.command, wheels, unpacked);
    if (needsCudaRuntime(unpacked)) {
      await runStep({
        title: 'Fetch the CUDA runtime that this libtorch links to',
        command: pipPython,
        parameters: [...pip, 'download', '--dest', wheels, cudaRuntime],
      });
      await unpack(python.command, wheels, unpacked);
    }
    await runStep({
      title: 'Try libtorch',
      command: python.command,
      parameters: [script('open_libtorch.py'), path.join(unpacked, 'lib')],
    });
    rmSync(target, { recursive: true, force: true });
    renameSync(unpacked, target);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * The Python itself if it has pip, else that of a virtual environment, which always has.
 * @param {string} python
 * @param {string} scratch
 */
async function pythonWithPip(python, scratch) {
  if (hasPip(python)) return python;
  const folder = path.join(scratch, 'pip');
  await runStep({
    title: 'Make an environment for pip',
    command: python,
    parameters: ['-m', 'venv', folder],
  });
  return virtualEnvironmentPython(folder);
}

/**
 * @param {string} python
 * @param {string} wheels
 * @param {string} target
 */
async function unpack(python, wheels, target) {
  const files = readdirSync(wheels).filter((file) => file.endsWith('.whl'));
  await runStep({
    title: 'Unpack libtorch',
    command: python,
    parameters: [script('unpack_libtorch.py'), target, ...files.map((file) => path.join(wheels, file))],
  });
}

/** @param {string} folder */
function needsCudaRuntime(folder) {
  return process.platform === 'linux' && /\+cu\d/.test(readFileSync(path.join(folder, 'version.py'), 'utf8'));
}

/** @param {string} name */
function script(name) {
  return path.join(projectRoot, 'scripts', 'setup', name);
}
