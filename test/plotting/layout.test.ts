import { expect } from 'chai';
import { CausalTracerError } from '../../src/errors.js';
import { fontStack, textMeasure } from '../../src/plotting/fonts.js';
import { layoutFigure } from '../../src/plotting/layout.js';
import type { FigureLayout, LayoutOptions, PanelContent, Rect } from '../../src/plotting/layout-types.js';
import { cellEdges } from '../../src/plotting/panel-layout.js';
import { tokenLabels } from '../../src/plotting/token-labels.js';
import { manyTokens } from './synthetic-flow.js';

const measure = textMeasure(fontStack());
const defaults: LayoutOptions = { scale: 3, title: '', tickInterval: 5, skipFinalLabelsPortion: 0.1 };
const LONG_TOKEN = ' supercalifragilisticexpialidocious-and-then-some';

function content(tokenCount: number, layerCount: number, kind = 'hidden'): PanelContent {
  const tokens = [...manyTokens(tokenCount - 1), LONG_TOKEN];
  const subjectRange = [1, Math.min(4, tokenCount - 1)] as const;
  return {
    tokens: tokenLabels(tokens, subjectRange),
    subjectRange,
    layerCount,
    title: `Impact of restoring ${kind} after corrupted input`,
    xLabel: `center of interval of restored ${kind} layers`,
    answer: 'Paris',
    range: { low: 0.0412, high: 0.8882 },
  };
}

interface Labeled extends Rect {
  readonly name: string;
}

function labelBoxes({ panels, texts }: FigureLayout): Labeled[] {
  return [
    ...texts.map((box) => ({ ...box, name: box.text })),
    ...panels.flatMap((panel, index) => [
      ...panel.texts.map((box) => ({ ...box, name: `${index}: ${box.text}` })),
      ...panel.tokenTicks.map(({ box, label }) => ({ ...box, name: `${index}: token ${label}` })),
      ...panel.layerTicks.map(({ box, label }) => ({ ...box, name: `${index}: layer ${label}` })),
    ]),
  ];
}

function overlap(a: Rect, b: Rect): boolean {
  const slack = 1e-6;
  return (
    a.left + a.width > b.left + slack &&
    b.left + b.width > a.left + slack &&
    a.top + a.height > b.top + slack &&
    b.top + b.height > a.top + slack
  );
}

/** What is wrong with a layout: labels that overlap each other, cells or color bars, or leave the picture. */
function problems(layout: FigureLayout): string[] {
  const boxes = labelBoxes(layout).sort((a, b) => a.top - b.top);
  const found: string[] = [];
  boxes.forEach((box, index) => {
    const { left, top, width, height } = box;
    if (left < 0 || top < 0 || left + width > layout.width || top + height > layout.height) {
      found.push(`${box.name} is cut`);
    }
    for (const below of boxes.slice(index + 1)) {
      if (below.top >= top + height) {
        break;
      }
      if (overlap(box, below)) {
        found.push(`${box.name} overlaps ${below.name}`);
      }
    }
    for (const { plot, colorBar } of layout.panels) {
      if (overlap(box, plot) || overlap(box, colorBar)) {
        found.push(`${box.name} lies on cells or a color bar`);
      }
    }
  });
  return found;
}

