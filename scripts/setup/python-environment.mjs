// @ts-check
import { existsSync } from 'node:fs';
import path from 'node:path';
import { libtorchVersion, projectRoot, virtualEnvironment, virtualEnvironmentPython } from './paths.mjs';
import { pip, pipTorch } from './pip.mjs';
import { findPython } from './prerequisites.mjs';
import { runStep, SetupError } from './run.mjs';
import { isStale, markDone } from './stamp.mjs';

/**
 * The project's virtual environment with the exporter's requirements, the tools of the checks and tests, and the Python
 * package that the numbers are compared with.
 * @returns {Promise<string>} its Python
 */
export async function ensurePythonEnvironment() {
  const python = virtualEnvironmentPython(virtualEnvironment);
  const description = {
    inputs: ['requirements.txt', 'requirements-dev.txt', 'requirements-reference.txt'].map((file) =>
      path.join('scripts', file),
    ),
    outputs: [path.relative(projectRoot, python)],
  };
  if (!isStale('python', description)) return python;
  if (!existsSync(python)) await makeEnvironment();
  const install = ['install', '--progress-bar=off'];
  await pipTorch('Install PyTorch for Python', python, install);
  await runStep({
    title: 'Install Python requirements',
    command: python,
    parameters: [...pip, ...install, '-r', 'scripts/requirements.txt', '-r', 'scripts/requirements-dev.txt'],
  });
  // The reference asks for an older transformers than the one that it is run with.
  await runStep({
    title: 'Install the Python reference package',
    command: python,
    parameters: [...pip, ...install, '--no-deps', '-r', 'scripts/requirements-reference.txt'],
  });
  markDone('python', description);
  return python;
}

async function makeEnvironment() {
  const base = findPython();
  if (base === null) throw new SetupError('Python 3.10 or newer is needed.');
  if (!base.hasTorch) {
    throw new SetupError(
      `${base.command} is ${base.version}, for which there is no PyTorch ${libtorchVersion}.\n` +
        'Install a Python from 3.10 to 3.14, and set CAUSAL_TRACER_PYTHON to it if it is not on the PATH.',
    );
  }
  await runStep({
    title: `Make a virtual environment of Python ${base.version}`,
    command: base.command,
    parameters: ['-m', 'venv', '--clear', virtualEnvironment],
  });
}
