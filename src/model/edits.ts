import { CausalTracerError } from '../errors.js';
import type { NativeEdit } from '../native/binding.js';
import { expandTarget, type HookTarget } from './hook-points.js';

/**
 * Numbers for an edit, broadcast over the chosen `[row, position, ...]` as in numpy: one number for all, a list
 * `[hidden]` for every row and position, or a tensor. Numbers of a Float64Array are not rounded before they are used.
 */
export type EditValues =
  number | ArrayLike<number> | { readonly data: ArrayLike<number>; readonly shape: readonly number[] };

/** What an edit does: replace by `set`, add `add`, multiply by `scale`, or replace by zeros. */
export type EditOperation =
  | { readonly set: EditValues }
  | { readonly add: EditValues }
  | { readonly scale: EditValues }
  | { readonly zero: true };

/** A change of modules' inputs or outputs `[batch, position, ...]` during a forward pass. */
export type Edit = HookTarget & {
  /** Rows of the batch; negative ones count from the end. Default: all. */
  readonly rows?: readonly number[] | undefined;
  /** Token positions; negative ones count from the end. Default: all. */
  readonly positions?: readonly number[] | undefined;
} & EditOperation;

const OPERATIONS = ['set', 'add', 'scale', 'zero'] as const;

/**
 * The native edits of one edit, one for each module that it names.
 *
 * @throws CausalTracerError `INVALID_OPTION` or `MODULE_NOT_FOUND`.
 */
export function toNativeEdits(edit: Edit, moduleNames: Iterable<string>): NativeEdit[] {
  const change = {
    rows: toIndex('rows', edit.rows),
    positions: toIndex('positions', edit.positions),
    ...toChange(edit),
  };
  return expandTarget(edit, moduleNames).map(({ module, at }) => ({ module, at, ...change }));
}

function toChange(edit: Edit): Pick<NativeEdit, 'operation' | 'values' | 'shape'> {
  // Callers without types can hand over anything.
  const values: Partial<Record<(typeof OPERATIONS)[number], unknown>> = edit;
  const given = OPERATIONS.filter((operation) => values[operation] !== undefined);
  const [operation, ...others] = given;
  if (operation === undefined || others.length > 0) {
    throw new CausalTracerError(
      'INVALID_OPTION',
      `An edit of ${edit.module} must have one of ${OPERATIONS.join(', ')}, not ${given.join(' and ') || 'none'}.`,
    );
  }
  if (operation !== 'zero') return { operation, ...toValues(edit.module, operation, values[operation]) };
  if (values.zero === true) return { operation: 'set', ...toValues(edit.module, operation, 0) };
  throw new CausalTracerError(
    'INVALID_OPTION',
    `zero of an edit of ${edit.module} can only be true, not ${JSON.stringify(values.zero)}. Leave the edit out instead.`,
  );
}

function toValues(module: string, operation: string, given: unknown): Pick<NativeEdit, 'values' | 'shape'> {
  if (typeof given === 'number') return { values: Float64Array.of(given), shape: new Int32Array() };
  const tensor = isArrayLike(given) ? { data: given, shape: [given.length] } : given;
  if (isTensorLike(tensor)) {
    const { data, shape } = tensor;
    const numbers =
      data instanceof Float32Array || data instanceof Float64Array ? data : Float64Array.from(data);
    return { values: numbers, shape: Int32Array.from(shape) };
  }
  throw new CausalTracerError(
    'INVALID_OPTION',
    `${operation} of an edit of ${module} must be a number, a list of numbers, or { data, shape } with a shape of ` +
      `whole numbers of at least 1 whose product is the data's length, not ${describeValues(given)}.`,
  );
}

function describeValues(given: unknown): string {
  if (typeof given !== 'object' || given === null) return String(given);
  const { data, shape }: { readonly data?: unknown; readonly shape?: unknown } = given;
  return isArrayLike(data)
    ? `${data.length} values of shape ${JSON.stringify(shape)}`
    : JSON.stringify(given);
}

function isArrayLike(given: unknown): given is ArrayLike<number> {
  if (ArrayBuffer.isView(given)) return 'length' in given;
  if (typeof given !== 'object' || given === null || !('length' in given)) return false;
  const { length } = given;
  if (typeof length !== 'number' || length < 1) return false;
  return Array.from(given as ArrayLike<unknown>).every((number) => typeof number === 'number');
}

function isTensorLike(
  given: unknown,
): given is { readonly data: ArrayLike<number>; readonly shape: readonly number[] } {
  if (typeof given !== 'object' || given === null || !('data' in given) || !('shape' in given)) return false;
  const { data, shape } = given;
  if (!isArrayLike(data) || !isArrayLike(shape)) return false;
  const sizes = Array.from(shape);
  const whole = sizes.every((size) => isInt32(size) && size >= 1);
  return whole && sizes.reduce((product, size) => product * size, 1) === data.length;
}

function isInt32(number: number): boolean {
  return Number.isInteger(number) && number >= -(2 ** 31) && number < 2 ** 31;
}

function toIndex(what: string, numbers: readonly number[] | undefined): Int32Array {
  if (numbers === undefined) return new Int32Array();
  const isList: boolean = Array.isArray(numbers) && numbers.length > 0 && numbers.every(isInt32);
  if (isList) return Int32Array.from(numbers);
  throw new CausalTracerError(
    'INVALID_OPTION',
    `An edit's ${what} must be a list of whole numbers, not ${JSON.stringify(numbers)}. Leave it out for all.`,
  );
}
