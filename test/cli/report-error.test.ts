import { expect } from 'chai';
import { InterruptedError } from '../../src/cli/interrupt.js';
import { describeError } from '../../src/cli/report-error.js';
import { CausalTracerError } from '../../src/errors.js';

describe('messages of failures', () => {
  const failure = new CausalTracerError('EMPTY_PROMPT', 'The prompt "" has no tokens.', {
    cause: new Error('why'),
  });

  it('have a code and no stack', () => {
    expect(describeError(failure, false)).to.deep.equal({
      exitCode: 1,
      message: 'error [EMPTY_PROMPT]: The prompt "" has no tokens.\n',
    });
  });

  it('have a stack and its causes when asked', () => {
    const { message } = describeError(failure, true);
    expect(message).to.match(/^error \[EMPTY_PROMPT\]: .*\n +at .*report-error\.test\.ts/);
    expect(message).to.include('caused by: why\n');
  });

  it('name the option that helps', () => {
    const { message } = describeError(new CausalTracerError('OUT_OF_MEMORY', 'Too much.'), false);
    expect(message).to.equal('error [OUT_OF_MEMORY]: Too much.\n(for example: --batch-size 4)\n');
  });

  it('ask for a report where the program is wrong', () => {
    const { exitCode, message } = describeError(new TypeError('x is undefined'), false);
    expect(exitCode).to.equal(1);
    expect(message)
      .to.match(/^error: x is undefined\n/)
      .and.to.include('--verbose')
      .and.not.to.include('    at ');
  });

  it('are short for an interruption', () => {
    expect(describeError(new InterruptedError('SIGINT'), true)).to.deep.equal({
      exitCode: 130,
      message: 'interrupted\n',
    });
  });
});
