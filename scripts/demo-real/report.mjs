// @ts-check
import os from 'node:os';
import { formatTable } from '../bench/report.mjs';
import { modelName, samples, threads } from './facts.mjs';

/** @typedef {import('./trace-facts.mjs').TracedFact} TracedFact */
/** @typedef {import('./trace-facts.mjs').ComparedKind} ComparedKind */

/**
 * @typedef {object} Run
 * @property {{ layerCount: number, hiddenSize: number, dtype: string, quantization: { type: string } }} manifest
 * @property {string} libtorch version
 * @property {Record<string, string>} versions of Python and its packages
 * @property {readonly TracedFact[]} traced
 * @property {readonly ComparedKind[]} comparison of the first fact
 */

/**
 * The tables that the demo prints.
 * @param {Run} run
 */
export function describeRun({ manifest, libtorch, versions, traced, comparison }) {
  const { layerCount, hiddenSize, dtype, quantization } = manifest;
  const [compared] = traced;
  const difference = Math.max(...comparison.map((kind) => kind.difference));
  return [
    `\n${modelName}: ${layerCount} layers, ${hiddenSize} wide, ${quantization.type} dequantized to ${dtype}\n`,
    `${os.cpus()[0]?.model.trim() ?? 'unknown processor'}, ${threads} threads; ${samples} samples; libtorch ${libtorch}\n\n`,
    formatTable([
      ['fact', 'tokens', 'answer', 'clean', 'corrupted', 'seconds, three kinds'],
      ...traced.map(factRow),
    ]),
    `\n${compared?.fact.name}, in turns with the Python package ${versions['causal-tracer']}\n`,
    formatTable([['seconds', 'package', 'ours', 'ratio'], ...comparison.map(kindRow), totalRow(comparison)]),
    `Largest difference of a score: ${difference.toExponential(1)}\n`,
    `\nPictures:\n${traced.map(({ picture }) => `  ${picture}\n`).join('')}`,
  ].join('');
}

/** @param {TracedFact} traced */
function factRow({ fact, flows: [flow], seconds }) {
  return [
    fact.name,
    String(flow?.inputIds.length ?? 0),
    flow?.answer.trim() ?? '',
    flow?.highScore.toFixed(3) ?? '',
    flow?.lowScore.toFixed(3) ?? '',
    seconds.toFixed(1),
  ];
}

/** @param {ComparedKind} compared */
function kindRow({ kind, window, packageSeconds, ownSeconds }) {
  const title = window === 1 ? kind : `${kind}, window ${window}`;
  return [title, ...timeCells(packageSeconds, ownSeconds)];
}

/** @param {readonly ComparedKind[]} comparison */
function totalRow(comparison) {
  const sum = (/** @type {'packageSeconds' | 'ownSeconds'} */ what) =>
    comparison.reduce((total, kind) => total + kind[what], 0);
  return ['together', ...timeCells(sum('packageSeconds'), sum('ownSeconds'))];
}

/**
 * @param {number} packageSeconds
 * @param {number} ownSeconds
 */
function timeCells(packageSeconds, ownSeconds) {
  return [packageSeconds.toFixed(1), ownSeconds.toFixed(1), (packageSeconds / ownSeconds).toFixed(1)];
}
