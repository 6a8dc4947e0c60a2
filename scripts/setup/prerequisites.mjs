// @ts-check
import { probe } from './run.mjs';

/**
 * @typedef {object} Prerequisite
 * @property {string} name what is needed
 * @property {boolean} found
 * @property {string} detail what was found
 * @property {string} remedy how to get it on this platform
 */

/** @typedef {(command: string, parameters: readonly string[]) => string | null} Probe */

/**
 * @typedef {object} Machine what the checks look at; everything has the running process as its default
 * @property {Probe} [ask]
 * @property {string} [nodeVersion]
 * @property {string} [platform]
 * @property {NodeJS.ProcessEnv} [environment]
 */

/** @typedef {{ command: string, version: string, hasTorch: boolean }} Python */

/** The oldest Python that the project supports, and the newest that has a PyTorch of the pinned version. */
const oldestPython = 10;
const newestPython = 14;

const pythonCheck = 'import sys, venv, ensurepip; print("%d.%d.%d" % sys.version_info[:3])';
const cppCheck = ['-std=c++20', '-fsyntax-only', '-include', 'concepts', '-include', 'span', '-x', 'c++'];

/** @type {Record<string, Partial<Record<string, string>>>} */
const remedies = {
  python: {
    linux: 'apt-get install python3 python3-venv python3-pip',
    darwin: 'brew install python@3.13',
    win32: 'winget install Python.Python.3.13',
  },
  compiler: {
    linux: 'apt-get install g++',
    darwin: 'xcode-select --install',
    win32: 'winget install Microsoft.VisualStudio.2022.BuildTools',
  },
  cmake: {
    linux: 'apt-get install cmake',
    darwin: 'brew install cmake',
    win32: 'winget install Kitware.CMake',
  },
  make: {
    linux: 'apt-get install ninja-build',
    darwin: 'brew install ninja',
    win32: 'winget install Ninja-build.Ninja',
  },
};

/**
 * Pythons to try, best first: `CAUSAL_TRACER_PYTHON`, what `python3` means, then particular versions.
 * @param {Machine} [machine]
 */
export function listPythonCommands({ platform = process.platform, environment = process.env } = {}) {
  const asked = environment['CAUSAL_TRACER_PYTHON'];
  const usual = platform === 'win32' ? ['python', 'py'] : ['python3', 'python'];
  const versions = [];
  for (let minor = newestPython; minor >= oldestPython; --minor) versions.push(`python3.${minor}`);
  return [...(asked ? [asked] : []), ...usual, ...versions];
}

/**
 * The Python to use: the first that can make virtual environments and has a PyTorch of the pinned version, else the
 * first that is new enough; null if there is none.
 * @param {Machine} [machine]
 * @returns {Python | null}
 */
export function findPython(machine = {}) {
  const ask = machine.ask ?? probe;
  /** @type {Python | null} */
  let tooNew = null;
  for (const command of listPythonCommands(machine)) {
    const version = ask(command, ['-c', pythonCheck]);
    if (version === null || !isAtLeast(version, 3, oldestPython)) continue;
    if (!isAtLeast(version, 3, newestPython + 1)) return { command, version, hasTorch: true };
    tooNew ??= { command, version, hasTorch: false };
  }
  return tooNew;
}

/**
 * What the set-up needs of a machine, and whether it is there.
 * @param {Machine} [machine]
 * @returns {Prerequisite[]}
 */
export function checkPrerequisites(machine = {}) {
  const { platform = process.platform, nodeVersion = process.versions.node } = machine;
  const remedy = (/** @type {string} */ name) =>
    remedies[name]?.[platform] ?? `install ${name} with your system's package manager`;
  return [
    {
      name: 'Node 20.19 or newer (of 22: 22.12 or newer)',
      found: isSupportedNode(nodeVersion),
      detail: `this is ${nodeVersion}`,
      remedy: 'install a current release from https://nodejs.org',
    },
    { ...checkPython(machine), remedy: `${remedy('python')} (or set CAUSAL_TRACER_PYTHON)` },
    // On Windows, cmake-js asks Visual Studio's installer for the compiler, which is not on the PATH.
    ...(platform === 'win32'
      ? []
      : [{ ...checkCompiler(machine), remedy: `${remedy('compiler')} (or set CXX)` }]),
    { ...checkCMake(machine), remedy: remedy('cmake') },
    ...(platform === 'win32' ? [] : [{ ...checkMake(machine), remedy: remedy('make') }]),
  ];
}

/** @param {Machine} machine */
function checkPython(machine) {
  const python = findPython(machine);
  return {
    name: `Python 3.${oldestPython} or newer, with venv`,
    found: python !== null,
    detail: python === null ? describeWrongPython(machine) : `${python.command} is ${python.version}`,
  };
}

/** @param {Machine} machine */
function describeWrongPython(machine) {
  const ask = machine.ask ?? probe;
  for (const command of listPythonCommands(machine)) {
    const version = ask(command, ['-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3])']);
    if (version === null) continue;
    return isAtLeast(version, 3, oldestPython)
      ? `${command} is ${version}, but lacks its modules venv and ensurepip`
      : `${command} is ${version}`;
  }
  return 'no python3 or python on the PATH';
}

/** @param {Machine} machine */
function checkCompiler({ ask = probe, platform = process.platform, environment = process.env }) {
  const asked = environment['CXX'];
  const candidates = asked ? [asked] : ['c++', 'g++', 'clang++'];
  const nothing = platform === 'win32' ? 'NUL' : '/dev/null';
  const usable = candidates.find((command) => ask(command, [...cppCheck, nothing]) !== null);
  const present = candidates.find((command) => ask(command, ['--version']) !== null);
  const version = present === undefined ? '' : (ask(present, ['--version'])?.split('\n')[0] ?? '');
  return {
    name: 'a C++20 compiler',
    found: usable !== undefined,
    detail:
      usable ??
      (present === undefined
        ? `no ${candidates.join(', ')} on the PATH`
        : `${present} does not compile C++20: ${version}`),
  };
}

/** @param {Machine} machine */
function checkCMake({ ask = probe }) {
  const version = /cmake version (\S+)/.exec(ask('cmake', ['--version']) ?? '')?.[1];
  return {
    name: 'CMake 3.20 or newer',
    found: version !== undefined && isAtLeast(version, 3, 20),
    detail: version === undefined ? 'no cmake on the PATH' : `this is ${version}`,
  };
}

/** @param {Machine} machine */
function checkMake({ ask = probe }) {
  const found = ['ninja', 'make'].find((command) => ask(command, ['--version']) !== null);
  return { name: 'Ninja or Make', found: found !== undefined, detail: found ?? 'neither is on the PATH' };
}

/**
 * What to tell the user; null if nothing is missing.
 * @param {readonly Prerequisite[]} prerequisites
 */
export function describeMissing(prerequisites) {
  const missing = prerequisites.filter(({ found }) => !found);
  if (missing.length === 0) return null;
  const lines = missing.map(({ name, detail, remedy }) => `  ${name} (${detail})\n      remedy: ${remedy}`);
  return `Some things that causal-tracer is built with are missing:\n${lines.join('\n')}`;
}

/** @param {string} version */
function isSupportedNode(version) {
  const major = Number(version.split('.')[0]);
  if (major === 20) return isAtLeast(version, 20, 19);
  return major === 22 ? isAtLeast(version, 22, 12) : major > 22;
}

/**
 * @param {string} version
 * @param {number} major
 * @param {number} minor
 */
function isAtLeast(version, major, minor) {
  const [foundMajor = 0, foundMinor = 0] = version.split('.').map(Number);
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}
