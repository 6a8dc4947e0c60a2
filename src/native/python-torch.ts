import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { LibtorchPlace } from './libtorch-places.js';

const PROBE_MILLISECONDS = 10_000;

/** Finds the torch package without importing it, and not in the current folder. */
const LOCATE_TORCH = `
import sys
sys.path = [place for place in sys.path if place]
import importlib.util, os
torch = importlib.util.find_spec("torch")
print(os.path.dirname(torch.origin) if torch and torch.origin else "")
`;

/** The torch packages of the Pythons at hand: of active environments, then on the `PATH`. */
export function* findPythonTorches(): Generator<LibtorchPlace> {
  for (const python of listPythons()) {
    const { status, stdout, error } = spawnSync(python, ['-c', LOCATE_TORCH], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: PROBE_MILLISECONDS,
    });
    const found = status === 0 ? stdout.trim() : '';
    if (found !== '') yield { source: 'python', path: found };
    else {
      const absence =
        status === 0 ? 'it has no torch' : error === undefined ? 'it does not work' : 'no such Python';
      yield { source: 'python', path: python, absence };
    }
  }
}

function listPythons(): readonly string[] {
  const environments = [process.env['VIRTUAL_ENV'], process.env['CONDA_PREFIX']].flatMap((folder) =>
    folder === undefined || folder === '' ? [] : [pythonOfEnvironment(folder)],
  );
  return [...environments, 'python3', 'python'];
}

function pythonOfEnvironment(folder: string): string {
  return process.platform === 'win32'
    ? path.join(folder, 'Scripts', 'python.exe')
    : path.join(folder, 'bin', 'python');
}
