import { colorBarTicks } from './color-bar-ticks.js';
import type { PanelContent } from './layout-types.js';
import type { LayoutStyle } from './layout-style.js';
import { LINE_HEIGHT } from './text-block.js';
import type { MeasureText } from './text-wrap.js';
import { shortenInMiddle } from './token-labels.js';

/** The most numbers that stand beside a color bar. */
const MAX_COLOR_BAR_TICKS = 7;

/** How many numbers may stand beside a color bar of this height: so few that they keep well apart. */
export function colorBarTickCount(height: number, style: LayoutStyle): number {
  const fitting = Math.floor(height / (1.5 * style.labelSize * LINE_HEIGHT));
  return Math.max(1, Math.min(MAX_COLOR_BAR_TICKS, fitting));
}

/** The room that a panel needs to the left and right of its cells, and the shortened texts that it is for. */
export interface PanelColumns {
  readonly tokenLabels: readonly { readonly text: string; readonly width: number }[];
  readonly answer: { readonly text: string; readonly width: number };
  readonly before: number;
  readonly after: number;
}

/**
 * The columns beside the cells of a panel: token labels and axis ticks before them; color bar, numbers and answer after.
 *
 * @param hasLabels - Whether the tokens are written out; not so where the panel to the left has the same ones.
 * @param slotWidth - CSS pixels that the whole panel may take, `Infinity` when it is free.
 * @param plotHeight - Height of the cells in CSS pixels, `undefined` while it is not known.
 */
export function panelColumns(
  content: PanelContent,
  hasLabels: boolean,
  slotWidth: number,
  plotHeight: number | undefined,
  style: LayoutStyle,
  measure: MeasureText,
): PanelColumns {
  const maxTokenWidth = Math.min(style.maxTokenWidth, Math.max(style.tokenSize * 3, slotWidth * 0.3));
  const tokenLabels = hasLabels
    ? content.tokens.map(({ text, mark }) => {
        const fits = (part: string): boolean => measure(part + mark, style.tokenSize) <= maxTokenWidth;
        const label = shortenInMiddle(text, fits) + mark;
        return { text: label, width: measure(label, style.tokenSize) };
      })
    : [];
  const labelsWidth = Math.max(0, ...tokenLabels.map(({ width }) => width));

  const maxAnswerWidth = Math.min(style.maxAnswerWidth, Math.max(style.labelSize * 7, slotWidth * 0.25));
  const written = (answer: string): string => `p(${answer})`;
  const shortAnswer = shortenInMiddle(
    content.answer,
    (part) => measure(written(part), style.labelSize) <= maxAnswerWidth,
  );
  const answer = written(shortAnswer);
  const answerWidth = measure(answer, style.labelSize);

  const beforeNumbers = style.colorBarGap + style.colorBarWidth + style.tickLength + style.tickPadding;
  return {
    tokenLabels,
    answer: { text: answer, width: answerWidth },
    before: hasLabels ? labelsWidth + style.tickPadding + style.tickLength : 0,
    after: Math.max(
      beforeNumbers + widestNumber(content, plotHeight, style, measure),
      answerEnd(answerWidth, style),
    ),
  };
}

/** How far the left edge of an answer lies from the right edge of the cells: centered on the color bar if there is room. */
export function answerStart(answerWidth: number, style: LayoutStyle): number {
  return Math.max(style.colorBarGap / 2, style.colorBarGap + style.colorBarWidth / 2 - answerWidth / 2);
}

function answerEnd(answerWidth: number, style: LayoutStyle): number {
  return answerStart(answerWidth, style) + answerWidth;
}

function widestNumber(
  { range }: PanelContent,
  plotHeight: number | undefined,
  style: LayoutStyle,
  measure: MeasureText,
): number {
  const counts =
    plotHeight === undefined
      ? Array.from({ length: MAX_COLOR_BAR_TICKS }, (_, index) => index + 1)
      : [colorBarTickCount(plotHeight, style)];
  const labels = counts.flatMap((count) => colorBarTicks(range, count).map(({ label }) => label));
  return Math.max(...labels.map((label) => measure(label, style.labelSize)));
}
