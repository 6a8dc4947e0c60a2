import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chart } from 'chart.js';
import { expect } from 'chai';
import { heatmapFigure } from '../../src/plotting/figure.js';
import type { FigureLayout } from '../../src/plotting/layout-types.js';
import { colorScale } from '../../src/plotting/color-scale.js';
import { plotHiddenFlowHeatmap, plotHiddenFlows } from '../../src/plotting/plot-hidden-flow.js';
import {
  resolveOptions,
  type HeatmapOptions,
  type HeatmapPanelsOptions,
} from '../../src/plotting/plot-options.js';
import { LAYER_KINDS, type HiddenFlow } from '../../src/tracing/hidden-flow.js';
import { decode, type Pixels } from './pixels.js';
import { LANDMARK_TOKENS, manyTokens, syntheticFlow } from './synthetic-flow.js';

const ODD_TOKENS = ['<s>', '  ', '\n', '"quoted"', ' «Эйфелева»', ' башня', '�', '\x07', ' 東京', ' end']; // prettier-ignore

function layoutOf(flows: readonly HiddenFlow[], options: HeatmapPanelsOptions = {}): FigureLayout {
  return heatmapFigure(flows, resolveOptions(options)).layout;
}

/** The color that a score should have, worked out apart from the code under test. */
function expectedColor(flow: HiddenFlow, scaleName: string, token: number, layer: number): string {
  const high = Math.max(...flow.scores.flat());
  const share = ((flow.scores[token]?.[layer] ?? NaN) - flow.lowScore) / (high - flow.lowScore);
  return colorScale(scaleName)(Math.max(0, share));
}

function cellCenter(
  layout: FigureLayout,
  panel: number,
  token: number,
  layer: number,
): [x: number, y: number] {
  const { columnEdges, rowEdges } = layout.panels[panel] ?? { columnEdges: [], rowEdges: [] };
  const middle = (edges: readonly number[], index: number): number =>
    ((edges[index] ?? NaN) + (edges[index + 1] ?? NaN)) / 2;
  return [middle(columnEdges, layer), middle(rowEdges, token)];
}