describe('layout', function () {
  this.timeout(120_000);

  it('keeps all labels whole and apart from 3 to 120 tokens and 4 to 96 layers, with all tokens named', () => {
    for (let tokenCount = 3; tokenCount <= 120; tokenCount++) {
      const panel = content(tokenCount, 1);
      for (let layerCount = 4; layerCount <= 96; layerCount++) {
        const layout = layoutFigure([{ ...panel, layerCount }], defaults, measure);
        const numbers = Math.ceil((layerCount - Math.ceil(layerCount * 0.1)) / 5);
        const seen = {
          problems: problems(layout),
          tokens: layout.panels[0]?.tokenTicks.length,
          numbers: layout.panels[0]?.layerTicks.length,
        };
        expect(seen, `${tokenCount} x ${layerCount}`).to.deep.equal({
          problems: [],
          tokens: tokenCount,
          numbers,
        });
      }
    }
  });

  for (const [width, height] of [
    [480, 360],
    [300, 240],
    [240, 600],
    [1200, 200],
  ] as const) {
    // prettier-ignore
    it(`keeps labels whole and apart in ${width} x ${height} pixels, thinning them out where needed`, () => {
      for (let tokenCount = 3; tokenCount <= 120; tokenCount += 9) {
        for (let layerCount = 4; layerCount <= 96; layerCount += 23) {
          for (const tickInterval of [1, 5]) {
            const options = { ...defaults, width, height, tickInterval, skipFinalLabelsPortion: 0 };
            const layout = layoutFigure([content(tokenCount, layerCount)], options, measure);
            expect([layout.width, layout.height]).to.deep.equal([width, height]);
            expect(layout.panels[0]?.layerTicks[0]?.index).to.equal(0);
            expect(problems(layout), `${tokenCount} x ${layerCount}`).to.deep.equal([]);
            expect(layout.panels[0]?.tokenTicks.map(({ index }) => index)).to.include(
              Math.min(4, tokenCount - 1) - 1,
            );
          }
        }
      }
    });
  }

  it('keeps labels whole and apart for every layer numbered, titles of any length and odd answers', () => {
    const words = 'an unusually long title that goes on and on ';
    for (const title of ['', 'Short', words.repeat(3), words.repeat(40), 'x'.repeat(300)]) {
      for (const answer of ['', 'a', 'Llanfairpwllgwyngyllgogerychwyrndrobwll']) {
        for (const size of [{}, { width: 300 }, { height: 300 }, { width: 400, height: 300 }]) {
          const panel = { ...content(11, 48), title, xLabel: title, answer };
          const options = { ...defaults, ...size, title, tickInterval: 1, skipFinalLabelsPortion: 0 };
          const layout = layoutFigure([panel, { ...panel, tokens: panel.tokens.slice(1) }], options, measure);
          expect(problems(layout), `${title.slice(0, 20)} ${answer} ${JSON.stringify(size)}`).to.deep.equal(
            [],
          );
        }
      }
    }
  });

  it('puts panels side by side, and writes tokens once where neighbours have the same ones', () => {
    for (const [tokenCount, layerCount] of [
      [3, 4],
      [11, 12],
      [60, 48],
      [120, 96],
    ] as const) {
      // prettier-ignore
      const panels = ['hidden', 'mlp', 'attention'].map((kind) => content(tokenCount, layerCount, kind));
      for (const size of [{}, { width: 700 }, { width: 700, height: 300 }]) {
        const layout = layoutFigure(panels, { ...defaults, ...size, title: 'A fact' }, measure);
        expect(problems(layout), `${tokenCount} x ${layerCount}`).to.deep.equal([]);
        expect(layout.panels[0]?.tokenTicks).to.have.length.above(0);
        expect(layout.panels.slice(1).map(({ tokenTicks }) => tokenTicks.length)).to.deep.equal([0, 0]);
        expect(
          new Set(layout.panels.map(({ plot }) => `${plot.top} ${plot.width} ${plot.height}`)).size,
        ).to.equal(1);
      }
    }
    const different = layoutFigure([content(11, 12), content(12, 12)], defaults, measure);
    expect(different.panels.map(({ tokenTicks }) => tokenTicks.length)).to.deep.equal([11, 12]);
    expect(problems(different)).to.deep.equal([]);
  });

  it('shortens long tokens in the middle and keeps their star', () => {
    const layout = layoutFigure([content(4, 12)], defaults, measure);
    const label = layout.panels[0]?.tokenTicks.at(-1)?.label;
    expect(label).to.match(/^supercali.*….*some$/);
    const subject = tokenLabels([LONG_TOKEN, ' is'], [0, 1]);
    const marked = layoutFigure([{ ...content(3, 4), tokens: subject }], defaults, measure);
    expect(marked.panels[0]?.tokenTicks[0]?.label).to.match(/^supercali.*….*some\*$/);
  });

  it('shrinks text before it thins labels out', () => {
    const small = layoutFigure([content(30, 12)], { ...defaults, height: 360 }, measure);
    expect(small.style.tokenSize).to.be.below(11);
    expect(small.panels[0]?.tokenTicks).to.have.length(30);
    const tiny = layoutFigure([content(120, 12)], { ...defaults, height: 360 }, measure);
    expect(tiny.panels[0]?.tokenTicks.length).to.be.within(10, 40);
  });

  it('gives every cell at least a device pixel, and says so where it cannot', () => {
    for (const size of [{ width: 60 }, { height: 60 }, { width: 20, height: 20 }]) {
      const error = catchError(() => layoutFigure([content(120, 96)], { ...defaults, ...size }, measure));
      expect(error.code).to.equal('INVALID_OPTION');
      for (const [name, value] of Object.entries(size)) {
        expect(error.message).to.match(
          new RegExp(`${name} ${value} is too small, it needs at least about \\d+`),
        );
      }
    }
  });
});

describe('cell edges', () => {
  it('lie on whole device pixels and leave no gaps', () => {
    expect(cellEdges(10, 12, 4, 1)).to.deep.equal([10, 13, 16, 19, 22]);
    expect(cellEdges(0, 10, 4, 1)).to.deep.equal([0, 3, 5, 8, 10]);
    for (const scale of [1, 1.5, 2, 3]) {
      const edges = cellEdges(12, 96, 37, scale);
      expect(edges.every((edge) => Math.abs(edge * scale - Math.round(edge * scale)) < 1e-9)).to.equal(true);
      edges.slice(1).forEach((edge, index) => expect(edge).to.be.above(edges[index] ?? Infinity));
    }
  });
});

function catchError(action: () => unknown): CausalTracerError {
  try {
    action();
  } catch (error) {
    expect(error).to.be.instanceOf(CausalTracerError);
    return error as CausalTracerError;
  }
  throw new Error('nothing was thrown');
}
