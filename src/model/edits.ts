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
  const given = OPERATIONS.filter((operation) => operation in edit);
  if (given.length !== 1) {
    throw new CausalTracerError(
      'INVALID_OPTION',
      `An edit of ${edit.module} must have one of ${OPERATIONS.join(', ')}, not ${given.join(' and ') || 'none'}.`,
    );
  }
  if ('zero' in edit) return { operation: 'set', ...toValues(0) };
  if ('set' in edit) return { operation: 'set', ...toValues(edit.set) };
  if ('add' in edit) return { operation: 'add', ...toValues(edit.add) };
  return { operation: 'scale', ...toValues(edit.scale) };
}

function toValues(values: EditValues): Pick<NativeEdit, 'values' | 'shape'> {
  if (typeof values === 'number') return { values: Float64Array.of(values), shape: new Int32Array() };
  const [data, shape] = 'data' in values ? [values.data, values.shape] : [values, [values.length]];
  const numbers =
    data instanceof Float32Array || data instanceof Float64Array ? data : Float64Array.from(data);
  return { values: numbers, shape: Int32Array.from(shape) };
}

function toIndex(what: string, numbers: readonly number[] | undefined): Int32Array {
  if (numbers === undefined) return new Int32Array();
  const isList: boolean = Array.isArray(numbers) && numbers.length > 0 && numbers.every(Number.isInteger);
  if (isList) return Int32Array.from(numbers);
  throw new CausalTracerError(
    'INVALID_OPTION',
    `An edit's ${what} must be a list of whole numbers, not ${JSON.stringify(numbers)}. Leave it out for all.`,
  );
}
