import { expect } from 'chai';
import { InvalidArgumentError } from 'commander';
import {
  parseBatchSize,
  parseDecimal,
  parseInteger,
  parseKinds,
  parseWindows,
  windowOf,
} from '../../src/cli/option-parsers.js';

describe('option values', () => {
  it('are whole numbers where those are meant', () => {
    expect(['0', '12', '-1', '+3'].map(parseInteger)).to.deep.equal([0, 12, -1, 3]);
    for (const text of ['', 'abc', '1.5', '1e3', '0x10', '1 2', 'NaN']) {
      expect(() => parseInteger(text), text).to.throw(InvalidArgumentError, 'whole number');
    }
  });

  it('are numbers where those are meant', () => {
    expect(['0', '.5', '1.', '-2.5', '1e-3'].map(parseDecimal)).to.deep.equal([0, 0.5, 1, -2.5, 0.001]);
    for (const text of ['', 'x', '1,5', 'NaN', 'Infinity', '1e']) {
      expect(() => parseDecimal(text), text).to.throw(InvalidArgumentError, 'number');
    }
  });

  it('name kinds, one, several or all, in the order of the panels', () => {
    expect(parseKinds('mlp')).to.deep.equal(['mlp']);
    expect(parseKinds('attention,hidden')).to.deep.equal(['hidden', 'attention']);
    expect(parseKinds('all')).to.deep.equal(['hidden', 'mlp', 'attention']);
    expect(() => parseKinds('atention')).to.throw(InvalidArgumentError, 'did you mean attention?');
    expect(() => parseKinds('hidden,')).to.throw(InvalidArgumentError);
  });

  it('are a batch size, or leave it to the engine', () => {
    expect(parseBatchSize('auto')).to.equal('auto');
    expect(parseBatchSize('7')).to.equal(7);
    for (const text of ['', 'AUTO', '1.5', '8 rows']) {
      expect(() => parseBatchSize(text), text).to.throw(InvalidArgumentError, 'a whole number, or auto');
    }
  });

  it('give a window to all kinds or to some', () => {
    expect(windowOf(parseWindows('5'), 'hidden')).to.equal(5);
    const windows = parseWindows('mlp=5,attention=3');
    expect([
      windowOf(windows, 'hidden'),
      windowOf(windows, 'mlp'),
      windowOf(windows, 'attention'),
    ]).to.deep.equal([1, 5, 3]);
    expect(windowOf(undefined, 'mlp')).to.equal(1);
    for (const text of ['mlp=', 'mpl=3', '=3', 'x']) {
      expect(() => parseWindows(text), text).to.throw(InvalidArgumentError);
    }
  });
});
