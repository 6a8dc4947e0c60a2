import { expect } from 'chai';
import { detectColorSupport, onBackground } from '../../src/cli/terminal-colors.js';

const terminal = (depth: number) => ({ isTTY: true, getColorDepth: () => depth });

describe('colors of the terminal', () => {
  it('are what the terminal says', () => {
    expect(detectColorSupport(terminal(24), {})).to.equal('truecolor');
    expect(detectColorSupport(terminal(8), {})).to.equal('256');
    expect(detectColorSupport(terminal(4), {})).to.equal('none');
    expect(detectColorSupport(terminal(1), {})).to.equal('none');
  });

  it('are not used for files and pipes', () => {
    expect(detectColorSupport({}, {})).to.equal('none');
  });

  it('are turned off by NO_COLOR and set by FORCE_COLOR', () => {
    expect(detectColorSupport(terminal(24), { NO_COLOR: '1' })).to.equal('none');
    expect(detectColorSupport(terminal(24), { NO_COLOR: '' })).to.equal('truecolor');
    expect(detectColorSupport(terminal(24), { FORCE_COLOR: '0' })).to.equal('none');
    expect(detectColorSupport({}, { FORCE_COLOR: '3' })).to.equal('truecolor');
    expect(detectColorSupport({}, { FORCE_COLOR: '1' })).to.equal('256');
    expect(detectColorSupport({}, { FORCE_COLOR: '3', NO_COLOR: '1' })).to.equal('none');
  });

  it('are written as the terminal understands them', () => {
    expect(onBackground('x', '#ff8000', 'none')).to.equal('x');
    expect(onBackground('x', '#ff8000', 'truecolor')).to.equal('\u001b[48;2;255;128;0mx\u001b[0m');
    expect(onBackground('x', '#ff8000', '256')).to.equal('\u001b[48;5;208mx\u001b[0m');
    expect(onBackground('x', '#808080', '256')).to.equal('\u001b[48;5;244mx\u001b[0m');
    expect(onBackground('x', '#ffffff', '256')).to.equal('\u001b[48;5;231mx\u001b[0m');
  });
});
