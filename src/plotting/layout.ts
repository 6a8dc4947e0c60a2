import { CausalTracerError } from '../errors.js';
import { planColumns, planRows } from './figure-plan.js';
import { layoutStyle, SHRINK_FACTORS } from './layout-style.js';
import type { FigureLayout, LayoutOptions, PanelContent } from './layout-types.js';
import { layoutPanel } from './panel-layout.js';
import { LINE_HEIGHT, placeBlock } from './text-block.js';
import type { MeasureText } from './text-wrap.js';

/**
 * Lays out panels side by side. Where the width or height is given and too small for full-size text, text shrinks;
 * where even that is not enough, labels are thinned out. Labels never overlap and are never cut.
 *
 * @throws CausalTracerError `INVALID_OPTION` where a cell would be smaller than a device pixel.
 */
export function layoutFigure(
  contents: readonly PanelContent[],
  options: LayoutOptions,
  measure: MeasureText,
): FigureLayout {
  let roomy: Attempt | undefined;
  let last: Attempt | undefined;
  for (const factor of SHRINK_FACTORS) {
    last = attempt(contents, options, measure, factor);
    if (last.isRoomy && last.showsAllTokens) {
      return last.finish();
    }
    if (last.isRoomy) {
      roomy ??= last;
    }
  }
  const chosen = roomy ?? last;
  if (chosen === undefined || chosen.missingWidth > 0 || chosen.missingHeight > 0) {
    throw tooSmall(options, chosen?.missingWidth ?? 0, chosen?.missingHeight ?? 0);
  }
  return chosen.finish();
}

/** A layout in sizes that may turn out not to fit. */
interface Attempt {
  /** Whether the cells have their fair share of the picture. */
  readonly isRoomy: boolean;
  readonly showsAllTokens: boolean;
  /** CSS pixels that the picture is too narrow or too low for one device pixel a cell. */
  readonly missingWidth: number;
  readonly missingHeight: number;
  readonly finish: () => FigureLayout;
}

const FAIR_SHARE = 0.45;

function attempt(
  contents: readonly PanelContent[],
  options: LayoutOptions,
  measure: MeasureText,
  factor: number,
): Attempt {
  const tokenCount = Math.max(...contents.map(({ tokens }) => tokens.length));
  const layerCount = Math.max(...contents.map((content) => content.layerCount));
  const style = layoutStyle(tokenCount, factor);
  const horizontal = planColumns(contents, options, style, measure);
  const vertical = planRows(horizontal, options, style, measure);
  const { width, plotWidth } = horizontal;
  const { height, plotTop, plotHeight } = vertical;
  const missingWidth = Math.ceil(contents.length * (layerCount / options.scale - plotWidth));
  const missingHeight = Math.ceil(tokenCount / options.scale - plotHeight);
  return {
    isRoomy:
      missingWidth <= 0 &&
      missingHeight <= 0 &&
      (options.width === undefined || plotWidth >= (FAIR_SHARE * width) / contents.length) &&
      (options.height === undefined || plotHeight >= FAIR_SHARE * height),
    showsAllTokens: plotHeight / tokenCount >= style.tokenSize * LINE_HEIGHT - 1e-9,
    missingWidth,
    missingHeight,
    finish: () => ({
      width,
      height,
      style,
      texts: placeBlock(vertical.figureTitle, {
        center: width / 2,
        top: style.margin,
        left: style.margin,
        right: width - style.margin,
      }),
      panels: vertical.panels.map((panel) => {
        const plot = { left: panel.plotLeft, top: plotTop, width: plotWidth, height: plotHeight };
        return layoutPanel({ ...panel, plot }, style, options, measure);
      }),
    }),
  };
}

function tooSmall(options: LayoutOptions, missingWidth: number, missingHeight: number): CausalTracerError {
  const sizes: string[] = [];
  if (options.width !== undefined && missingWidth > 0) {
    sizes.push(
      `width ${options.width} is too small, it needs at least about ${options.width + missingWidth}`,
    );
  }
  if (options.height !== undefined && missingHeight > 0) {
    sizes.push(
      `height ${options.height} is too small, it needs at least about ${options.height + missingHeight}`,
    );
  }
  return new CausalTracerError(
    'INVALID_OPTION',
    `The picture does not fit: ${sizes.join('; ')} (pixels at scale 1). Leave width and height out for sizes that fit.`,
  );
}
