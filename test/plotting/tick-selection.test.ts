import { expect } from 'chai';
import { selectLayers, selectTokens } from '../../src/plotting/tick-selection.js';

const roomy = { cellWidth: 20, labelWidth: () => 10 };

describe('numbered layers', () => {
  it('are every tickInterval-th, without the last tenth, as in the Python package', () => {
    const layers = (layerCount: number, interval = 5, skipFinalPortion = 0.1): number[] =>
      selectLayers({ layerCount, interval, skipFinalPortion, ...roomy });
    expect(layers(12)).to.deep.equal([0, 5]);
    expect(layers(48)).to.deep.equal([0, 5, 10, 15, 20, 25, 30, 35, 40]);
    expect(layers(4)).to.deep.equal([0]);
    expect(layers(12, 2, 0)).to.deep.equal([0, 2, 4, 6, 8, 10]);
    expect(layers(12, 1, 0.5)).to.deep.equal([0, 1, 2, 3, 4, 5]);
    expect(layers(12, 1, 1)).to.deep.equal([]);
  });

  it('are every second, third, … of these where numbers would touch', () => {
    const narrow = { layerCount: 96, interval: 5, skipFinalPortion: 0.1, labelWidth: () => 20 };
    expect(selectLayers({ ...narrow, cellWidth: 4 })[1]).to.equal(5);
    expect(selectLayers({ ...narrow, cellWidth: 3 })[1]).to.equal(10);
    expect(selectLayers({ ...narrow, cellWidth: 0.5 })).to.deep.equal([0, 40, 80]);
  });
});

describe('labeled tokens', () => {
  it('are all where rows are high enough', () => {
    expect(
      selectTokens({ tokenCount: 5, subjectRange: [1, 2], cellHeight: 12, labelHeight: 12 }),
    ).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('keep the end of the subject, the last and the first token, then the rest of the subject', () => {
    const some = selectTokens({ tokenCount: 30, subjectRange: [10, 16], cellHeight: 4, labelHeight: 12 });
    expect(some).to.include.members([0, 12, 15, 29]);
    some.slice(1).forEach((row, index) => expect(row - (some[index] ?? 0)).to.be.at.least(3));
    expect(
      selectTokens({ tokenCount: 30, subjectRange: [10, 16], cellHeight: 0.1, labelHeight: 12 }),
    ).to.deep.equal([15]);
  });

  it('fill the rest evenly', () => {
    expect(
      selectTokens({ tokenCount: 13, subjectRange: [0, 1], cellHeight: 4, labelHeight: 12 }),
    ).to.deep.equal([0, 3, 6, 9, 12]);
  });
});
