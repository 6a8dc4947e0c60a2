import type { ColorRange } from './color-scale.js';
import type { LayoutStyle } from './layout-style.js';
import type { TextBox } from './text-block.js';
import type { TokenLabel, VisibleTextOptions } from './token-labels.js';

/** A rectangle in CSS pixels, measured from the picture's top left corner. */
export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** What one panel shows, as text and numbers. */
export interface PanelContent {
  readonly tokens: readonly TokenLabel[];
  readonly subjectRange: readonly [start: number, end: number];
  readonly layerCount: number;
  readonly title: string;
  readonly xLabel: string;
  /** The answer's token, to be written as `p(answer)`. */
  readonly answer: string;
  readonly range: ColorRange;
}

/** What decides a picture's layout besides its content. */
export interface LayoutOptions extends VisibleTextOptions {
  /** In CSS pixels; as wide as the content needs when missing. */
  readonly width?: number | undefined;
  /** In CSS pixels; as high as the content needs when missing. */
  readonly height?: number | undefined;
  /** Device pixels a CSS pixel: cells begin and end on whole device pixels. */
  readonly scale: number;
  /** Title of the whole picture; empty for none. */
  readonly title: string;
  readonly tickInterval: number;
  readonly skipFinalLabelsPortion: number;
}

/** A label beside an axis. */
export interface AxisTick {
  /** Index of the row or column. */
  readonly index: number;
  readonly label: string;
  readonly box: Rect;
}

/** Where everything in a panel lies. */
export interface PanelLayout {
  readonly plot: Rect;
  /** Left edges of the columns of cells, and the right edge of the last. */
  readonly columnEdges: readonly number[];
  /** Top edges of the rows of cells, and the bottom edge of the last. */
  readonly rowEdges: readonly number[];
  /** Empty where the panel to the left has the same tokens. */
  readonly tokenTicks: readonly AxisTick[];
  readonly layerTicks: readonly AxisTick[];
  readonly colorBar: Rect;
  /** Vertical positions of the marks beside the color bar. */
  readonly colorBarTicks: readonly number[];
  /** Title, x label, numbers of the color bar and the answer. */
  readonly texts: readonly TextBox[];
}

/** Where everything in a picture lies. */
export interface FigureLayout {
  readonly width: number;
  readonly height: number;
  readonly style: LayoutStyle;
  readonly panels: readonly PanelLayout[];
  /** The lines of the picture's own title. */
  readonly texts: readonly TextBox[];
}
