import { rgb } from 'd3-color';
import * as chromatic from 'd3-scale-chromatic';
import { CausalTracerError } from '../errors.js';
import type { LayerKind } from '../tracing/hidden-flow.js';

/** A color for every position from 0 (low end) to 1 (high end), as `#rrggbb`. */
export type ColorScale = (position: number) => string;

/** The values at the two ends of a color scale; `low < high`. */
export interface ColorRange {
  readonly low: number;
  readonly high: number;
}

/** The color scale of each kind, as in the Python package. */
export const KIND_COLOR_SCALES: Readonly<Record<LayerKind, string>> = {
  hidden: 'Purples',
  mlp: 'Greens',
  attention: 'Reds',
};

const interpolators = new Map<string, (position: number) => string>(
  Object.entries(chromatic)
    .filter(([name, value]) => name.startsWith('interpolate') && typeof value === 'function')
    .map(([name, value]) => [name.slice('interpolate'.length), value as (position: number) => string]),
);

/** The names that {@link colorScale} knows, in alphabetical order. */
export const COLOR_SCALE_NAMES: readonly string[] = [...interpolators.keys()].sort();

/**
 * The color scale of a name from d3-scale-chromatic (`Purples`, `Blues`, `Viridis`, …); case does not matter.
 *
 * @throws CausalTracerError `INVALID_OPTION` for an unknown name; the message lists the known ones.
 */
export function colorScale(name: string): ColorScale {
  const known = COLOR_SCALE_NAMES.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  const interpolate = known === undefined ? undefined : interpolators.get(known);
  if (interpolate === undefined) {
    throw new CausalTracerError(
      'INVALID_OPTION',
      `Unknown color scale ${JSON.stringify(name)}. Use one of: ${COLOR_SCALE_NAMES.join(', ')}.`,
    );
  }
  return (position) => rgb(interpolate(Math.min(1, Math.max(0, position)))).formatHex();
}

// Float32 rounding alone moves equal scores apart by about this share of their size.
const ROUNDING = 1e-6;

/**
 * The range from the low score to the highest score. Where no score is above the low score (but for rounding), the
 * range is opened upwards a little, so that every cell has the lowest color and the color bar still has numbers.
 */
export function colorRange(lowScore: number, scores: readonly (readonly number[])[]): ColorRange {
  let high = lowScore;
  for (const row of scores) {
    for (const score of row) {
      high = Math.max(high, score);
    }
  }
  const size = Math.max(Math.abs(lowScore), Math.abs(high));
  return high - lowScore > ROUNDING * size
    ? { low: lowScore, high }
    : { low: lowScore, high: lowScore + (0.1 * size || 1) };
}

/** Where a value lies in a range: 0 at or below the low end, 1 at or above the high end. */
export function positionInRange(value: number, range: ColorRange): number {
  return Math.min(1, Math.max(0, (value - range.low) / (range.high - range.low)));
}
