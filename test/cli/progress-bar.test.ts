import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import stringWidth from 'string-width';
import { createProgressBar, formatBarLine, formatDuration } from '../../src/cli/progress-bar.js';

describe('the progress bar', () => {
  it('shows label, bar, per cent and time left', () => {
    expect(formatBarLine({ fraction: 0.5, secondsLeft: 75, label: 'hidden' }, 51)).to.equal(
      'hidden ██████████░░░░░░░░░░  50%  1:15 left',
    );
  });

  it('says nothing of the time left before it knows', () => {
    expect(formatBarLine({ fraction: 0, secondsLeft: 0, label: 'mlp' }, 40)).to.match(/^mlp ░+ {3}0%$/);
  });

  it('stays within the terminal', () => {
    for (const columns of [20, 30, 60, 200]) {
      for (const label of ['hidden', '[12/3456] attention']) {
        const line = formatBarLine({ fraction: 0.99, secondsLeft: 360_000, label }, columns);
        expect(stringWidth(line), line).to.be.at.most(Math.max(columns, 24));
      }
    }
  });

  it('writes durations as clocks do', () => {
    expect([0, 7.2, 75, 3723].map(formatDuration)).to.deep.equal(['0:00', '0:08', '1:15', '1:02:03']);
    expect(['INF', 'NULL'].map(formatDuration)).to.deep.equal(['?', '?']);
  });

  it('is silent where there is no terminal', () => {
    const stream = new PassThrough();
    const bar = createProgressBar(stream as unknown as NodeJS.WriteStream);
    bar.update(1, 2, 'hidden');
    bar.stop();
    expect(stream.read()).to.equal(null);
  });
});
