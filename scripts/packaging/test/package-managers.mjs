// @ts-check
import { existsSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';

/**
 * @typedef {object} PackageManager
 * @property {string} name
 * @property {{ package: string, version: string, file: string } | null} tool what has it, and its program therein; null
 *   for the npm that is there
 * @property {(registry: string) => Readonly<Record<string, string>>} settings files of a project, with their text
 * @property {(registry: string, caches: string) => Readonly<Record<string, string>>} environment
 * @property {readonly string[]} install
 * @property {readonly string[]} run what comes before the file of a program; empty for Node itself
 * @property {boolean} [importsOnly] whether `require` does not find what an ES module imports
 * @property {readonly string[] | null} bin what comes before the name of a command; null for the one in node_modules/.bin
 */

const yarn = { package: '@yarnpkg/cli-dist', version: '4.18.1', file: 'bin/yarn.js' };

/**
 * @param {string} linker
 * @returns {(registry: string) => Readonly<Record<string, string>>}
 */
const yarnSettings = (linker) => (registry) => ({
  '.yarnrc.yml': [
    `nodeLinker: ${linker}`,
    `npmRegistryServer: '${registry}'`,
    `unsafeHttpWhitelist: ['127.0.0.1']`,
    'enableScripts: false',
    'enableTelemetry: false',
    'enableImmutableInstalls: false',
    '',
  ].join('\n'),
  'yarn.lock': '',
});

/**
 * @param {string} _registry
 * @param {string} caches
 */
const yarnEnvironment = (_registry, caches) => ({ YARN_GLOBAL_FOLDER: path.join(caches, 'yarn') });

/** @type {readonly PackageManager[]} */
export const packageManagers = [
  {
    name: 'npm',
    tool: null,
    settings: () => ({}),
    environment: (registry, caches) => ({
      npm_config_registry: registry,
      npm_config_cache: path.join(caches, 'npm'),
      npm_config_ignore_scripts: 'true',
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      npm_config_update_notifier: 'false',
    }),
    install: ['install'],
    run: [],
    bin: null,
  },
  {
    name: 'pnpm',
    tool: { package: 'pnpm', version: '12.21.0', file: 'bin/pnpm.mjs' },
    settings: (registry) => ({ '.npmrc': `registry=${registry}\n` }),
    environment: (registry, caches) => ({
      pnpm_config_registry: registry,
      pnpm_config_store_dir: path.join(caches, 'pnpm', 'store'),
      pnpm_config_cache_dir: path.join(caches, 'pnpm', 'cache'),
    }),
    install: ['install', '--ignore-scripts'],
    run: [],
    bin: null,
  },
  {
    name: 'Yarn node-modules',
    tool: yarn,
    settings: yarnSettings('node-modules'),
    environment: yarnEnvironment,
    install: ['install'],
    run: [],
    bin: null,
  },
  {
    name: 'Yarn PnP',
    tool: yarn,
    settings: yarnSettings('pnp'),
    environment: yarnEnvironment,
    install: ['install'],
    run: ['node'],
    // Its hook sees what a required ES module imports only where Node has synchronous hooks: 22.15 and newer.
    importsOnly: !('registerHooks' in module),
    bin: ['run'],
  },
  {
    name: 'Bun',
    tool: { package: 'bun', version: '1.4.5', file: bunProgram() },
    settings: (registry) => ({ 'bunfig.toml': `[install]\nregistry = "${registry}"\n` }),
    environment: (_registry, caches) => ({ BUN_INSTALL_CACHE_DIR: path.join(caches, 'bun') }),
    install: ['install', '--ignore-scripts'],
    run: [],
    bin: null,
  },
];

/** Bun's own program: the package's would first be put in place by an install script. */
function bunProgram() {
  const architecture = process.arch === 'arm64' ? 'aarch64' : process.arch;
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const program = process.platform === 'win32' ? 'bun.exe' : 'bun';
  return `../@oven/bun-${os}-${architecture}/bin/${program}`;
}

/**
 * The command of a package manager that is installed below a folder.
 * @param {PackageManager} manager
 * @param {string} folder
 * @param {readonly string[]} npm the command of npm
 * @returns {readonly string[]}
 */
export function commandOf({ name, tool }, folder, npm) {
  if (tool === null) return npm;
  const file = path.join(folder, 'node_modules', tool.package, tool.file);
  if (!existsSync(file)) throw new Error(`${name} is missing: there is no ${file}`);
  return /\.[cm]?js$/.test(file) ? [process.execPath, file] : [file];
}
