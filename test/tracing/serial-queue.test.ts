import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { SerialQueue } from '../../src/tracing/serial-queue.js';

/** A task that ends when it is told to. */
function openTask(): { readonly run: () => Promise<void>; readonly end: () => void } {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    run: () => ended,
    end: () => {
      end();
    },
  };
}

describe('SerialQueue', () => {
  it('runs tasks in order, one at a time, also after one failed', async () => {
    const queue = new SerialQueue();
    const log: string[] = [];
    const task =
      (name: string, fails = false) =>
      async (): Promise<string> => {
        log.push(`${name} begins`);
        await nextTurn();
        log.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      };
    const results = await Promise.allSettled([
      queue.run(task('a')),
      queue.run(task('b', true)),
      queue.run(task('c')),
    ]);
    expect(log).to.deep.equal(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
    expect(results.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('rejects a waiting task as soon as it is aborted, and never runs it', async () => {
    const queue = new SerialQueue();
    const first = openTask();
    const running = queue.run(first.run);
    const controller = new AbortController();
    let ran = false;
    const waiting = queue.run(() => {
      ran = true;
      return Promise.resolve();
    }, controller.signal);
    const last = queue.run(() => Promise.resolve('last'));
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await waiting.catch((error: unknown) => error)).to.equal(reason);
    first.end();
    await running;
    expect(await last).to.equal('last');
    expect(ran).to.equal(false);
  });

  it('lets a task that has begun end by itself', async () => {
    const queue = new SerialQueue();
    const task = openTask();
    const controller = new AbortController();
    const running = queue.run(task.run, controller.signal);
    await nextTurn();
    let ended = false;
    const watched = running.finally(() => (ended = true));
    controller.abort(new Error('too late'));
    await nextTurn();
    expect(ended).to.equal(false);
    task.end();
    await watched;
  });

  it('refuses a task that is aborted already', async () => {
    const reason = new Error('before');
    const failure: unknown = await new SerialQueue()
      .run(() => Promise.resolve(), AbortSignal.abort(reason))
      .catch((error: unknown) => error);
    expect(failure).to.equal(reason);
  });
});
