import type { ColorRange } from './color-scale.js';

/** A number beside the color bar. */
export interface ColorBarTick {
  readonly value: number;
  readonly label: string;
}

const NICE_STEPS = [1, 2, 2.5, 5];

/**
 * Round numbers inside a range, evenly spaced, at most `maxCount` of them (and at least one).
 * All labels have the same number of decimals, or of digits before the exponent where values are tiny or huge.
 */
export function colorBarTicks(range: ColorRange, maxCount: number): ColorBarTick[] {
  for (const step of steps((range.high - range.low) / Math.max(1, maxCount))) {
    // A hair of slack, so that an end that is itself a round number is not lost to rounding.
    const first = Math.ceil(range.low / step - 1e-6);
    const last = Math.floor(range.high / step + 1e-6);
    const count = last - first + 1;
    if (count >= 1 && count <= Math.max(1, maxCount)) {
      const values = Array.from({ length: count }, (_, index) => (first + index) * step);
      const format = numberFormat(values, step);
      return values.map((value) => ({ value, label: format(value) }));
    }
    if (count < 1) {
      break;
    }
  }
  const middle = (range.low + range.high) / 2;
  return [{ value: middle, label: String(Number(middle.toPrecision(3))) }];
}

/** Steps 1, 2, 2.5, 5 times a power of ten, rising from the first that is not below `smallest`. */
function* steps(smallest: number): Generator<number> {
  const start = Math.floor(Math.log10(smallest));
  for (let power = start; power < start + 4; power++) {
    for (const nice of NICE_STEPS) {
      // Dividing by a whole power of ten is exact where multiplying by its inverse is not.
      const step = power < 0 ? nice / 10 ** -power : nice * 10 ** power;
      if (step >= smallest * (1 - 1e-9)) {
        yield step;
      }
    }
  }
}

function numberFormat(values: readonly number[], step: number): (value: number) => string {
  const largest = Math.max(...values.map(Math.abs));
  const decimals = decimalsOf(step);
  if (largest > 0 && (largest < 1e-3 || largest >= 1e6)) {
    const digits = Math.max(0, Math.floor(Math.log10(largest) + 1e-9) + decimals);
    return (value) =>
      isZero(value, step) ? '0' : withMinusSign(trimExponent(value.toExponential(Math.min(digits, 15))));
  }
  return (value) =>
    withMinusSign((isZero(value, step) ? 0 : value).toFixed(Math.min(Math.max(decimals, 0), 20)));
}

/** Decimals needed to write a multiple of `step`, e.g. 3 for 0.025; may be negative for large steps. */
function decimalsOf(step: number): number {
  const power = Math.floor(Math.log10(step) + 1e-9);
  const leading = step / 10 ** power;
  return -power + (Math.abs(leading - 2.5) < 1e-6 ? 1 : 0);
}

function isZero(value: number, step: number): boolean {
  return Math.abs(value) < step / 2;
}

function trimExponent(text: string): string {
  return text.replace('e+', 'e');
}

function withMinusSign(text: string): string {
  return text.replace(/-/g, '\u2212');
}