describe('plotHiddenFlowHeatmap', () => {
  describe('as PNG', () => {
    for (const kind of LAYER_KINDS) {
      it(`gives every cell the color of its score (${kind})`, async () => {
        const scale = 2;
        const flow = syntheticFlow({ kind });
        const layout = layoutOf([flow], { scale });
        const pixels = await decode(await plotHiddenFlowHeatmap(flow, { scale }));
        const name = { hidden: 'Purples', mlp: 'Greens', attention: 'Reds' }[kind];
        flow.scores.forEach((row, token) =>
          row.forEach((_, layer) => {
            const [x, y] = cellCenter(layout, 0, token, layer);
            const seen = pixels.colorAt(Math.floor(x * scale), Math.floor(y * scale));
            expect(seen, `token ${token}, layer ${layer}`).to.equal(expectedColor(flow, name, token, layer));
          }),
        );
      });
    }

    it('clamps scores below the low score, and reaches the last color at the highest score', async () => {
      const flow = { ...syntheticFlow(), scores: [[0, 0.1, 0.3], [0.2, 0.5, 0.05]], inputTokens: ['a', 'b'], subjectRange: [0, 1] as const, lowScore: 0.2 }; // prettier-ignore
      const layout = layoutOf([flow], { scale: 1 });
      const pixels = await decode(await plotHiddenFlowHeatmap(flow, { scale: 1 }));
      const colorOf = (token: number, layer: number): string => {
        const [x, y] = cellCenter(layout, 0, token, layer);
        return pixels.colorAt(Math.floor(x), Math.floor(y));
      };
      const [lowest, highest] = [colorScale('Purples')(0), colorScale('Purples')(1)];
      expect([colorOf(0, 0), colorOf(0, 1), colorOf(1, 0), colorOf(1, 2)]).to.deep.equal(
        Array(4).fill(lowest),
      );
      expect(colorOf(1, 1)).to.equal(highest);
      expect(colorOf(0, 2)).to.equal(colorScale('Purples')((0.3 - 0.2) / (0.5 - 0.2)));
    });

    it('gives all cells the lowest color where all scores are equal', async () => {
      const flow = syntheticFlow();
      const flat = { ...flow, scores: flow.scores.map((row) => row.map(() => flow.lowScore)) };
      const pixels = await decode(await plotHiddenFlowHeatmap(flat, { scale: 1 }));
      const [x, y] = cellCenter(layoutOf([flat], { scale: 1 }), 0, 4, 4);
      expect(pixels.colorAt(Math.floor(x), Math.floor(y))).to.equal(colorScale('Purples')(0));
    });

    it('is width * scale by height * scale pixels and says its resolution', async () => {
      for (const [width, height, scale] of [
        [400, 300, 1],
        [401, 299, 2],
        [320, 240, 3],
      ] as const) {
        // prettier-ignore
        const bytes = await plotHiddenFlowHeatmap(syntheticFlow(), { width, height, scale });
        expect(bytes.subarray(1, 4).toString()).to.equal('PNG');
        expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).to.deep.equal([
          width * scale,
          height * scale,
        ]);
        const resolution = bytes.readUInt32BE(bytes.indexOf('pHYs') + 4);
        expect(resolution).to.equal(Math.round((96 * scale) / 0.0254));
      }
      const natural = layoutOf([syntheticFlow()]);
      const pixels = await decode(await plotHiddenFlowHeatmap(syntheticFlow()));
      expect([pixels.width, pixels.height]).to.deep.equal([natural.width * 3, natural.height * 3]);
    });

    it('draws labels just where the layout has them, and nothing elsewhere', async () => {
      const scale = 2;
      const flows = [
        syntheticFlow({ tokens: ODD_TOKENS, subjectRange: [4, 6] }),
        syntheticFlow({ tokens: manyTokens(40), layerCount: 48, kind: 'mlp' }),
      ];
      const options = { scale, title: 'Two flows with “odd” tokens' };
      const layout = layoutOf(flows, options);
      const pixels = await decode(await plotHiddenFlows(flows, options));
      expectInkOnlyIn(pixels, layout, scale);
    });

    it('uses the color scale that is asked for', async () => {
      const flow = syntheticFlow();
      const pixels = await decode(await plotHiddenFlowHeatmap(flow, { color: 'viridis', scale: 1 }));
      const [x, y] = cellCenter(layoutOf([flow], { scale: 1 }), 0, 4, 3);
      expect(pixels.colorAt(Math.floor(x), Math.floor(y))).to.equal(expectedColor(flow, 'Viridis', 4, 3));
    });

    it('draws a color bar from the lowest color at the bottom to the highest at the top', async () => {
      const scale = 2;
      const [panel] = layoutOf([syntheticFlow()], { scale }).panels;
      const { left, top, width, height } = panel?.colorBar ?? { left: 0, top: 0, width: 0, height: 0 };
      const pixels = await decode(await plotHiddenFlowHeatmap(syntheticFlow(), { scale }));
      for (const share of [0.02, 0.25, 0.5, 0.75, 0.98]) {
        const seen = pixels.colorAt(
          Math.floor((left + width / 2) * scale),
          Math.floor((top + (1 - share) * height) * scale),
        );
        const wanted = colorScale('Purples')(share);
        for (const start of [1, 3, 5]) {
          const difference =
            parseInt(seen.slice(start, start + 2), 16) - parseInt(wanted.slice(start, start + 2), 16);
          expect(Math.abs(difference)).to.be.at.most(3);
        }
      }
    });
  });

  describe('as SVG', () => {
    it('has one shape a cell in the color of its score, outlines for texts, and no bitmap', async () => {
      const flow = syntheticFlow();
      const svg = (await plotHiddenFlowHeatmap(flow, { format: 'svg' })).toString();
      expect(svg).to.match(/^<\?xml/);
      expect(svg).to.not.match(/<image|data:image|<text/);
      const cells = svg.slice(
        svg.lastIndexOf('<g clip-path'),
        svg.indexOf('</g>', svg.lastIndexOf('<g clip-path')),
      );
      const fills = [...cells.matchAll(/<path fill="(#[0-9A-F]{6})"/g)].map((match) =>
        match[1]?.toLowerCase(),
      );
      const wanted = flow.scores.flatMap((row, token) =>
        row.map((_, layer) => expectedColor(flow, 'Purples', token, layer)),
      );
      expect(fills).to.deep.equal(wanted);
    });

    it('has a title and a description with the tokens, and a view box', async () => {
      const flow = syntheticFlow({ tokens: ODD_TOKENS, subjectRange: [4, 6] });
      const svg = (await plotHiddenFlowHeatmap(flow, { format: 'svg', title: 'a < b & "c"' })).toString();
      const { width, height } = layoutOf([flow], { panelTitles: ['a < b & "c"'] });
      expect(svg).to.include(`viewBox="0 0 ${width} ${height}"`);
      expect(svg).to.include('<title>a &lt; b &amp; &quot;c&quot;</title>');
      expect(svg).to.match(/<desc>p\(Paris\) from 0\.0412 .*&lt;s&gt; ␣␣ ↵ .*«Эйфелева»\* башня\*.*\\x07/);
    });

    it('looks like the PNG', async () => {
      const flow = syntheticFlow({ tokens: ODD_TOKENS, subjectRange: [4, 6] });
      const scale = 1;
      const vector = await decode(await plotHiddenFlowHeatmap(flow, { format: 'svg', scale }));
      const raster = await decode(await plotHiddenFlowHeatmap(flow, { scale }));
      expect([vector.width, vector.height]).to.deep.equal([raster.width, raster.height]);
      let different = 0;
      for (let y = 0; y < raster.height; y++) {
        for (let x = 0; x < raster.width; x++) {
          different += Math.abs(brightness(vector, x, y) - brightness(raster, x, y)) > 64 ? 1 : 0;
        }
      }
      expect(different / (raster.width * raster.height)).to.be.below(0.01);
    });

    it('has ids that differ between pictures, so that several fit into one page', async () => {
      const ids = async (flow: HiddenFlow): Promise<string[]> => {
        const svg = (await plotHiddenFlowHeatmap(flow, { format: 'svg' })).toString();
        const used = [...svg.matchAll(/url\(#([^)]+)\)/g)].map((match) => match[1] ?? '');
        const defined = [...svg.matchAll(/ id="([^"]+)"/g)].map((match) => match[1] ?? '');
        expect(defined).to.include.members(used);
        return defined;
      };
      const [first, second] = [await ids(syntheticFlow()), await ids(syntheticFlow({ kind: 'mlp' }))];
      expect(first).to.have.length.above(0);
      expect(first.filter((id) => second.includes(id))).to.deep.equal([]);
    });
  });

  describe('as PDF', () => {
    it('is one page of vector graphics with its font embedded', async () => {
      const bytes = await plotHiddenFlowHeatmap(syntheticFlow(), { format: 'pdf', width: 400, height: 300 });
      const text = bytes.toString('latin1');
      expect(text).to.match(/^%PDF-1\./);
      expect(text.trimEnd()).to.match(/%%EOF$/);
      expect(text).to.include('/MediaBox [0 0 300 225]');
      expect(text.match(/\/Type \/Page\b/g)).to.have.length(1);
      expect(text).to.include('/FontFile2').and.include('DejaVuSans');
      expect(text).to.not.match(/\/Subtype \/Image/);
      expect(text).to.include('(Impact of restoring hidden after corrupted input)');
    });
  });

  for (const format of ['png', 'svg', 'pdf'] as const) {
    it(`gives the same bytes again and after a JSON round trip (${format})`, async () => {
      const flow = syntheticFlow({ tokens: ODD_TOKENS, subjectRange: [4, 6], kind: 'attention' });
      const first = await plotHiddenFlowHeatmap(flow, { format });
      const again = JSON.parse(JSON.stringify(flow)) as HiddenFlow;
      expect((await plotHiddenFlowHeatmap(again, { format })).equals(first)).to.equal(true);
    });
  }

  it('needs nothing of a result but what it shows', async () => {
    const { scores, lowScore, inputTokens, subjectRange, answer, kind } = syntheticFlow();
    const part = { scores, lowScore, inputTokens, subjectRange, answer, kind } as HiddenFlow;
    expect((await plotHiddenFlowHeatmap(part)).equals(await plotHiddenFlowHeatmap(syntheticFlow()))).to.equal(
      true,
    );
  });

  it('destroys its charts and can draw several pictures at once', async () => {
    const alone = await plotHiddenFlowHeatmap(syntheticFlow({ kind: 'mlp' }));
    const all = await Promise.all(
      (['png', 'svg', 'pdf', 'png'] as const).map((format) =>
        plotHiddenFlowHeatmap(syntheticFlow({ kind: 'mlp' }), { format }),
      ),
    );
    expect(all[0]?.equals(alone) === true && all[3]?.equals(alone) === true).to.equal(true);
    expect(Object.keys(Chart.instances)).to.deep.equal([]);
  });

  describe('texts', () => {
    const shown = (options: HeatmapOptions, flow = syntheticFlow()): string[] =>
      layoutOf([flow], options).panels[0]?.texts.map(({ text }) => text) ?? [];

    it('are those of the Python package', async () => {
      const description = (flow: HiddenFlow): Promise<string> =>
        plotHiddenFlowHeatmap(flow, { format: 'svg' }).then((svg) => svg.toString());
      for (const kind of LAYER_KINDS) {
        const texts = shown({}, syntheticFlow({ kind }));
        expect(texts).to.include.members([
          `Impact of restoring ${kind} after corrupted input`,
          `center of interval of restored ${kind} layers`,
          'p(Paris)',
        ]);
        expect(await description(syntheticFlow({ kind }))).to.include(
          `<title>Impact of restoring ${kind} after corrupted input</title>`,
        );
      }
      const tokens = layoutOf([syntheticFlow()]).panels[0]?.tokenTicks.map(({ label }) => label);
      expect(tokens).to.deep.equal(
        LANDMARK_TOKENS.map((token, index) => token.trim() + (index >= 1 && index < 5 ? '*' : '')),
      );
    });

    it('can be replaced or left out', async () => {
      const svg = (
        await plotHiddenFlowHeatmap(syntheticFlow(), { format: 'svg', title: 'My fact' })
      ).toString();
      expect(svg).to.include('<title>My fact</title>');
      expect(shown({ xLabel: 'single restored layer' })).to.include('single restored layer');
      expect(shown({ xLabel: '' }).filter((text) => text.startsWith('center'))).to.deep.equal([]);
      expect(
        (await plotHiddenFlowHeatmap(syntheticFlow(), { format: 'svg', title: '' })).toString(),
      ).to.include('<title></title>');
    });

    it('number the layers as asked', () => {
      const numbers = (options: HeatmapOptions): number[] =>
        layoutOf([syntheticFlow()], options).panels[0]?.layerTicks.map(({ index }) => index) ?? [];
      expect(numbers({})).to.deep.equal([0, 5]);
      expect(numbers({ tickInterval: 2 })).to.deep.equal([0, 2, 4, 6, 8]);
      expect(numbers({ tickInterval: 3, skipFinalLabelsPortion: 0 })).to.deep.equal([0, 3, 6, 9]);
    });
  });

  describe('writing files', () => {
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'causal-tracer-plot-'));
    });
    after(() => rm(folder, { recursive: true }));

    it('makes folders, takes the format from the ending and returns what it wrote', async () => {
      for (const [name, magic] of [
        ['a/b/flow.png', '\x89PNG'],
        ['flow.SVG', '<?xml'],
        ['c/flow.pdf', '%PDF'],
        ['flow', '\x89PNG'],
      ] as const) {
        // prettier-ignore
        const savePath = join(folder, name);
        const bytes = await plotHiddenFlowHeatmap(syntheticFlow(), { savePath });
        expect((await readFile(savePath)).equals(bytes)).to.equal(true);
        expect(bytes.toString('latin1').startsWith(magic), name).to.equal(true);
      }
    });

    it('prefers the format that is given, and replaces a file', async () => {
      const savePath = join(folder, 'picture.png');
      await writeFile(savePath, 'old');
      const bytes = await plotHiddenFlowHeatmap(syntheticFlow(), { savePath, format: 'pdf' });
      expect(bytes.subarray(0, 4).toString()).to.equal('%PDF');
      expect((await stat(savePath)).size).to.equal(bytes.length);
    });

    it('says where it cannot write', async () => {
      const file = join(folder, 'file');
      await writeFile(file, '');
      for (const savePath of [join(file, 'flow.png'), folder]) {
        const error = await failure(plotHiddenFlowHeatmap(syntheticFlow(), { savePath, format: 'png' }));
        expect(error).to.have.property('code', 'OUTPUT_NOT_WRITABLE');
        expect(error.message).to.include(savePath);
      }
    });
  });
});

