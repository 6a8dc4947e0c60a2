/** Runs tasks one after the other, in the order in which they came. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Runs `task` once all earlier ones have ended, however they ended.
   *
   * @param signal takes the task out of the queue while it waits; the promise then rejects with `signal.reason`.
   */
  async run<Result>(task: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    signal?.throwIfAborted();
    const turn = this.#last;
    const own = turn.then(() => {
      signal?.throwIfAborted();
      return task();
    });
    this.#last = own.catch(() => undefined);
    return signal === undefined ? own : orAborted(own, turn, signal);
  }
}

/** Settles as `own` does, or as soon as `signal` is aborted while `turn` has not come. */
function orAborted<Result>(
  own: Promise<Result>,
  turn: Promise<unknown>,
  signal: AbortSignal,
): Promise<Result> {
  return new Promise<Result>((resolve, reject) => {
    const giveUp = (): void => {
      reject(signal.reason as Error);
    };
    const stopListening = (): void => {
      signal.removeEventListener('abort', giveUp);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    void turn.then(stopListening);
    own.then(resolve, reject);
  });
}
