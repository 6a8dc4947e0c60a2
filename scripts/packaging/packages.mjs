// @ts-check
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { libtorchVersion, projectRoot } from '../setup/paths.mjs';
import { SetupError } from '../setup/run.mjs';

/** @typedef {import('../../src/native/platforms.js').Platform} Platform */
/** @typedef {Readonly<Record<string, unknown>> & { name: string, version: string }} Manifest what package.json holds */

/** The version of libtorch, and how often it was packed anew: the addon can be released without it. */
export const libtorchPackageVersion = `${libtorchVersion}-r.1`;

/** What package.json of the checkout says about working on the project. */
const onlyInCheckout = new Set(['scripts', 'devDependencies', 'overrides', 'binary', 'gypfile']);

/** Where a bundle of chartjs-node-canvas lies in the main package. */
export const chartBundle = 'dist/vendor/chartjs-node-canvas.js';

/** package.json of the checkout. */
export function readOwnManifest() {
  return JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8'));
}

/**
 * The table of platforms, and their packages' names, as the built library knows them.
 * @returns {Promise<typeof import('../../src/native/platforms.js')>}
 */
export async function loadPlatforms() {
  const built = path.join(projectRoot, 'dist', 'native', 'platforms.js');
  if (!existsSync(built)) throw new SetupError('dist/ is missing: run "npm run setup" first.');
  return await import(pathToFileURL(built).href);
}

/** The entry of this machine in the table of platforms. */
export async function loadCurrentPlatform() {
  const { currentPlatform, describePlatform } = await loadPlatforms();
  const platform = currentPlatform();
  if (platform === null) throw new SetupError(`No packages are made for ${describePlatform()}.`);
  return platform;
}

/**
 * package.json of the main package: that of the checkout without what only a checkout needs, and with the packages of
 * binaries, which `npm ci` in a checkout could not find before they are published.
 * @param {typeof import('../../src/native/platforms.js')} platforms
 * @returns {Manifest}
 */
export function mainManifest({ PLATFORMS, addonPackage, libtorchPackage }) {
  const own = readOwnManifest();
  const kept = Object.entries(own).filter(([key]) => !onlyInCheckout.has(key));
  const dependencies = Object.entries(own.dependencies).filter(([name]) => name !== 'chartjs-node-canvas');
  const binaries = PLATFORMS.flatMap(({ name }) => [
    [addonPackage(name), own.version],
    [libtorchPackage(name), libtorchPackageVersion],
  ]);
  return {
    ...Object.fromEntries(kept),
    name: own.name,
    version: own.version,
    ...publishing(),
    imports: { '#chartjs-node-canvas': `./${chartBundle}` },
    dependencies: Object.fromEntries(dependencies),
    optionalDependencies: Object.fromEntries(binaries),
  };
}

/**
 * package.json of the package with a platform's addon. `libtorch` is what the addon was built for.
 * @param {Platform} platform
 * @param {string} name
 * @returns {Manifest}
 */
export function addonManifest(platform, name) {
  const { version, license, engines } = readOwnManifest();
  return {
    name,
    version,
    description: `The native addon of causal-tracer for ${platform.name}.`,
    license,
    engines,
    ...restrictions(platform),
    ...publishing(),
    libtorch: libtorchVersion,
  };
}

/**
 * package.json of the package with a platform's libtorch.
 * @param {Platform} platform
 * @param {string} name
 * @returns {Manifest}
 */
export function libtorchManifest(platform, name) {
  return {
    name,
    version: libtorchPackageVersion,
    description: `libtorch ${libtorchVersion} for the CPU of ${platform.name}, as causal-tracer uses it.`,
    license: 'SEE LICENSE IN NOTICE.md',
    ...restrictions(platform),
    ...publishing(),
    libtorch: libtorchVersion,
  };
}

/** @param {Platform} platform */
function restrictions({ os, cpu, libc }) {
  return { os: [os], cpu: [cpu], ...(libc === null ? {} : { libc: [libc] }) };
}

/** What every published package says. Provenance needs the address of the repository, which the release workflow knows. */
function publishing() {
  const repository = process.env['GITHUB_REPOSITORY'];
  return {
    ...(repository ? { repository: { type: 'git', url: `git+https://github.com/${repository}.git` } } : {}),
    publishConfig: { access: 'public' },
    // Libraries and models are opened by path, so Yarn Plug'n'Play must not keep them in an archive.
    preferUnplugged: true,
  };
}
