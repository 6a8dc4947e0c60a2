// @ts-check
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildFolder } from '../../setup/paths.mjs';
import { readOwnManifest } from '../packages.mjs';
import { compareWithGolden, readGoldenFlows } from './golden.mjs';
import { CommandError } from './project.mjs';

/** @typedef {import('./project.mjs').Project} Project */
/** @typedef {{ name: string, run: (project: Project) => Promise<string> }} Check gives what it found, in a few words */

const models = ['demo-gpt2', 'demo-llama'];
const pictures = 8;

/** An ordinary user on most systems, for a check that an administrator's rights would pass by. */
const nobody = 65_534;

/** @type {readonly Check[]} */
export const checksOfEveryManager = [
  { name: 'doctor', run: checkDoctor },
  { name: 'ES module', run: async (project) => await checkScores(project, 'esm.mjs') },
  { name: 'CommonJS', run: checkCommonJs },
  { name: 'worker thread', run: async (project) => await checkScores(project, 'worker.mjs', ['demo-gpt2']) },
  { name: 'demo', run: checkDemo },
  { name: 'types', run: checkTypes },
];

/** What does not depend on the package manager. @type {readonly Check[]} */
export const checksOnce = [
  { name: 'no install scripts', run: checkInstallScripts },
  { name: 'without optional dependencies', run: checkWithoutBinaries },
  { name: 'bundle', run: checkBundle },
  { name: 'read-only node_modules', run: checkReadOnly },
];

/**
 * The folder of the installed package.
 * @param {Project} project
 */
async function packageFolder(project) {
  const code = "process.stdout.write(path.dirname(require.resolve('causal-tracer/package.json')))";
  return (await project.node(['-e', code])).stdout;
}

/**
 * The parameter of a program that traces the golden flows of a model.
 * @param {Project} project
 * @param {string} model
 * @param {object} [more]
 */
async function requestFor(project, model, more) {
  const flows = readGoldenFlows(model).map(({ prompt, options }) => ({ prompt, options }));
  return JSON.stringify({ model: path.join(await packageFolder(project), 'models', model), flows, ...more });
}

/** @param {Project} project */
async function checkDoctor(project) {
  const { stdout } = await project.bin('causal-tracer', ['doctor', '--json']);
  /** @type {{ checks: { name: string, detail: string }[] }} */
  const { checks } = JSON.parse(stdout);
  const detailOf = (/** @type {string} */ wanted) => checks.find(({ name }) => name === wanted)?.detail ?? '';
  for (const [name, expected] of [
    ['libtorch', 'from the npm package'],
    ['addon', 'addon-'],
  ]) {
    const detail = detailOf(name ?? '');
    if (!detail.includes(expected ?? '')) throw new Error(`doctor says of ${name}: ${detail}`);
  }
  return 'addon and libtorch from their packages';
}

/**
 * @param {Project} project
 * @param {string} program
 * @param {readonly string[]} [names]
 */
async function checkScores(project, program, names = models) {
  let [largest, count] = [0, 0];
  for (const name of names) {
    const golden = readGoldenFlows(name);
    const { stdout } = await project.node([program, await requestFor(project, name)]);
    largest = Math.max(largest, compareWithGolden(JSON.parse(stdout), golden));
    count += golden.length;
  }
  return `${count} golden flows, largest difference ${largest.toExponential(1)}`;
}

/** @param {Project} project */
async function checkCommonJs(project) {
  const { importsOnly = false } = project.manager;
  const request = await requestFor(project, 'demo-gpt2', { importsOnly });
  const { stdout } = await project.node(['commonjs.cjs', request]);
  const golden = readGoldenFlows('demo-gpt2');
  const largest = compareWithGolden(JSON.parse(stdout).results, golden);
  const how = importsOnly ? `with import(), since require needs a newer Node here, ` : '';
  return `${how}${golden.length} golden flows, largest difference ${largest.toExponential(1)}`;
}

/** @param {Project} project */
async function checkDemo(project) {
  const { milliseconds } = await project.bin('causal-tracer', ['demo', '--output', 'out']);
  const drawn = readdirSync(path.join(project.folder, 'out')).filter((name) => isPicture(project, name));
  if (drawn.length !== pictures) throw new Error(`${drawn.length} pictures were drawn, not ${pictures}`);
  // Kept to be looked at.
  cpSync(
    path.join(project.folder, 'out'),
    path.join(buildFolder, 'package-test', 'pictures', project.manager.name),
    {
      recursive: true,
    },
  );
  return `${drawn.length} pictures in ${(milliseconds / 1000).toFixed(1)} s`;
}

