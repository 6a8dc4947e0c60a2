import { expect } from 'chai';
import { untilAborted, withInterrupt } from '../../src/cli/interrupt.js';

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return null;
  } catch (error) {
    return error;
  }
}

describe('interruptions', () => {
  it('abort the signal once and leave no listener behind', async () => {
    const before = process.listenerCount('SIGTERM');
    const failure = await failureOf(
      withInterrupt(async (signal) => {
        process.emit('SIGTERM', 'SIGTERM');
        return untilAborted(signal, new Promise(() => undefined));
      }),
    );
    expect(failure).to.have.property('name', 'InterruptedError');
    expect(failure).to.have.property('by', 'SIGTERM');
    expect(process.listenerCount('SIGTERM')).to.equal(before);
  });

  it('discard what comes too late', async () => {
    const controller = new AbortController();
    const discarded: string[] = [];
    let arrive: (result: string) => void = () => undefined;
    const late = new Promise<string>((resolve) => (arrive = resolve));
    const waiting = failureOf(untilAborted(controller.signal, late, (result) => discarded.push(result)));
    controller.abort(new Error('enough'));
    expect(await waiting).to.have.property('message', 'enough');
    arrive('result');
    await late;
    expect(discarded).to.deep.equal(['result']);
  });

  it('do not touch what is done in time', async () => {
    const { signal } = new AbortController();
    expect(await untilAborted(signal, Promise.resolve(3))).to.equal(3);
    expect(await failureOf(untilAborted(signal, Promise.reject(new Error('no'))))).to.have.property(
      'message',
      'no',
    );
  });
});
