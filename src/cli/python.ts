import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { CausalTracerError } from '../errors.js';
import { LIBTORCH_VERSION } from '../native/libtorch-folder.js';
import { packagePath } from './package-root.js';

/** Where a Python was found. */
export type PythonSource =
  '--python' | 'CAUSAL_TRACER_PYTHON' | '.venv of this package' | 'VIRTUAL_ENV' | 'PATH';

/** A Python command that may or may not be there. */
export interface PythonCandidate {
  readonly command: string;
  readonly source: PythonSource;
}

/** A Python that answered. */
export interface FoundPython extends PythonCandidate {
  /** The interpreter's own path. */
  readonly executable: string;
  readonly version: string;
  /** Version of torch; null if it is not installed. */
  readonly torch: string | null;
  /** Version of transformers; null if it is not installed. */
  readonly transformers: string | null;
}

/** A Python that was looked at and cannot run the exporter. */
export interface RejectedPython extends PythonCandidate {
  readonly reason: string;
}

export interface PythonSearch {
  readonly chosen: FoundPython | null;
  readonly rejected: readonly RejectedPython[];
}

/** Path of the exporter's pinned requirements. */
export const requirementsFile = packagePath('scripts', 'requirements.txt');

/** Versions that the exporter accepts. */
const NEEDED: readonly (readonly ['torch' | 'transformers', string])[] = [
  ['torch', LIBTORCH_VERSION.split('.', 2).join('.')],
  ['transformers', '5'],
];
const OLDEST_VERSION: readonly [number, number] = [3, 10];
const PROBE_MILLISECONDS = 30_000;

/** Looks for packages without importing them, and not in the current folder. */
const PROBE = `
import sys
sys.path = [place for place in sys.path if place]
import importlib.metadata, importlib.util, json
def version(name):
    if importlib.util.find_spec(name) is None:
        return None
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"
print(json.dumps({
    "executable": sys.executable,
    "version": ".".join(map(str, sys.version_info[:3])),
    "torch": version("torch"),
    "transformers": version("transformers"),
}))
`;

/**
 * The Pythons to try, best first. One that the user names, with `--python` or `CAUSAL_TRACER_PYTHON`, is the only one.
 *
 * @param given what `--python` says.
 */
export function listPythons(given: string | undefined, env: NodeJS.ProcessEnv): PythonCandidate[] {
  if (given !== undefined) return [{ command: given, source: '--python' }];
  const named = env['CAUSAL_TRACER_PYTHON'] ?? '';
  if (named !== '') return [{ command: named, source: 'CAUSAL_TRACER_PYTHON' }];
  const candidates: PythonCandidate[] = [];
  const own = pythonOfEnvironment(packagePath('.venv'));
  if (existsSync(own)) candidates.push({ command: own, source: '.venv of this package' });
  const active = env['VIRTUAL_ENV'] ?? '';
  if (active !== '') candidates.push({ command: pythonOfEnvironment(active), source: 'VIRTUAL_ENV' });
  return [...candidates, { command: 'python3', source: 'PATH' }, { command: 'python', source: 'PATH' }];
}

/** The first candidate that can run the exporter, and why those before it cannot. */
export async function searchPython(candidates: readonly PythonCandidate[]): Promise<PythonSearch> {
  const rejected: RejectedPython[] = [];
  for (const candidate of candidates) {
    const found = await probePython(candidate);
    if ('executable' in found) {
      const problem = problemOf(found);
      if (problem === null) return { chosen: found, rejected };
      rejected.push({ ...candidate, reason: problem });
    } else rejected.push(found);
  }
  return { chosen: null, rejected };
}

/**
 * The Python that runs the exporter.
 *
 * @throws CausalTracerError `PYTHON_NOT_FOUND`, saying what was looked at and how to get one.
 */
export async function requirePython(given: string | undefined): Promise<FoundPython> {
  const { chosen, rejected } = await searchPython(listPythons(given, process.env));
  if (chosen !== null) return chosen;
  throw new CausalTracerError(
    'PYTHON_NOT_FOUND',
    [
      `No Python was found that has ${neededPackages()}, which exporting needs. Looked at:`,
      ...rejected.map(({ command, source, reason }) => `  ${command} (${source}): ${reason}`),
      pythonRemedy(),
    ].join('\n'),
  );
}

/** What a Python must have, for messages. */
export function neededPackages(): string {
  return NEEDED.map(([name, version]) => `${name} ${version}`).join(' and ');
}

/** How to get a Python that can run the exporter. */
export function pythonRemedy(): string {
  const environment = '.venv-causal-tracer';
  const python = pythonOfEnvironment(environment);
  return (
    'Make one, and name it with --python or CAUSAL_TRACER_PYTHON:\n' +
    `  python3 -m venv ${environment}\n` +
    `  ${python} -m pip install -r ${shellQuoted(requirementsFile)}\n` +
    `  export CAUSAL_TRACER_PYTHON=${shellQuoted(path.resolve(python))}`
  );
}

async function probePython(candidate: PythonCandidate): Promise<FoundPython | RejectedPython> {
  return new Promise((resolve) => {
    const reject = (reason: string): void => {
      resolve({ ...candidate, reason });
    };
    const child = spawn(candidate.command, ['-c', PROBE], { stdio: ['ignore', 'pipe', 'ignore'] });
    // spawn's own timeout would keep this process alive after a command that is not found.
    const timeout = setTimeout(() => child.kill(), PROBE_MILLISECONDS);
    timeout.unref();
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      printed += chunk;
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? 'not found' : error.message);
    });
    child.on('close', (code) => {
      clearTimeout(timeout);
      try {
        const answer = JSON.parse(printed) as Omit<FoundPython, keyof PythonCandidate>;
        resolve({ ...candidate, ...answer });
      } catch {
        reject(code === 0 ? 'it is no Python' : `it does not work (exit status ${code ?? 'none'})`);
      }
    });
  });
}

function problemOf(python: FoundPython): string | null {
  const { version } = python;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major !== OLDEST_VERSION[0] || minor < OLDEST_VERSION[1]) {
    return `Python ${version}, but ${OLDEST_VERSION.join('.')} or newer is needed`;
  }
  const problems = NEEDED.flatMap(([name, needed]) => {
    const installed = python[name];
    if (installed === null) return [`no ${name}`];
    return `${installed}.`.startsWith(`${needed}.`) ? [] : [`${name} ${installed}, but ${needed} is needed`];
  });
  return problems.length === 0 ? null : `Python ${version}: ${problems.join('; ')}`;
}

function pythonOfEnvironment(folder: string): string {
  return process.platform === 'win32'
    ? path.join(folder, 'Scripts', 'python.exe')
    : path.join(folder, 'bin', 'python');
}

function shellQuoted(text: string): string {
  return /^[\w./:=+-]+$/.test(text) ? text : `"${text}"`;
}
