/** Draws a picture on a machine without fonts, and prints what it saw as JSON. Run by fonts.test.ts in its own process. */
import { createCanvas, GlobalFonts } from '@napi-rs/canvas';
import { heatmapFigure } from '../../src/plotting/figure.js';
import { fontStack, glyphCheck } from '../../src/plotting/fonts.js';
import type { Rect } from '../../src/plotting/layout-types.js';
import { plotHiddenFlowHeatmap } from '../../src/plotting/plot-hidden-flow.js';
import { resolveOptions } from '../../src/plotting/plot-options.js';
import { decode } from './pixels.js';
import { syntheticFlow } from './synthetic-flow.js';

const TOKENS = ['The', ' "Москва"', ' Ωμέγα', '\n', ' 東京', ' in']; // prettier-ignore

const installedFamilies = GlobalFonts.families.map(({ family }) => family);
const context = createCanvas(40, 40).getContext('2d');
context.font = '20px sans-serif';
context.fillText('Aж', 2, 30);
const inkOfInstalledFonts = context.getImageData(0, 0, 40, 40).data.some((value) => value !== 0);

const flow = syntheticFlow({ tokens: TOKENS, subjectRange: [1, 2] });
const options = { scale: 2, fontFamily: 'A Font That Nobody Has' };
const { layout } = heatmapFigure([flow], resolveOptions(options));
const pixels = await decode(await plotHiddenFlowHeatmap(flow, options));

/** The share of a box that is dark. */
function darkness({ left, top, width, height }: Rect): number {
  let dark = 0;
  let all = 0;
  for (let y = Math.floor(top * 2); y < (top + height) * 2; y++) {
    for (let x = Math.floor(left * 2); x < (left + width) * 2; x++) {
      dark += parseInt(pixels.colorAt(x, y).slice(1, 3), 16) < 128 ? 1 : 0;
      all++;
    }
  }
  return dark / all;
}

const panel = layout.panels[0];
const labels = [...(panel?.tokenTicks ?? []), ...(panel?.layerTicks ?? [])];
const canDraw = glyphCheck(fontStack());
process.stdout.write(
  JSON.stringify({
    installedFamilies,
    inkOfInstalledFonts,
    labels: Object.fromEntries(labels.map(({ label, box }) => [label, darkness(box)])),
    texts: Object.fromEntries((panel?.texts ?? []).map((box) => [box.text, darkness(box)])),
    canDraw: Object.fromEntries(Array.from('AжΩ↵␣⇥…◌�−東', (character) => [character, canDraw(character)])),
  }),
);
