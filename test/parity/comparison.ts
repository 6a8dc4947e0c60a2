import type { GoldenTensor } from './golden.js';

/** How far scores may lie from those of the Python package. */
export const SCORE_TOLERANCE = 1e-5;

/** How far sums over a tensor may lie from PyTorch's, relative to its norm (the mean: to its elements' typical size). */
const TENSOR_TOLERANCE = 1e-5;

/** How far one element may lie from PyTorch's, relative to the typical size of the tensor's elements. */
const SAMPLE_TOLERANCE = 1e-4;

/** The worst of many differences. */
export class WorstDifference {
  worst = 0;
  compared = 0;
  #at = '';

  add(what: string, difference: number): void {
    this.compared += 1;
    if (difference <= this.worst) return;
    this.worst = difference;
    this.#at = what;
  }

  include(other: WorstDifference, where: string): void {
    this.compared += other.compared;
    if (other.worst <= this.worst) return;
    this.worst = other.worst;
    this.#at = `${other.#at} of ${where}`;
  }

  toString(): string {
    return `${this.worst.toExponential(1)} among ${this.compared} (${this.#at || 'all equal'})`;
  }
}

/** Compares found with golden values, and collects what differs. */
export class Comparison {
  readonly problems: string[] = [];
  /** Of probabilities, absolute. */
  readonly scores = new WorstDifference();
  /** Of tensors, relative to their elements' typical size. */
  readonly tensors = new WorstDifference();

  /** Values with the same JSON. */
  equal(what: string, found: unknown, golden: unknown): void {
    const [a, b] = [JSON.stringify(found), JSON.stringify(golden)];
    if (a !== b) this.problems.push(`${what}: found ${a}, golden ${b}`);
  }

  score(what: string, found: number | undefined, golden: number): void {
    this.#close(what, found, golden, SCORE_TOLERANCE, this.scores);
  }

  /** Scores in rows of the golden shape. */
  scoreRows(
    what: string,
    found: readonly (readonly number[])[],
    golden: readonly (readonly number[])[],
  ): void {
    const lengths = (rows: readonly (readonly number[])[]): number[] => rows.map((row) => row.length);
    this.equal(`shape of ${what}`, lengths(found), lengths(golden));
    golden.forEach((row, i) => {
      row.forEach((value, j) => {
        this.score(`${what}[${i}][${j}]`, found[i]?.[j], value);
      });
    });
  }

  /** A tensor against its golden summary. */
  tensor(
    what: string,
    found: { readonly data: ArrayLike<number>; readonly shape: readonly number[] } | undefined,
    golden: GoldenTensor,
  ): void {
    this.equal(`shape of ${what}`, found?.shape, golden.shape);
    if (found === undefined) return;
    const { mean, norm, projection } = checksum(found.data);
    const scale = golden.checksum.norm;
    const typical = scale / Math.sqrt(found.data.length);
    const close = (part: string, value: number, expected: number, tolerance: number): void => {
      this.#close(`${part} of ${what}`, value, expected, tolerance, this.tensors);
    };
    close('mean', mean / typical, golden.checksum.mean / typical, TENSOR_TOLERANCE);
    close('norm', norm / scale, 1, TENSOR_TOLERANCE);
    close('projection', projection / scale, golden.checksum.projection / scale, TENSOR_TOLERANCE);
    for (const [index, value] of golden.samples ?? []) {
      close(
        `element ${index}`,
        (found.data[index] ?? Number.NaN) / typical,
        value / typical,
        SAMPLE_TOLERANCE,
      );
    }
  }

  /** @throws Error with the first problems, if there are any. */
  requireNone(): void {
    if (this.problems.length === 0) return;
    const shown = this.problems.slice(0, 10).join('\n  ');
    throw new Error(
      `${this.problems.length} differences from the golden numbers, the first of them:\n  ${shown}`,
    );
  }

  /** Takes over the worst differences of another comparison. */
  include(other: Comparison, where: string): void {
    this.scores.include(other.scores, where);
    this.tensors.include(other.tensors, where);
  }

  #close(
    what: string,
    found: number | undefined,
    golden: number,
    tolerance: number,
    worst: WorstDifference,
  ): void {
    const difference = Math.abs((found ?? Number.NaN) - golden);
    worst.add(what, difference);
    // Written so that NaN is a problem.
    if (!(difference <= tolerance)) this.problems.push(`${what}: found ${found}, golden ${golden}`);
  }
}

/** The summary of src/model/manifest.ts. */
function checksum(data: ArrayLike<number>): { mean: number; norm: number; projection: number } {
  let sum = 0;
  let squares = 0;
  let projection = 0;
  for (let i = 0; i < data.length; i += 1) {
    const value = data[i] ?? Number.NaN;
    sum += value;
    squares += value * value;
    projection += value * ((Math.imul(i, 2654435761) >>> 0) / 2 ** 32 - 0.5);
  }
  return { mean: sum / data.length, norm: Math.sqrt(squares), projection };
}
