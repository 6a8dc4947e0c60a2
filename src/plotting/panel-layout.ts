import { colorBarTicks } from './color-bar-ticks.js';
import { positionInRange } from './color-scale.js';
import type { AxisTick, LayoutOptions, PanelContent, PanelLayout, Rect } from './layout-types.js';
import type { LayoutStyle } from './layout-style.js';
import { answerStart, colorBarTickCount, type PanelColumns } from './panel-columns.js';
import { LINE_HEIGHT, placeBlock, type TextBlock, type TextBox } from './text-block.js';
import type { MeasureText } from './text-wrap.js';
import { selectLayers, selectTokens } from './tick-selection.js';

/** A panel whose place is decided: what is left is to place its parts. */
export interface PanelPlan {
  readonly content: PanelContent;
  readonly columns: PanelColumns;
  /** Left and right edge of the panel, everything included. */
  readonly left: number;
  readonly right: number;
  readonly plot: Rect;
  readonly title: TextBlock;
  readonly xLabel: TextBlock;
}

/** Places every part of a panel. */
export function layoutPanel(
  plan: PanelPlan,
  style: LayoutStyle,
  options: LayoutOptions,
  measure: MeasureText,
): PanelLayout {
  const { content, plot } = plan;
  // Titles may reach a little into the gaps between panels: they look better centered.
  const left = plan.left - style.panelGap / 4;
  const right = plan.right + style.panelGap / 4;
  const center = plot.left + plot.width / 2;
  const colorBar: Rect = {
    left: plot.left + plot.width + style.colorBarGap,
    top: plot.top,
    width: style.colorBarWidth,
    height: plot.height,
  };
  const numbers = colorBarNumbers(content, colorBar, style, measure);
  const titleTop = plot.top - style.titleGap - plan.title.height;
  const layersTop = plot.top + plot.height + style.tickLength + style.tickPadding;
  const xLabelTop = layersTop + style.labelSize * LINE_HEIGHT + style.labelGap;
  return {
    plot,
    columnEdges: cellEdges(plot.left, plot.width, content.layerCount, options.scale),
    rowEdges: cellEdges(plot.top, plot.height, content.tokens.length, options.scale),
    tokenTicks: tokenTicks(plan, style),
    layerTicks: layerTicks(plan, layersTop, style, options, measure),
    colorBar,
    colorBarTicks: numbers.map((box) => box.top + box.height / 2),
    texts: [
      ...placeBlock(plan.title, { center, top: titleTop, left, right }),
      ...placeBlock(plan.xLabel, { center, top: xLabelTop, left, right }),
      ...numbers,
      {
        text: plan.columns.answer.text,
        fontSize: style.labelSize,
        align: 'center',
        left: plot.left + plot.width + answerStart(plan.columns.answer.width, style),
        top: layersTop,
        width: plan.columns.answer.width,
        height: style.labelSize * LINE_HEIGHT,
      },
    ],
  };
}

/** Edges of `count` cells that fill a length, each on a whole device pixel: cells touch without seams or blurred rims. */
export function cellEdges(start: number, length: number, count: number, scale: number): number[] {
  return Array.from(
    { length: count + 1 },
    (_, index) => Math.round((start + (index * length) / count) * scale) / scale,
  );
}

function tokenTicks({ content, columns, plot }: PanelPlan, style: LayoutStyle): AxisTick[] {
  if (columns.tokenLabels.length === 0) {
    return [];
  }
  const tokenCount = content.tokens.length;
  const cellHeight = plot.height / tokenCount;
  const labelHeight = style.tokenSize * LINE_HEIGHT;
  const rows = selectTokens({ tokenCount, subjectRange: content.subjectRange, cellHeight, labelHeight });
  return rows.map((row) => {
    const { text, width } = columns.tokenLabels[row] ?? { text: '', width: 0 };
    const box = {
      left: plot.left - style.tickLength - style.tickPadding - width,
      top: plot.top + (row + 0.5) * cellHeight - labelHeight / 2,
      width,
      height: labelHeight,
    };
    return { index: row, label: text, box };
  });
}

function layerTicks(
  { content, plot }: PanelPlan,
  top: number,
  style: LayoutStyle,
  options: LayoutOptions,
  measure: MeasureText,
): AxisTick[] {
  const cellWidth = plot.width / content.layerCount;
  const widthOf = (layer: number): number => measure(String(layer), style.labelSize);
  const layers = selectLayers({
    layerCount: content.layerCount,
    interval: options.tickInterval,
    skipFinalPortion: options.skipFinalLabelsPortion,
    cellWidth,
    labelWidth: (layer) => widthOf(layer) + 0.6 * style.labelSize,
  });
  const ticks = layers.map((layer) => {
    const width = widthOf(layer);
    const left = plot.left + (layer + 0.5) * cellWidth - width / 2;
    return {
      index: layer,
      label: String(layer),
      box: { left, top, width, height: style.labelSize * LINE_HEIGHT },
    };
  });
  // Half a number may stand out beyond the cells, on the right side not so far that it reaches the answer.
  const end = plot.left + plot.width + style.colorBarGap / 2 - 0.3 * style.labelSize;
  return ticks.filter(({ box }) => box.left >= plot.left - style.panelGap / 2 && box.left + box.width <= end);
}

function colorBarNumbers(
  { range }: PanelContent,
  bar: Rect,
  style: LayoutStyle,
  measure: MeasureText,
): TextBox[] {
  const height = style.labelSize * LINE_HEIGHT;
  const count = colorBarTickCount(bar.height, style);
  return colorBarTicks(range, count).map(({ value, label }) => ({
    text: label,
    fontSize: style.labelSize,
    align: 'left',
    left: bar.left + bar.width + style.tickLength + style.tickPadding,
    top: bar.top + bar.height * (1 - positionInRange(value, range)) - height / 2,
    width: measure(label, style.labelSize),
    height,
  }));
}
