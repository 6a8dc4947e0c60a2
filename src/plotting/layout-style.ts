import { LINE_HEIGHT } from './text-block.js';

/** Font sizes and distances of a picture, in CSS pixels. */
export interface LayoutStyle {
  readonly figureTitleSize: number;
  readonly titleSize: number;
  readonly labelSize: number;
  readonly tokenSize: number;
  readonly margin: number;
  readonly panelGap: number;
  readonly titleGap: number;
  readonly tickLength: number;
  readonly tickPadding: number;
  readonly labelGap: number;
  readonly colorBarGap: number;
  readonly colorBarWidth: number;
  readonly maxTokenWidth: number;
  readonly maxAnswerWidth: number;
}

/** How far sizes may shrink where a picture's width or height is given: from full size down to the smallest. */
export const SHRINK_FACTORS: readonly number[] = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6];

/** The sizes for a picture with this many tokens, all multiplied by `factor`. */
export function layoutStyle(tokenCount: number, factor: number): LayoutStyle {
  return {
    figureTitleSize: 14 * factor,
    titleSize: 12.5 * factor,
    labelSize: 11 * factor,
    tokenSize: fullTokenSize(tokenCount) * factor,
    margin: 10 * factor,
    panelGap: 24 * factor,
    titleGap: 8 * factor,
    tickLength: 3.5 * factor,
    tickPadding: 3.5 * factor,
    labelGap: 4 * factor,
    colorBarGap: 12 * factor,
    colorBarWidth: 11 * factor,
    maxTokenWidth: 150 * factor,
    maxAnswerWidth: 110 * factor,
  };
}

/** Tokens are set in the size of the other labels, and somewhat smaller in pictures of more than 40 tokens. */
function fullTokenSize(tokenCount: number): number {
  return Math.min(11, Math.max(9, 11 - (tokenCount - 40) / 20));
}

/** Width of the cells together, in whole CSS pixels a cell, where no width is given. */
export function naturalPlotWidth(layerCount: number): number {
  const wanted = Math.min(416, Math.max(308, 26 * layerCount));
  return layerCount * Math.max(6, Math.round(wanted / layerCount));
}

/** Height of the cells together, in whole CSS pixels a cell, where no height is given. */
export function naturalPlotHeight(tokenCount: number): number {
  const row = tokenCount <= 16 ? 22 : tokenCount <= 24 ? 19 : tokenCount <= 40 ? 16 : 0;
  const lowest = Math.ceil(fullTokenSize(tokenCount) * LINE_HEIGHT);
  return tokenCount * Math.max(lowest, row, Math.ceil(110 / tokenCount));
}
