import { CausalTracerError } from '../errors.js';
import { fromNativeError, isNativeAbort } from '../native/addon.js';
import type { NativeAddon, NativeJob } from '../native/binding.js';

/** How a caller watches and stops native work. */
export interface JobOptions {
  /** Stops the work before its next forward pass; the promise then rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Called with what is done and what is to do in all, in units of the work's own. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** @throws CausalTracerError `INVALID_OPTION` for what callers without types hand over as a signal. */
export function requireSignal(signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new CausalTracerError('INVALID_OPTION', `signal must be an AbortSignal, not ${typeof signal}.`);
}

/**
 * Runs one native call under a signal, and turns its failures into what a caller should see.
 *
 * @throws `signal.reason` once the signal is aborted; a `CausalTracerError` where the addon gives a known code; what
 *   `onProgress` threw, if it did.
 */
export async function runNativeJob<Result>(
  addon: Pick<NativeAddon, 'createStopSource'>,
  { signal, onProgress }: JobOptions,
  call: (job: NativeJob) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  const stop = addon.createStopSource();
  const requestStop = (): void => {
    stop.requestStop();
  };
  signal?.addEventListener('abort', requestStop, { once: true });
  try {
    const result = await call({ stop, ...(onProgress === undefined ? {} : { onProgress }) });
    signal?.throwIfAborted();
    return result;
  } catch (error) {
    if (isNativeAbort(error)) signal?.throwIfAborted();
    throw fromNativeError(error);
  } finally {
    signal?.removeEventListener('abort', requestStop);
  }
}
