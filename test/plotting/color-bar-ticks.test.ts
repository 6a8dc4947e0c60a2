import { expect } from 'chai';
import { colorBarTicks } from '../../src/plotting/color-bar-ticks.js';

function labels(low: number, high: number, maxCount: number): string[] {
  return colorBarTicks({ low, high }, maxCount).map(({ label }) => label);
}

describe('color bar ticks', () => {
  it('are round numbers inside the range', () => {
    expect(labels(0.0412, 0.888, 7)).to.deep.equal(['0.2', '0.4', '0.6', '0.8']);
    expect(labels(0, 1, 6)).to.deep.equal(['0.0', '0.2', '0.4', '0.6', '0.8', '1.0']);
    expect(labels(0.11, 0.19, 5)).to.deep.equal(['0.12', '0.14', '0.16', '0.18']);
    expect(labels(0.01, 0.07, 4)).to.deep.equal(['0.02', '0.04', '0.06']);
    expect(labels(0.1, 0.2, 5)).to.deep.equal(['0.100', '0.125', '0.150', '0.175', '0.200']);
  });

  it('are few when there is little room, and at least one', () => {
    expect(labels(0.0412, 0.888, 2)).to.deep.equal(['0.5']);
    expect(labels(0.0412, 0.888, 1)).to.have.length(1);
    expect(labels(0.613, 0.614, 1)).to.have.length(1);
  });

  it('have an exponent where values are tiny or huge', () => {
    expect(labels(1.2e-6, 8.5e-5, 5)).to.deep.equal(['2e−5', '4e−5', '6e−5', '8e−5']);
    expect(labels(0, 3e-9, 4)).to.deep.equal(['0', '1e−9', '2e−9', '3e−9']);
    expect(labels(1e-6, 3.5e-6, 6)).to.deep.equal([
      '1.0e−6',
      '1.5e−6',
      '2.0e−6',
      '2.5e−6',
      '3.0e−6',
      '3.5e−6',
    ]);
    expect(labels(0, 4e7, 4)).to.deep.equal(['0', '2e7', '4e7']);
  });

  it('tell close values apart', () => {
    expect(labels(0.91231, 0.91239, 4)).to.deep.equal(['0.91232', '0.91234', '0.91236', '0.91238']);
  });

  it('have a real minus sign', () => {
    expect(labels(-0.3, 0.3, 4)).to.deep.equal(['−0.2', '0.0', '0.2']);
  });

  it('lie in the range, rise evenly and are told apart, whatever the range', () => {
    for (let exponent = -12; exponent <= 9; exponent++) {
      for (const [low, size] of [
        [0, 1],
        [0.37, 2.9],
        [5.123, 0.7],
        [-1.3, 8.1],
        [0.999, 0.0123],
      ] as const) {
        // prettier-ignore
        for (const maxCount of [1, 2, 3, 5, 7]) {
          const range = { low: low * 10 ** exponent, high: (low + size) * 10 ** exponent };
          const ticks = colorBarTicks(range, maxCount);
          expect(ticks).to.have.length.within(1, maxCount);
          expect(new Set(ticks.map(({ label }) => label)).size).to.equal(ticks.length);
          for (const { value, label } of ticks) {
            const slack = 1e-6 * (range.high - range.low);
            expect(value).to.be.within(range.low - slack, range.high + slack);
            const read = Number(label.replaceAll('−', '-'));
            expect(Math.abs(read - value)).to.be.at.most(0.01 * (range.high - range.low));
          }
        }
      }
    }
  });
});