describe('plotHiddenFlows', () => {
  it('draws panels side by side, each in the colors of its kind', async () => {
    const scale = 2;
    const flows = LAYER_KINDS.map((kind) => syntheticFlow({ kind }));
    const options = { scale, title: 'The Eiffel Tower is located in the city of' };
    const layout = layoutOf(flows, options);
    const pixels = await decode(await plotHiddenFlows(flows, options));
    flows.forEach((flow, panel) => {
      const name = ['Purples', 'Greens', 'Reds'][panel] ?? '';
      for (const [token, layer] of [
        [0, 0],
        [4, 3],
        [4, 7],
        [10, 11],
      ] as const) {
        // prettier-ignore
        const [x, y] = cellCenter(layout, panel, token, layer);
        expect(pixels.colorAt(Math.floor(x * scale), Math.floor(y * scale))).to.equal(
          expectedColor(flow, name, token, layer),
        );
      }
    });
    expect(layout.texts.map(({ text }) => text)).to.deep.equal([options.title]);
  });

  it('is vector graphics too', async () => {
    const flows = LAYER_KINDS.map((kind) => syntheticFlow({ kind }));
    const svg = (await plotHiddenFlows(flows, { format: 'svg', title: 'A fact' })).toString();
    expect(svg).to.not.match(/<image|<text/);
    expect(svg.match(/<linearGradient/g)).to.have.length(3);
    expect(svg).to.include('<title>A fact; Impact of restoring hidden after corrupted input; ');
  });

  it('takes a title for every panel, and refuses another number of them', async () => {
    const flows = LAYER_KINDS.map((kind) => syntheticFlow({ kind }));
    const svg = await plotHiddenFlows(flows, { format: 'svg', panelTitles: ['one', 'two', 'three'] });
    expect(svg.toString()).to.include('<title>one; two; three</title>');
    const error = await failure(plotHiddenFlows(flows, { panelTitles: ['one'] }));
    expect(error).to.have.property('code', 'INVALID_OPTION');
    expect(error.message).to.match(/panelTitles.*list of 3 texts/);
  });

  it('refuses an empty list and names the flow that is wrong', async () => {
    expect(await failure(plotHiddenFlows([]))).to.have.property('code', 'FLOW_INVALID');
    const broken = { ...syntheticFlow(), lowScore: NaN };
    const error = await failure(plotHiddenFlows([syntheticFlow(), broken]));
    expect(error).to.have.property('code', 'FLOW_INVALID');
    expect(error.message).to.match(/^flows\[1\] .*lowScore/);
  });
});

