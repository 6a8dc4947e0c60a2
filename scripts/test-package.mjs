// @ts-check
// Installs the packed tarballs as a user would, with every package manager that can be had, and uses them.
// Its last line sums up. Parameters name the package managers to try; without any, all are.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  loadPlatforms,
  libtorchManifest,
  mainManifest,
  addonManifest,
  readOwnManifest,
} from './packaging/packages.mjs';
import { checksOfEveryManager, checksOnce } from './packaging/test/checks.mjs';
import { packageManagers } from './packaging/test/package-managers.mjs';
import { makePath, Project } from './packaging/test/project.mjs';
import { startRegistry } from './packaging/test/registry.mjs';
import { timeFirstTrace, timeToHeatmap } from './packaging/test/times.mjs';
import { tarballOf } from './packaging/tarball.mjs';
import { buildFolder, projectRoot } from './setup/paths.mjs';
import { probe, runMain, SetupError, tryStep } from './setup/run.mjs';
import { npmCommand } from './setup/steps.mjs';

/** @typedef {import('./packaging/test/package-managers.mjs').PackageManager} PackageManager */

/** What checks need beside the package: of the user's side, so with versions of their own. */
const tools = { '@types/node': '20.19.43', typescript: '6.0.3', esbuild: '0.28.2' };

/** @type {string[]} */
const outcomes = [];
let failures = 0;

await runMain(async () => {
  const asked = process.argv.slice(2).map((name) => name.toLowerCase());
  const managers = packageManagers.filter(
    ({ name }) => asked.length === 0 || asked.includes(name.toLowerCase()),
  );
  const npm = npmCommand([]);
  if (npm.command === 'npm') throw new SetupError('Start it with "npm run test:package".');
  const upstream = probe(npm.command, [...npm.parameters, 'config', 'get', 'registry']);
  if (upstream === null) throw new SetupError('npm does not say which registry it uses.');
  const folder = mkdtempSync(path.join(tmpdir(), 'causal tracer ünïcödé 因果 '));
  // Another user reads what lies in it, too.
  chmodSync(folder, 0o755);
  const registry = await startRegistry(await listPublished(), upstream);
  try {
    makePath(path.join(folder, 'bin'));
    mkdirSync(path.join(folder, 'home'));
    const workplace = {
      folder,
      registry: registry.address,
      npm: [npm.command, ...npm.parameters],
      programs: path.join(projectRoot, 'scripts', 'packaging', 'programs'),
    };
    for (const manager of managers) await testManager(workplace, manager);
  } finally {
    registry.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
  console.log(`\ntest:package: ${outcomes.join('; ')}`);
  return failures === 0 ? 0 : 1;
});

/** The packages of this platform with their tarballs, and those of the others without. */
async function listPublished() {
  const platforms = await loadPlatforms();
  const current = platforms.currentPlatform();
  const manifests = platforms.PLATFORMS.flatMap((platform) =>
    [
      addonManifest(platform, platforms.addonPackage(platform.name)),
      libtorchManifest(platform, platforms.libtorchPackage(platform.name)),
    ].map((manifest) => ({ manifest, isHere: platform === current })),
  );
  return [{ manifest: mainManifest(platforms), isHere: true }, ...manifests].map(({ manifest, isHere }) => {
    const tarball = tarballOf(manifest);
    if (isHere && !existsSync(tarball)) {
      throw new SetupError(
        `${path.relative(projectRoot, tarball)} is missing: run "npm run pack:all" first.`,
      );
    }
    return { manifest, tarball: isHere ? tarball : null };
  });
}

/**
 * @param {import('./packaging/test/project.mjs').Workplace} workplace
 * @param {PackageManager} manager
 */
async function testManager(workplace, manager) {
  const toolFolder = await fetchTool(manager);
  if (toolFolder === null) {
    const { tool } = manager;
    outcomes.push(`${manager.name} skipped (${tool?.package}@${tool?.version} cannot be fetched)`);
    console.log(`${manager.name}: ${outcomes.at(-1)}`);
    return;
  }
  const project = new Project(workplace, manager, toolFolder, manager.name);
  const dependencies = { [readOwnManifest().name]: readOwnManifest().version, ...tools };
  let [passed, failed] = [0, 0];

  /**
   * @param {string} name
   * @param {() => Promise<string>} check
   */
  async function attempt(name, check) {
    try {
      console.log(`${manager.name}: ${name}: ok, ${await check()}`);
      passed++;
      return true;
    } catch (error) {
      console.log(
        `${manager.name}: ${name}: FAILED\n${error instanceof Error ? error.message : String(error)}`,
      );
      failed++;
      return false;
    }
  }

  const installed = await attempt(
    'install',
    async () => `${((await project.install(dependencies)) / 1000).toFixed(1)} s`,
  );
  if (installed) {
    for (const { name, run } of checksOfEveryManager) await attempt(name, async () => await run(project));
    if (manager.tool === null) {
      for (const { name, run } of checksOnce) await attempt(name, async () => await run(project));
      const model = path.join(project.folder, 'node_modules', 'causal-tracer', 'models', 'demo-gpt2');
      await attempt('first trace', async () => await timeFirstTrace(project, model));
      await attempt('from npm install to heatmaps', async () => await timeToHeatmap(project, dependencies));
    }
  }
  rmSync(project.folder, { recursive: true, force: true, maxRetries: 3 });
  failures += failed;
  outcomes.push(`${manager.name} ${failed === 0 ? 'ok' : `FAILED ${failed} of`} (${passed + failed} checks)`);
}

/**
 * Installs a package manager for the tests alone; gives the folder, or null if it cannot be had.
 * @param {PackageManager} manager
 */
async function fetchTool({ name, tool }) {
  if (tool === null) return '';
  const folder = path.join(
    buildFolder,
    'package-test',
    `${tool.package}-${tool.version}`.replaceAll(/[@/]/g, ''),
  );
  if (existsSync(path.join(folder, 'node_modules', tool.package))) return folder;
  mkdirSync(folder, { recursive: true });
  const parameters = [
    'install',
    '--prefix',
    folder,
    '--ignore-scripts',
    '--no-save',
    `${tool.package}@${tool.version}`,
  ];
  const { failure } = await tryStep({ title: `Fetch ${name}`, ...npmCommand(parameters) });
  return failure === null ? folder : null;
}
