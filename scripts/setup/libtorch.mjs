// @ts-check
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fetchLibtorch } from './fetch-libtorch.mjs';
import {
  buildFolder,
  cacheFolder,
  libtorchVersion,
  virtualEnvironment,
  virtualEnvironmentPython,
} from './paths.mjs';
import { listPythonCommands } from './prerequisites.mjs';
import { probe, say, SetupError } from './run.mjs';

/** @typedef {{ path: string, version: string, source: 'environment' | 'cache' | 'python' | 'download' }} Libtorch */
/** @typedef {{ path: string, version: string }} OtherTorch a torch of another version */

/**
 * @typedef {object} Search where to look; everything has this machine as its default
 * @property {NodeJS.ProcessEnv} [environment]
 * @property {readonly string[]} [pythons] Python commands, best first
 * @property {import('./prerequisites.mjs').Probe} [ask]
 * @property {Libtorch | null} [recorded] what the last set-up took
 */

const record = path.join(buildFolder, 'libtorch.json');

/** Finds a torch package without importing it. */
const locateTorch =
  'import importlib.util, os; s = importlib.util.find_spec("torch"); print(os.path.dirname(s.origin) if s and s.origin else "")';

/**
 * The cache's folder for this platform.
 * @param {NodeJS.ProcessEnv} [environment]
 */
export function cachedLibtorch(environment = process.env) {
  const name = `${libtorchVersion}-cpu-${process.platform}-${process.arch}`;
  return path.join(cacheFolder(environment), 'libtorch', name);
}

/**
 * The version of a libtorch folder, or why it cannot be built against.
 * @param {string} folder
 * @returns {{ version: string } | { reason: string, version?: string }}
 */
export function inspectLibtorch(folder) {
  if (!existsSync(folder)) return { reason: 'the folder does not exist' };
  const library = libtorchLibrary(folder);
  if (!existsSync(library)) return { reason: `there is no ${path.relative(folder, library)}` };
  if (!existsSync(path.join(folder, 'include', 'torch', 'library.h'))) {
    return { reason: 'there are no headers in include/' };
  }
  const version = readVersion(folder);
  if (version === null) return { reason: 'it says no version in version.py or build-version' };
  if (version.split('+')[0] !== libtorchVersion) {
    return { reason: `it is version ${version}, but ${libtorchVersion} is needed`, version };
  }
  return { version };
}

/** @param {string} folder */
function libtorchLibrary(folder) {
  /** @type {Partial<Record<NodeJS.Platform, string>>} */
  const names = { win32: 'torch_cpu.dll', darwin: 'libtorch_cpu.dylib' };
  return path.join(folder, 'lib', names[process.platform] ?? 'libtorch_cpu.so');
}

/** @param {string} folder */
function readVersion(folder) {
  const python = path.join(folder, 'version.py');
  if (existsSync(python)) {
    return /^__version__\s*=\s*['"]([^'"]+)/m.exec(readFileSync(python, 'utf8'))?.[1] ?? null;
  }
  const plain = path.join(folder, 'build-version');
  return existsSync(plain) ? readFileSync(plain, 'utf8').trim() : null;
}

/**
 * libtorch where it is already: CAUSAL_TRACER_LIBTORCH, the cache, a Python environment.
 * @param {Search} [search]
 * @returns {{ found: Libtorch | null, others: OtherTorch[] }} null if it is nowhere; the other versions that were passed over
 * @throws SetupError if CAUSAL_TRACER_LIBTORCH names something else than the pinned version
 */
export function findInstalledLibtorch({
  environment = process.env,
  pythons = listPythons(environment),
  ask = probe,
  recorded = null,
} = {}) {
  const asked = environment['CAUSAL_TRACER_LIBTORCH'];
  if (asked) return { found: inspectAsked(asked), others: [] };
  const cache = cachedLibtorch(environment);
  const cached = inspectLibtorch(cache);
  if (!('reason' in cached))
    return { found: { path: cache, version: cached.version, source: 'cache' }, others: [] };
  // Asking every Python takes a second or two, so the environment that was taken once is kept while it lasts.
  if (recorded?.source === 'python') {
    const kept = inspectLibtorch(recorded.path);
    if (!('reason' in kept)) return { found: { ...recorded, version: kept.version }, others: [] };
  }
  /** @type {OtherTorch[]} */
  const others = [];
  for (const python of pythons) {
    const folder = ask(python, ['-c', locateTorch]);
    if (!folder) continue;
    const inspected = inspectLibtorch(folder);
    if (!('reason' in inspected)) {
      return { found: { path: folder, version: inspected.version, source: 'python' }, others };
    }
    const { version } = inspected;
    if (version !== undefined && others.every(({ path: known }) => known !== folder)) {
      others.push({ path: folder, version });
    }
  }
  return { found: null, others };
}

/**
 * @param {string} asked
 * @returns {Libtorch}
 */
function inspectAsked(asked) {
  const folder = path.resolve(asked);
  const inspected = inspectLibtorch(folder);
  if (!('reason' in inspected)) return { path: folder, version: inspected.version, source: 'environment' };
  throw new SetupError(
    `CAUSAL_TRACER_LIBTORCH is ${asked}, which cannot be used: ${inspected.reason}.\n` +
      `Point it at libtorch ${libtorchVersion} (a folder with include/ and lib/, for example that of a Python torch), or unset it.`,
  );
}

/** @param {NodeJS.ProcessEnv} environment */
function listPythons(environment) {
  const folders = [virtualEnvironment, environment['VIRTUAL_ENV'], environment['CONDA_PREFIX']];
  const environments = folders.flatMap((folder) => (folder ? [virtualEnvironmentPython(folder)] : []));
  return [...environments, ...listPythonCommands({ environment })];
}

/**
 * The libtorch to build against, fetched if there is none, and recorded for the addon's loader.
 * @returns {Promise<Libtorch>}
 */
export async function ensureLibtorch() {
  const recorded = readRecord();
  const { found, others } = findInstalledLibtorch({ recorded });
  for (const { path: folder, version } of others) {
    say(`Passed over torch ${version} in ${folder}: ${libtorchVersion} is needed`);
  }
  const libtorch = found ?? (await downloadLibtorch());
  if (libtorch.path !== recorded?.path || libtorch.source !== recorded.source) {
    mkdirSync(buildFolder, { recursive: true });
    writeFileSync(record, `${JSON.stringify(libtorch, null, 2)}\n`);
  }
  say(`libtorch ${libtorch.version}, ${describeSource(libtorch)}`);
  return libtorch;
}

/** @param {Libtorch} libtorch */
function describeSource({ source, path: folder }) {
  const origin = {
    environment: 'named by CAUSAL_TRACER_LIBTORCH',
    cache: "from the project's cache",
    python: 'from a Python environment',
    download: 'fetched with pip',
  };
  return `${origin[source]}: ${folder}`;
}

/** @returns {Libtorch | null} */
function readRecord() {
  try {
    return JSON.parse(readFileSync(record, 'utf8'));
  } catch {
    return null;
  }
}

/** @returns {Promise<Libtorch>} */
async function downloadLibtorch() {
  const folder = cachedLibtorch();
  await fetchLibtorch(folder);
  const inspected = inspectLibtorch(folder);
  if (!('reason' in inspected)) return { path: folder, version: inspected.version, source: 'download' };
  throw new SetupError(`The fetched libtorch at ${folder} cannot be used: ${inspected.reason}.`);
}
