import { CausalTracerError } from '../errors.js';

/** A dense tensor in row-major order: the last axis runs fastest. */
export interface Tensor {
  /** As many numbers as the product of `shape`. */
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/**
 * The part of a tensor at the given numbers on its first axes, as a view on the same memory: of `[batch, position,
 * hidden]`, `vectorAt(tensor, 0, 3)` is row 0's hidden state `[hidden]` at position 3.
 *
 * @param index negative numbers count from the end.
 * @throws CausalTracerError `INVALID_OPTION` for numbers outside the shape.
 */
export function vectorAt({ data, shape }: Tensor, ...index: readonly number[]): Float32Array {
  let offset = 0;
  let size = data.length;
  for (const [axis, number] of index.entries()) {
    const length = shape[axis];
    if (length === undefined || !Number.isInteger(number) || number < -length || number >= length) {
      throw new CausalTracerError(
        'INVALID_OPTION',
        `[${index.join(', ')}] lies outside a tensor of shape [${shape.join(', ')}].`,
      );
    }
    size /= length;
    offset += (number < 0 ? number + length : number) * size;
  }
  return data.subarray(offset, offset + size);
}