/**
 * Whether a file in the demo's output is a PNG that holds more than a blank page.
 * @param {Project} project
 * @param {string} name
 */
function isPicture(project, name) {
  const bytes = readFileSync(path.join(project.folder, 'out', name));
  return bytes.subarray(1, 4).toString() === 'PNG' && bytes.length > 10_000;
}

/** @param {Project} project */
async function checkTypes(project) {
  await project.bin('tsc', ['-p', '.']);
  return 'ES module and CommonJS, without skipLibCheck';
}

/**
 * Nothing that a user gets with the package may have to run at its installation.
 * @param {Project} project
 */
async function checkInstallScripts(project) {
  const lock = path.join(project.folder, 'node_modules', '.package-lock.json');
  /** @type {Record<string, { hasInstallScript?: boolean }>} */
  const packages = JSON.parse(readFileSync(lock, 'utf8')).packages;
  const names = Object.keys(packages).map((place) => place.replace('node_modules/', ''));
  const scripted = names.filter(
    (name) => packages[`node_modules/${name}`]?.hasInstallScript && name !== 'esbuild',
  );
  if (scripted.length > 0) throw new Error(`${scripted.join(', ')} would run install scripts`);
  if (names.includes('canvas')) throw new Error('canvas is installed, which has to be compiled');
  return await Promise.resolve(`${names.length} packages`);
}

/**
 * Where the binaries were not installed, errors say so, and how to get them.
 * @param {Project} project
 */
async function checkWithoutBinaries(project) {
  const { name, version } = readOwnManifest();
  const bare = project.sibling('without optional dependencies');
  await bare.install({ [name]: version }, ['--omit=optional']);
  for (const { program, expected } of [
    {
      program: 'esm.mjs',
      expected: ["code: 'ADDON_NOT_FOUND'", '@causal-tracer/addon-', '--include=optional'],
    },
    {
      program: 'draw.mjs',
      expected: ["code: 'CANVAS_NOT_AVAILABLE'", '@napi-rs/canvas', '--include=optional'],
    },
  ]) {
    const request = await requestFor(bare, 'demo-gpt2');
    const message = await bare.node([program, request]).then(
      () => 'no error',
      (/** @type {unknown} */ error) => (error instanceof CommandError ? error.output : String(error)),
    );
    const absent = expected.filter((text) => !message.includes(text));
    if (absent.length > 0) throw new Error(`${program} does not say ${absent.join(', ')}, but:\n${message}`);
  }
  return 'errors name what is missing';
}

/** @param {Project} project */
async function checkBundle(project) {
  await project.node(['bundle.mjs']);
  const picture = path.join(project.folder, 'bundled', 'picture.png');
  const parameter = await requestFor(project, 'demo-gpt2', { picture });
  const { stdout } = await project.node(['bundled/esm.mjs', parameter]);
  const largest = compareWithGolden(JSON.parse(stdout), readGoldenFlows('demo-gpt2'));
  if (readFileSync(picture).length < 10_000) throw new Error('the heatmap is blank');
  return `one file traces and draws, largest difference ${largest.toExponential(1)}`;
}

/** @param {Project} project */
async function checkReadOnly(project) {
  const modules = path.join(project.folder, 'node_modules');
  const output = path.join(project.folder, 'writable');
  mkdirSync(output);
  chmodSync(output, 0o777);
  setWritable(modules, false);
  try {
    const options = {
      environment: { HOME: path.join(output, 'home') },
      ...(process.getuid?.() === 0 ? { user: nobody } : {}),
    };
    const probe = `try { fs.writeFileSync(${JSON.stringify(path.join(modules, 'probe'))}, ''); process.exit(1) } catch {}`;
    await project.node(['-e', probe], options);
    const picture = path.join(output, 'picture.png');
    const { stdout } = await project.node(
      ['esm.mjs', await requestFor(project, 'demo-gpt2', { picture })],
      options,
    );
    compareWithGolden(JSON.parse(stdout), readGoldenFlows('demo-gpt2'));
    return 'traces and draws';
  } finally {
    setWritable(modules, true);
  }
}

/**
 * Gives or takes the right to write into a folder and all below it.
 * @param {string} folder
 * @param {boolean} writable
 */
function setWritable(folder, writable) {
  chmodSync(folder, writable ? 0o755 : 0o555);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) chmodSync(path.join(entry.parentPath, entry.name), writable ? 0o755 : 0o555);
  }
}
