import { expect } from 'chai';
import stringWidth from 'string-width';
import { drawHiddenFlow } from '../../src/cli/terminal-heatmap.js';
import type { HiddenFlow } from '../../src/tracing/hidden-flow.js';
import { LANDMARK_TOKENS, manyTokens, syntheticFlow } from '../plotting/synthetic-flow.js';

const small: HiddenFlow = {
  ...syntheticFlow({ tokens: ['The', ' Louvre', ' is', '\n', ' 東京'], subjectRange: [1, 2], layerCount: 4 }),
  scores: [
    [0.1, 0.1, 0.1, 0.05],
    [0.5, 0.899, 0.9, 0.2],
    [0.1, 0.1, 0.1, 0.1],
    [0.1, 0.1, 0.1, 0.1],
    [0.1, 0.1, 0.4, 0.85],
  ],
  lowScore: 0.1,
  highScore: 0.95,
  answer: ' Paris',
};

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** The text without its colors. */
function plain(text: string): string {
  return text.replace(ESCAPES, '');
}

describe('the heatmap in the terminal', () => {
  it('draws digits where there are no colors', () => {
    expect(drawHiddenFlow(small, { colors: 'none', columns: 80 })).to.equal(
      [
        'Impact of restoring hidden after corrupted input (10 samples)',
        '',
        '    The  .  .  .  .',
        'Louvre*  5  9  9  1',
        '     is  .  .  .  .',
        '      ↵  .  .  .  .',
        '   東京  .  .  3  9',
        '  layer  0  1  2  3',
        '',
        'scale: . is 0.100, 9 is 0.900',
        'p(Paris): 0.950 clean, 0.100 corrupted; highest 0.900, restored at token 1 (Louvre*), layer 2',
        '',
      ].join('\n'),
    );
  });

  it('colors cells from the low score to the highest, in the colors of the kind', () => {
    const drawn = drawHiddenFlow(small, { colors: 'truecolor', columns: 80 });
    const row = drawn.split('\n').find((line) => line.startsWith('Louvre*')) ?? '';
    const cell = (color: string): string => `\u001b[48;2;${color}m   \u001b[0m`;
    expect(row).to.equal(
      `Louvre*  ${cell('158;155;201')}${cell('63;0;125')}${cell('63;0;125')}${cell('238;236;245')}`,
    );
    const greens = drawHiddenFlow({ ...small, kind: 'mlp', window: 3 }, { colors: 'truecolor', columns: 80 });
    expect(greens).to.include('48;2;0;68;27m').and.to.include('mlp').and.to.include('window of 3 layers');
  });

  it('uses the palette of a terminal with 256 colors', () => {
    const drawn = drawHiddenFlow(small, { colors: '256', columns: 80 });
    expect(drawn).to.include('\u001b[48;5;54m').and.not.to.include('48;2;');
  });

  it('takes the color scale that is asked for', () => {
    const drawn = drawHiddenFlow(small, { colors: 'truecolor', columns: 80, scale: 'viridis' });
    expect(drawn).to.include('48;2;253;231;37m').and.to.include('48;2;68;1;84m');
  });

  for (const colors of ['none', 'truecolor'] as const) {
    for (const columns of [40, 80, 200]) {
      it(`draws every cell once and keeps to ${columns} columns, colors: ${colors}`, () => {
        for (const layerCount of [4, 33, 96]) {
          const flow = syntheticFlow({
            tokens: [...LANDMARK_TOKENS, ...manyTokens(20), ' averylongtoken'.repeat(8)],
            layerCount,
          });
          const lines = plain(drawHiddenFlow(flow, { colors, columns })).split('\n');
          const cells = lines.filter((line) => / {2}[.\d ]/.test(line) && !/layer|scale/.test(line));
          expect(cells.length % flow.scores.length).to.equal(0);
          const drawn = lines.slice(2, -3);
          expect(Math.max(...drawn.map((line) => stringWidth(line)))).to.be.at.most(columns);
        }
      });
    }
  }

  it('numbers the layers of every part when they do not fit side by side', () => {
    const flow = syntheticFlow({ tokens: ['A', ' b'], subjectRange: [0, 1], layerCount: 48 });
    const lines = drawHiddenFlow(flow, { colors: 'none', columns: 40 }).split('\n');
    const rulers = lines.filter((line) => line.includes('layer  '));
    expect(rulers).to.deep.equal(['layer  0    5    10   15   20   25   30', 'layer    35   40   45']);
    const cells = lines.filter((line) => line.startsWith('   A*  ')).map((line) => line.slice(7));
    expect(cells.map((line) => line.length)).to.deep.equal([33, 15]);
  });

  it('writes what a terminal would obey as text', () => {
    const flow = { ...small, inputTokens: ['\u001b[31m', ' Louvre', '\u0007', '\r', '\u200b'] };
    const drawn = drawHiddenFlow(flow, { colors: 'none', columns: 80 });
    expect(drawn).not.to.include('\u001b').and.not.to.include('\u0007').and.not.to.include('\r');
    expect(drawn).to.include('\\x1b[31m').and.to.include('\\x07').and.to.include('\\u200b');
  });

  it('shortens a long subject token but keeps its mark', () => {
    const flow = { ...small, inputTokens: ['The', ' antidisestablishmentarianism', ' is', ' a', ' b'] };
    const drawn = drawHiddenFlow(flow, { colors: 'none', columns: 30 });
    expect(drawn).to.match(/^anti…nism\* {2}5/m);
  });

  it('shows a flow in which nothing is restored', () => {
    const flow = { ...small, scores: small.scores.map((row) => row.map(() => 0.1)) };
    expect(drawHiddenFlow(flow, { colors: 'none', columns: 80 })).to.include('Louvre*  .  .  .  .\n');
  });
});
