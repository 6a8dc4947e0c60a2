// @ts-check
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { commandOf } from './package-managers.mjs';

/** @typedef {import('./package-managers.mjs').PackageManager} PackageManager */

/**
 * @typedef {object} Workplace where the projects of one run of the tests lie, and what they share
 * @property {string} folder
 * @property {string} registry
 * @property {readonly string[]} npm
 * @property {string} programs folder of the programs that the projects run
 */

/** A command that takes longer, in ms, hangs. */
const longestRun = 5 * 60_000;

/** All that the wrappers of commands in node_modules/.bin call; neither a compiler nor Python. */
const commandsAtHand = ['sh', 'basename', 'cat', 'dirname', 'env', 'readlink', 'sed', 'uname'];

/** A command that failed; its message ends with the last that the command said. */
export class CommandError extends Error {
  /**
   * @param {string} what
   * @param {string} output all that the command said
   */
  constructor(what, output) {
    super(`${what}:\n${output.trimEnd().split('\n').slice(-40).join('\n')}`);
    this.output = output;
  }
}

/** A user's project in which causal-tracer is installed by a package manager. */
export class Project {
  /** @type {string} */
  folder;

  /**
   * @param {Workplace} workplace
   * @param {PackageManager} manager
   * @param {string} toolFolder where the package manager is installed
   * @param {string} name
   */
  constructor(workplace, manager, toolFolder, name) {
    this.workplace = workplace;
    this.manager = manager;
    this.toolFolder = toolFolder;
    this.command = commandOf(manager, toolFolder, workplace.npm);
    this.folder = path.join(workplace.folder, name);
  }

  /**
   * Another project with the same package manager.
   * @param {string} name
   */
  sibling(name) {
    return new Project(this.workplace, this.manager, this.toolFolder, name);
  }

  /**
   * Writes the project and installs its dependencies; gives how long the installation took, in ms.
   * @param {Readonly<Record<string, string>>} dependencies
   * @param {readonly string[]} [options] of the package manager
   */
  async install(dependencies, options = []) {
    mkdirSync(this.folder, { recursive: true });
    cpSync(this.workplace.programs, this.folder, { recursive: true });
    const manifest = { name: 'project', version: '1.0.0', private: true, type: 'module', dependencies };
    const files = {
      'package.json': JSON.stringify(manifest, null, 2),
      ...this.manager.settings(this.workplace.registry),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(this.folder, name), text);
    const [command = '', ...parameters] = [...this.command, ...this.manager.install, ...options];
    return (await this.start(command, parameters)).milliseconds;
  }

  /**
   * Runs a program of the project with Node; gives what it prints.
   * @param {readonly string[]} parameters
   * @param {RunOptions} [options]
   */
  async node(parameters, options) {
    const { run } = this.manager;
    const [command = '', ...before] = run.length === 0 ? [process.execPath] : [...this.command, ...run];
    return await this.start(command, [...before, ...parameters], options);
  }

  /**
   * Runs a command of an installed package.
   * @param {string} name
   * @param {readonly string[]} parameters
   * @param {RunOptions} [options]
   */
  async bin(name, parameters, options) {
    if (this.manager.bin !== null) {
      const [command = '', ...before] = [...this.command, ...this.manager.bin];
      return await this.start(command, [...before, name, ...parameters], options);
    }
    const file = path.join(this.folder, 'node_modules', '.bin', name);
    return process.platform === 'win32'
      ? await this.start('cmd', ['/c', `${file}.cmd`, ...parameters], options)
      : await this.start(file, parameters, options);
  }

  /**
   * @typedef {{ environment?: Readonly<Record<string, string>>, user?: number }} RunOptions
   * @param {string} command
   * @param {readonly string[]} parameters
   * @param {RunOptions} [options]
   * @returns {Promise<{ stdout: string, milliseconds: number }>}
   * @throws CommandError if it fails
   */
  async start(command, parameters, { environment, user } = {}) {
    const started = performance.now();
    const child = spawn(command, [...parameters], {
      cwd: this.folder,
      env: { ...this.#environment(), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: longestRun,
      ...(user === undefined ? {} : { uid: user, gid: user }),
    });
    let [stdout, all] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      stdout += text;
      all += text;
    });
    child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => (all += text));
    /** @type {number | null} */
    const status = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
    const milliseconds = performance.now() - started;
    if (status === 0) return { stdout, milliseconds };
    throw new CommandError(`${[command, ...parameters].join(' ').slice(0, 300)} ended with ${status}`, all);
  }

  /** What a project sees of this machine: no compiler, no Python, no fonts, and nothing of the checkout's caches. */
  #environment() {
    const { folder, registry } = this.workplace;
    const kept = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SYSTEMROOT', 'COMSPEC', 'TEMP', 'TMP'];
    return {
      ...Object.fromEntries(kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
      PATH: path.join(folder, 'bin'),
      HOME: path.join(folder, 'home'),
      USERPROFILE: path.join(folder, 'home'),
      FONTCONFIG_FILE: path.join(folder, 'no-fonts.conf'),
      NO_COLOR: '1',
      CI: '1',
      ...this.manager.environment(registry, path.join(folder, 'caches')),
    };
  }
}

/**
 * Puts Node and the few commands that projects may find on their PATH into a folder.
 * @param {string} folder
 */
export function makePath(folder) {
  mkdirSync(folder, { recursive: true });
  const places = (process.env['PATH'] ?? '').split(path.delimiter);
  const find = (/** @type {string} */ name) =>
    places.map((place) => path.join(place, name)).find((file) => existsSync(file));
  if (process.platform === 'win32') {
    cpSync(process.execPath, path.join(folder, 'node.exe'));
    return;
  }
  symlinkSync(process.execPath, path.join(folder, 'node'));
  for (const name of commandsAtHand) {
    const file = find(name);
    if (file !== undefined) symlinkSync(file, path.join(folder, name));
  }
  const tools = readdirSync(folder).filter((name) =>
    /^(gcc|g\+\+|cc|c\+\+|clang|make|cmake|python)/.test(name),
  );
  if (tools.length > 0) throw new Error(`the projects would find ${tools.join(', ')}`);
}
