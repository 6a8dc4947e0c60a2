// @ts-check
import { rmSync } from 'node:fs';
import path from 'node:path';
import { readGoldenFlows } from './golden.mjs';

/** @typedef {import('./project.mjs').Project} Project */

const turns = 5;
const longestStart = 2000;
const longestToHeatmap = 60_000;

/**
 * How long it takes to require the library, load a demo model and trace a fact: the median of some turns, and its parts.
 * @param {Project} project
 * @param {string} model folder of the demo model
 */
export async function timeFirstTrace(project, model) {
  const flows = readGoldenFlows('demo-gpt2').slice(0, 1);
  const request = JSON.stringify({ model, flows: flows.map(({ prompt, options }) => ({ prompt, options })) });
  /** @type {Record<string, number>[]} */
  const taken = [];
  for (let turn = 0; turn < turns; turn++) {
    const { stdout } = await project.node(['commonjs.cjs', request]);
    /** @type {{ times: Record<'require' | 'load' | 'trace', number>, parts: [string, number][] }} */
    const { times, parts } = JSON.parse(stdout);
    taken.push({ ...times, ...Object.fromEntries(parts), total: times.require + times.load + times.trace });
  }
  const sorted = taken.toSorted((one, other) => (one['total'] ?? NaN) - (other['total'] ?? NaN));
  const [fastest, median] = [sorted[0]?.['total'] ?? NaN, sorted[Math.floor(turns / 2)] ?? {}];
  const show = (/** @type {string} */ name) => `${Math.round(median[name] ?? NaN)} ms`;
  const description =
    `${show('total')}: require ${show('require')}, load ${show('load')} (of which opening libtorch ` +
    `${show('open libtorch')}, the addon ${show('open addon')}), first trace ${show('trace')}`;
  // The limit is for a machine that has nothing else to do.
  if (fastest < longestStart) return description;
  throw new Error(`${description}; the fastest of ${turns} must be below ${longestStart} ms`);
}

/**
 * How long it takes from the installation, with a warm cache, until the demo has drawn its heatmaps.
 * @param {Project} project one that was installed before
 * @param {Readonly<Record<string, string>>} dependencies
 */
export async function timeToHeatmap(project, dependencies) {
  for (const name of ['node_modules', 'package-lock.json', 'out']) {
    rmSync(path.join(project.folder, name), { recursive: true, force: true });
  }
  const install = await project.install(dependencies);
  const { milliseconds: demo } = await project.bin('causal-tracer', ['demo', '--output', 'out']);
  const seconds = (/** @type {number} */ milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`;
  const description = `${seconds(install + demo)}: installation ${seconds(install)}, all of the demo ${seconds(demo)}`;
  if (install + demo < longestToHeatmap) return description;
  throw new Error(`${description}; it must be below ${seconds(longestToHeatmap)}`);
}
