import { EXIT_CODES } from './exit-codes.js';

/** The reason of a signal that was aborted by Ctrl-C or by a request to terminate. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';

  constructor(readonly by: NodeJS.Signals) {
    super(`interrupted by ${by}`);
  }
}

/** Signals that ask a process to end. */
const ENDING_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs `work` with a signal that the first Ctrl-C aborts; the second one ends the process at once.
 *
 * @throws InterruptedError when interrupted, as soon as `work` heeds the signal: what knows nothing of signals goes
 *   through {@link untilAborted}.
 */
export async function withInterrupt<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  const listener = (by: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(EXIT_CODES.interrupted);
    controller.abort(new InterruptedError(by));
  };
  for (const name of ENDING_SIGNALS) process.on(name, listener);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of ENDING_SIGNALS) process.off(name, listener);
  }
}

/**
 * Waits for a promise that knows nothing of signals, but no longer than until `signal` is aborted; what the promise gives
 * later goes to `discard`.
 *
 * @throws `signal.reason` when aborted.
 */
export async function untilAborted<Result>(
  signal: AbortSignal,
  promise: Promise<Result>,
  discard: (result: Result) => void = () => undefined,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      // The reason is what was given to abort().
      reject(signal.reason as Error);
      promise.then(discard, () => undefined);
    };
    if (signal.aborted) {
      stop();
      return;
    }
    signal.addEventListener('abort', stop, { once: true });
    promise
      .finally(() => {
        signal.removeEventListener('abort', stop);
      })
      .then(resolve, reject);
  });
}
