// @ts-check
import os from 'node:os';
import { describeShape } from './shapes.mjs';
import { fitExponent, median } from './statistics.mjs';

/** @typedef {import('./compare.mjs').Comparison} Comparison */
/** @typedef {import('./compare.mjs').Timing} Timing */
/** @typedef {import('./options.mjs').BenchOptions} BenchOptions */

/** @param {string} torchFolder */
export function describeMachine(torchFolder) {
  const [processor] = os.cpus();
  return (
    `${processor?.model.trim() ?? 'unknown processor'}, ${os.availableParallelism()} processors, ` +
    `${(os.totalmem() / 2 ** 30).toFixed(0)} GiB; load average ${os.loadavg()[0]?.toFixed(1)} at the start\n` +
    `Node.js ${process.versions.node}; both on the libtorch of ${torchFolder}\n`
  );
}

/**
 * @param {import('./shapes.mjs').Shape} shape
 * @param {Comparison} comparison
 * @param {BenchOptions} options
 */
export function describeComparison(shape, comparison, { samples, repeats, batchSize, threads }) {
  const { versions, loaded, loadSeconds, rates, timings } = comparison;
  const best = Math.max(...Object.values(rates));
  const kernels = Object.entries(rates).map(([name, rate]) => `${name} ${giga(rate)}`);
  const { plain, packed, complete } = loadSeconds;
  return [
    `${describeShape(shape)}\n`,
    `${samples} samples, ${threads} threads; the package in batches of ${batchSize}, ours with batchSize auto; warm: median of ` +
      `${repeats} in turns, after the first\n`,
    `Python ${versions['python']}, causal-tracer ${versions['causal-tracer']}, transformers ${versions['transformers']}; ` +
      `libtorch ${loaded.libtorch}\n`,
    `Kernels at [512, 768] x [768, 3072], GFLOP/s: ${kernels.join(', ')}\n`,
    `Load: ${complete.toFixed(2)} s; ${packed.toFixed(2)} s without proving the engines, ${plain.toFixed(2)} s without ` +
      `choosing kernels and packing, either. Weights ${mega(loaded.weightBytes)} MB; after loading ` +
      `${mega(loaded.loadedBytes)} MB more are held\n\n`,
    formatTable([
      ['seconds', 'package, first', 'package, warm', 'ours, first', 'ours, warm', 'ratio', 'difference'],
      ...timings.map(timeRow),
    ]),
    '\n',
    formatTable([
      ['work', 'package TFLOP', 'our TFLOP', 'our GFLOP/s', 'share', 'peak MB'],
      ...timings.map((timing) => workRow(timing, best)),
    ]),
    '\n',
  ].join('');
}

/** What the columns mean. */
export const legend = `ratio: warm package over warm ours. difference: largest of any score. TFLOP: two operations a multiplication in the
linear layers; ours counted by the engine, the package's computed: (1 + samples * (1 + tokens * layers)) rows, each of
all tokens through all layers and the vocabulary projection. share: our GFLOP/s of the best kernel's. peak: memory held
during traces, over the weights and what the process held before loading, libraries not counted. Several kinds in one
call are compared with the package's traces of the same kinds, one after the other.
`;

/** @param {Timing} timing */
function timeRow({ task, packageSeconds, ownSeconds, difference }) {
  const [packageFirst = 0, ...packageWarm] = packageSeconds;
  const [ownFirst = 0, ...ownWarm] = ownSeconds;
  return [
    task.title,
    packageFirst.toFixed(2),
    spread(packageWarm),
    ownFirst.toFixed(2),
    spread(ownWarm),
    (median(packageWarm) / median(ownWarm)).toFixed(2),
    difference.toExponential(1),
  ];
}

/**
 * @param {Timing} timing
 * @param {number} bestRate
 */
function workRow({ task, ownSeconds, packageMultiplications, ownMultiplications, peakBytes }, bestRate) {
  const rate = (2 * ownMultiplications) / median(ownSeconds.slice(1));
  return [
    task.title,
    tera(2 * packageMultiplications),
    tera(2 * ownMultiplications),
    giga(rate),
    `${((100 * rate) / bestRate).toFixed(0)} %`,
    mega(peakBytes),
  ];
}

/** @param {readonly import('./growth.mjs').Growth[]} growths */
export function describeGrowth(growths) {
  const parts = growths.map(({ name, points }) => {
    const exponent = (/** @type {'seconds' | 'multiplications'} */ what) =>
      fitExponent(points.map((point) => ({ x: point.x, y: point[what] }))).toFixed(2);
    const rows = points.map((point) => [
      String(point.x),
      point.seconds.toFixed(2),
      tera(2 * point.multiplications),
      giga((2 * point.multiplications) / point.seconds),
    ]);
    return (
      `Growth with ${name}: seconds as ${name}^${exponent('seconds')}, operations as ${name}^${exponent('multiplications')}\n` +
      `${formatTable([[name, 'seconds', 'our TFLOP', 'our GFLOP/s'], ...rows])}\n`
    );
  });
  return `Ours alone, hidden, every cell: the package would take hours.\n\n${parts.join('')}`;
}

/**
 * Columns as wide as their widest cell; the first to the left, the others to the right.
 * @param {readonly (readonly string[])[]} rows
 */
export function formatTable(rows) {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** @param {readonly number[]} values */
function spread(values) {
  return `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)}-${Math.max(...values).toFixed(2)})`;
}

/** @param {number} value */
function tera(value) {
  return (value / 1e12).toPrecision(3);
}

/** @param {number} value */
function giga(value) {
  return (value / 1e9).toFixed(0);
}

/** @param {number} bytes */
function mega(bytes) {
  return (bytes / 1e6).toFixed(0);
}
