import { CausalTracerError } from '../errors.js';
import type { NativeHookResult, NativeJob } from '../native/binding.js';
import type { HookAt, HookPoint, HookTarget } from './hook-points.js';
import type { Tensor } from './tensor.js';

/** Where a function hook was called. */
export interface HookContext {
  /** The module's name. */
  readonly name: string;
  /** The number in place of `{num}`; null for a name without it. */
  readonly layer: number | null;
  readonly at: HookAt;
}

/**
 * A function that sees what passes modules' inputs or outputs, as PyTorch's `register_forward_pre_hook` and
 * `register_forward_hook` do. It is called on the event loop while the forward pass waits.
 */
export type FunctionHook = HookTarget & {
  /**
   * Returns the tensor to go on with, of the same shape, or undefined to leave it. The argument is a copy: writing into
   * it changes nothing. What it throws ends the run.
   */
  readonly forward: (tensor: Tensor, context: HookContext) => Tensor | undefined;
};

/** A function hook on one module. */
export interface PlacedHook {
  readonly point: HookPoint;
  readonly forward: FunctionHook['forward'];
}

/** @throws CausalTracerError `INVALID_OPTION` unless the hook has a function. */
export function requireForward(hook: FunctionHook): void {
  if (typeof hook.forward === 'function') return;
  throw new CausalTracerError('INVALID_OPTION', `The hook on ${hook.module} has no function "forward".`);
}

/** Calls the hooks by their places in the list. */
export function makeOnHook(hooks: readonly PlacedHook[]): NonNullable<NativeJob['onHook']> {
  return (index, tensor) => {
    const hook = hooks[index];
    if (hook === undefined) return undefined;
    const { module, layer, at } = hook.point;
    const result: unknown = hook.forward(tensor, { name: module, layer, at });
    return result === undefined || result === null ? undefined : toNativeResult(result, module);
  };
}

function toNativeResult(result: unknown, module: string): NativeHookResult {
  if (typeof result === 'object' && result !== null && 'data' in result && 'shape' in result) {
    const { data, shape } = result as { data: ArrayLike<number>; shape: readonly number[] };
    return {
      data: data instanceof Float32Array ? data : Float32Array.from(data),
      shape: Int32Array.from(shape),
    };
  }
  const isPromise = typeof result === 'object' && result !== null && 'then' in result;
  throw new CausalTracerError(
    'INVALID_OPTION',
    `The hook on ${module} returned ${isPromise ? 'a promise' : `a value of type ${typeof result}`}. ` +
      'Return { data, shape } or undefined; hooks cannot be asynchronous.',
  );
}
