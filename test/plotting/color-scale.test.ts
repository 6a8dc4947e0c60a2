import { expect } from 'chai';
import { rgb } from 'd3-color';
import { interpolateGreens, interpolatePurples, interpolateReds } from 'd3-scale-chromatic';
import { CausalTracerError } from '../../src/errors.js';
import {
  COLOR_SCALE_NAMES,
  colorRange,
  colorScale,
  KIND_COLOR_SCALES,
  positionInRange,
} from '../../src/plotting/color-scale.js';

describe('color scales', () => {
  it('are purple, green and red by kind, as in the Python package', () => {
    expect(KIND_COLOR_SCALES).to.deep.equal({ hidden: 'Purples', mlp: 'Greens', attention: 'Reds' });
    for (const [name, interpolate] of [
      ['Purples', interpolatePurples],
      ['Greens', interpolateGreens],
      ['Reds', interpolateReds],
    ] as const) {
      for (const position of [0, 0.25, 0.5, 1]) {
        expect(colorScale(name)(position)).to.equal(rgb(interpolate(position)).formatHex());
      }
    }
  });

  it('begin and end with the colors of matplotlib', () => {
    expect(colorScale('Purples')(0)).to.equal('#fcfbfd');
    expect(colorScale('Purples')(1)).to.equal('#3f007d');
  });

  it('are found whatever the case of the name, and keep to their ends outside of 0 to 1', () => {
    expect(colorScale('viridis')(0.3)).to.equal(colorScale('Viridis')(0.3));
    expect(colorScale('Blues')(-3)).to.equal(colorScale('Blues')(0));
    expect(colorScale('Blues')(7)).to.equal(colorScale('Blues')(1));
  });

  it('refuse an unknown name and list the known ones', () => {
    expect(COLOR_SCALE_NAMES).to.include.members(['Blues', 'Greens', 'Purples', 'Reds', 'Viridis']);
    expect(() => colorScale('Purple'))
      .to.throw(CausalTracerError, /"Purple".*Blues.*Purples.*Viridis/)
      .with.property('code', 'INVALID_OPTION');
  });
});

describe('the color range', () => {
  it('begins at the low score and ends at the highest score', () => {
    expect(colorRange(0.2, [[0.1, 0.3], [0.9, 0.2]])).to.deep.equal({ low: 0.2, high: 0.9 }); // prettier-ignore
  });

  it('is opened upwards where no score is above the low score', () => {
    expect(colorRange(0.5, [[0.5, 0.5]])).to.deep.equal({ low: 0.5, high: 0.55 });
    expect(colorRange(0.5, [[0.1, 0.2]])).to.deep.equal({ low: 0.5, high: 0.55 });
    expect(colorRange(0, [[0, 0]])).to.deep.equal({ low: 0, high: 1 });
  });

  it('does not take rounding for a difference', () => {
    expect(colorRange(0.5, [[0.5 + 1e-8]]).high).to.be.closeTo(0.55, 1e-6);
    expect(colorRange(1e-9, [[3e-9]])).to.deep.equal({ low: 1e-9, high: 3e-9 });
  });

  it('clamps values outside to its ends', () => {
    const range = { low: 0.2, high: 0.6 };
    expect([0.1, 0.2, 0.4, 0.6, 0.9].map((value) => positionInRange(value, range))).to.deep.equal([
      0,
      0,
      (0.4 - 0.2) / (0.6 - 0.2),
      1,
      1,
    ]);
  });
});