async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not fail');
}

function brightness(pixels: Pixels, x: number, y: number): number {
  const color = pixels.colorAt(x, y);
  return [1, 3, 5].reduce((sum, start) => sum + parseInt(color.slice(start, start + 2), 16), 0) / 3;
}

/** Every label has ink in its box, and ink lies only in boxes of labels, plots, color bars and their tick marks. */
function expectInkOnlyIn(pixels: Pixels, layout: FigureLayout, scale: number): void {
  const labels = [
    ...layout.texts,
    ...layout.panels.flatMap((panel) => [
      ...panel.texts,
      ...panel.tokenTicks.map(({ box }) => box),
      ...panel.layerTicks.map(({ box }) => box),
    ]),
  ];
  const tick = layout.style.tickLength;
  const areas = layout.panels.flatMap(({ plot, colorBar }) => [
    { left: plot.left - tick, top: plot.top, width: plot.width + tick, height: plot.height + tick },
    { ...colorBar, width: colorBar.width + tick },
  ]);
  const covered = new Uint8Array(pixels.width * pixels.height);
  for (const { left, top, width, height } of [...labels, ...areas]) {
    let ink = false;
    for (let y = Math.floor(top * scale) - 2; y <= Math.ceil((top + height) * scale) + 2; y++) {
      for (let x = Math.floor(left * scale) - 2; x <= Math.ceil((left + width) * scale) + 2; x++) {
        covered[y * pixels.width + x] = 1;
        ink ||= pixels.isInk(x, y);
      }
    }
    expect(ink, `ink in the box at ${left}, ${top}`).to.equal(true);
  }
  for (let y = 0; y < pixels.height; y++) {
    for (let x = 0; x < pixels.width; x++) {
      if (pixels.isInk(x, y) && covered[y * pixels.width + x] === 0) {
        throw new Error(`unexpected ink at ${x}, ${y}`);
      }
    }
  }
}
