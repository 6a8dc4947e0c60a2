import type { TraceProgress } from './options.js';

/** Adds up the progress of parts of known size, whatever units the parts themselves count in. */
export class ProgressSum {
  readonly #total: number;
  #doneParts = 0;
  #reported = -1;

  /**
   * @param sizes rows of each part.
   * @param report called with rising `done`.
   */
  constructor(
    private readonly sizes: readonly number[],
    private readonly report: (progress: TraceProgress) => void,
  ) {
    this.#total = sizes.reduce((sum, size) => sum + size, 0);
  }

  /** A listener for the part `index`. Parts come in order. */
  part(index: number): (done: number, total: number) => void {
    return (done, total) => {
      const size = this.sizes[index] ?? 0;
      // The end of a part is reported when its result is there.
      this.#emit(this.#doneParts + Math.min(size - 1, Math.floor((size * done) / Math.max(total, 1))));
    };
  }

  /** The part `index` has ended. */
  end(index: number): void {
    this.#doneParts += this.sizes[index] ?? 0;
    this.#emit(this.#doneParts);
  }

  #emit(done: number): void {
    if (done <= this.#reported) return;
    this.#reported = done;
    this.report({ done, total: this.#total });
  }
}
