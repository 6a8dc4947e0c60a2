import { naturalPlotHeight, naturalPlotWidth, type LayoutStyle } from './layout-style.js';
import type { LayoutOptions, PanelContent } from './layout-types.js';
import { panelColumns, type PanelColumns } from './panel-columns.js';
import { LINE_HEIGHT, textBlock, type TextBlock } from './text-block.js';
import type { MeasureText } from './text-wrap.js';

/** A panel with its horizontal place decided. */
export interface PanelSlot {
  readonly content: PanelContent;
  readonly columns: PanelColumns;
  readonly left: number;
  readonly right: number;
  readonly plotLeft: number;
}

/** The widths of a picture. */
export interface HorizontalPlan {
  readonly width: number;
  /** Width of the cells of each panel; not positive where the given width leaves no room for them. */
  readonly plotWidth: number;
  readonly panels: readonly PanelSlot[];
}

/** Divides a picture's width among its panels and their columns. */
export function planColumns(
  contents: readonly PanelContent[],
  options: LayoutOptions,
  style: LayoutStyle,
  measure: MeasureText,
): HorizontalPlan {
  const { scale } = options;
  const slotWidth = (options.width ?? Infinity) / contents.length;
  const plotHeight = options.height === undefined ? naturalHeight(contents) : undefined;
  const drafts = contents.map((content, index) => {
    const hasLabels = !hasSameTokens(content, contents[index - 1]);
    return { content, columns: panelColumns(content, hasLabels, slotWidth, plotHeight, style, measure) };
  });
  // Each panel may lose up to a device pixel to the grid.
  const sides = drafts.reduce((sum, { columns }) => sum + columns.before + columns.after + 1 / scale, 0);
  const besides = 2 * style.margin + (contents.length - 1) * style.panelGap + sides;
  const plotWidth =
    options.width === undefined
      ? Math.max(...contents.map(({ layerCount }) => naturalPlotWidth(layerCount)))
      : snapDown((options.width - besides) / contents.length, scale);
  const panels: PanelSlot[] = [];
  for (const { content, columns } of drafts) {
    const previous = panels.at(-1);
    const left = previous === undefined ? style.margin : previous.right + style.panelGap;
    const plotLeft = snapUp(left + columns.before, scale);
    panels.push({ content, columns, left, plotLeft, right: plotLeft + plotWidth + columns.after });
  }
  const width = options.width ?? Math.ceil((panels.at(-1)?.right ?? 0) + style.margin);
  return { width, plotWidth, panels };
}

/** The heights of a picture, and its texts broken into lines. */
export interface VerticalPlan {
  readonly height: number;
  readonly plotTop: number;
  /** Height of the cells of each panel; not positive where the given height leaves no room for them. */
  readonly plotHeight: number;
  readonly figureTitle: TextBlock;
  readonly panels: readonly (PanelSlot & { readonly title: TextBlock; readonly xLabel: TextBlock })[];
}

/** Where the height is given: the share of it that each of the titles and the x label may take. */
const LARGEST_SHARE_OF_TEXT = 0.15;

/** Divides a picture's height among titles, cells and the labels below. */
export function planRows(
  horizontal: HorizontalPlan,
  options: LayoutOptions,
  style: LayoutStyle,
  measure: MeasureText,
): VerticalPlan {
  const { scale } = options;
  const room = (options.height ?? Infinity) * LARGEST_SHARE_OF_TEXT;
  const block = (text: string, fontSize: number, maxWidth: number): TextBlock => {
    const maxLines = Math.max(1, Math.floor(room / (fontSize * LINE_HEIGHT)));
    return textBlock(text, { ...options, fontSize, maxWidth, maxLines, measure });
  };
  const figureTitle = block(options.title, style.figureTitleSize, horizontal.width - 2 * style.margin);
  // The narrowest panel decides for all, so that similar texts break alike.
  const panelWidth = Math.min(...horizontal.panels.map(({ left, right }) => right - left));
  const panels = horizontal.panels.map((panel) => ({
    ...panel,
    title: block(panel.content.title, style.titleSize, panelWidth),
    xLabel: block(panel.content.xLabel, style.labelSize, panelWidth),
  }));
  const above = [figureTitle.height, Math.max(...panels.map(({ title }) => title.height))]
    .map((height) => (height > 0 ? height + style.titleGap : 0))
    .reduce((sum, height) => sum + height, style.margin);
  const below =
    style.tickLength +
    style.tickPadding +
    style.labelSize * LINE_HEIGHT +
    style.labelGap +
    Math.max(...panels.map(({ xLabel }) => xLabel.height)) +
    style.margin;
  const plotTop = snapUp(above, scale);
  const plotHeight =
    options.height === undefined
      ? naturalHeight(panels.map(({ content }) => content))
      : snapDown(options.height - plotTop - below, scale);
  const height = options.height ?? Math.ceil(plotTop + plotHeight + below);
  return { height, plotTop, plotHeight, figureTitle, panels };
}

function naturalHeight(contents: readonly PanelContent[]): number {
  return Math.max(...contents.map(({ tokens }) => naturalPlotHeight(tokens.length)));
}

function hasSameTokens(content: PanelContent, other: PanelContent | undefined): boolean {
  return (
    other?.tokens.length === content.tokens.length &&
    content.tokens.every(({ text, mark }, index) => {
      const counterpart = other.tokens[index];
      return text === counterpart?.text && mark === counterpart.mark;
    })
  );
}

function snapDown(length: number, scale: number): number {
  return Math.floor(length * scale + 1e-6) / scale;
}

function snapUp(length: number, scale: number): number {
  return Math.ceil(length * scale - 1e-6) / scale;
}
