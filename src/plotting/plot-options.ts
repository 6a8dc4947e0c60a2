import { extname } from 'node:path';
import { CausalTracerError } from '../errors.js';
import { colorScale } from './color-scale.js';
import { PICTURE_FORMATS, type PictureFormat } from './picture-format.js';

/** How to draw a heatmap, and where to write it. */
export interface HeatmapOptions {
  /** File to write; missing folders are made, an existing file is replaced. Nothing is written when missing. */
  readonly savePath?: string | undefined;
  /** Default: what the ending of `savePath` says; `png` without an ending. */
  readonly format?: PictureFormat | undefined;
  /** Default: `Impact of restoring {kind} after corrupted input`. Long titles wrap; an empty one is left out. */
  readonly title?: string | undefined;
  /** Default: `center of interval of restored {kind} layers`. Wraps, or is left out, as the title. */
  readonly xLabel?: string | undefined;
  /**
   * A font family, or several separated by commas; families that this machine does not have are passed over. Whatever they
   * lack, and everything by default, is set in DejaVu Sans, which comes with this package.
   */
  readonly fontFamily?: string | undefined;
  /** Name of a color scale of d3-scale-chromatic. Default: `Purples` for hidden, `Greens` for mlp, `Reds` for attention. */
  readonly color?: string | undefined;
  /** Every how many layers a number stands; a whole number from 1. Default: 5. */
  readonly tickInterval?: number | undefined;
  /** Share of the last layers that get no number, from 0 to 1. Default: 0.1. */
  readonly skipFinalLabelsPortion?: number | undefined;
  /** In CSS pixels (96 are an inch), a whole number. Default: as wide as the layers and labels need. */
  readonly width?: number | undefined;
  /** In CSS pixels (96 are an inch), a whole number. Default: as high as the tokens and labels need. */
  readonly height?: number | undefined;
  /** Device pixels a CSS pixel, from 0.5 to 16. A PNG is `width * scale` by `height * scale` pixels. Default: 3. */
  readonly scale?: number | undefined;
}

/** How to draw several heatmaps side by side. */
export interface HeatmapPanelsOptions extends HeatmapOptions {
  /** Title of the whole picture. Default: none. */
  readonly title?: string | undefined;
  /** Titles of the panels, as many as panels. Default: `Impact of restoring {kind} after corrupted input`. */
  readonly panelTitles?: readonly string[] | undefined;
}

/** Checked options, with defaults filled in where they do not depend on the panel. */
export interface ResolvedOptions extends HeatmapPanelsOptions {
  readonly format: PictureFormat;
  readonly tickInterval: number;
  readonly skipFinalLabelsPortion: number;
  readonly scale: number;
}

const LARGEST_SIDE = 100_000;

/**
 * Checks options and fills in defaults.
 *
 * @throws CausalTracerError `INVALID_OPTION` naming the option, what it is and what it may be.
 */
export function resolveOptions(options: HeatmapPanelsOptions): ResolvedOptions {
  for (const name of ['savePath', 'title', 'xLabel', 'fontFamily', 'color'] as const) {
    check(name, options[name], isOptional(options[name], 'string'), 'a text');
  }
  check('savePath', options.savePath, options.savePath !== '', 'the path of a file');
  if (options.color !== undefined) {
    colorScale(options.color);
  }
  const { tickInterval = 5, skipFinalLabelsPortion = 0.1, scale = 3 } = options;
  check(
    'tickInterval',
    tickInterval,
    Number.isInteger(tickInterval) && tickInterval >= 1,
    'a whole number from 1',
  );
  check(
    'skipFinalLabelsPortion',
    skipFinalLabelsPortion,
    isBetween(skipFinalLabelsPortion, 0, 1),
    'a number from 0 to 1',
  );
  check('scale', scale, isBetween(scale, 0.5, 16), 'a number from 0.5 to 16');
  for (const name of ['width', 'height'] as const) {
    const side = options[name];
    const isSide = side === undefined || (Number.isInteger(side) && isBetween(side, 1, LARGEST_SIDE));
    check(name, side, isSide, `a whole number from 1 to ${LARGEST_SIDE}`);
  }
  return { ...options, format: resolveFormat(options), tickInterval, skipFinalLabelsPortion, scale };
}

function resolveFormat({ format, savePath }: HeatmapPanelsOptions): PictureFormat {
  if (format !== undefined) {
    const known = PICTURE_FORMATS.find((candidate) => candidate === format);
    check('format', format, known !== undefined, `one of ${PICTURE_FORMATS.join(', ')}`);
    return format;
  }
  const ending = savePath === undefined ? '' : extname(savePath).slice(1).toLowerCase();
  if (ending === '') {
    return 'png';
  }
  const known = PICTURE_FORMATS.find((candidate) => candidate === ending);
  if (known === undefined) {
    throw new CausalTracerError(
      'INVALID_OPTION',
      `Cannot tell a picture's format from ${JSON.stringify(savePath)}. ` +
        `Use a file name that ends with .png, .svg or .pdf, or give format: ${PICTURE_FORMATS.join(', ')}.`,
    );
  }
  return known;
}

/** Checks that there is one panel title a panel. */
export function checkPanelTitles(titles: readonly string[] | undefined, panelCount: number): void {
  const fit =
    titles === undefined ||
    (Array.isArray(titles) &&
      titles.length === panelCount &&
      titles.every((title) => typeof title === 'string'));
  check('panelTitles', titles, fit, `a list of ${panelCount} texts, one for each panel`);
}

function check(name: string, value: unknown, isRight: boolean, allowed: string): void {
  if (!isRight) {
    const shown = typeof value === 'number' ? String(value) : JSON.stringify(value);
    throw new CausalTracerError('INVALID_OPTION', `The option ${name} is ${shown}; it must be ${allowed}.`);
  }
}

function isOptional(value: unknown, type: 'string'): boolean {
  return value === undefined || typeof value === type;
}

function isBetween(value: unknown, low: number, high: number): boolean {
  return typeof value === 'number' && value >= low && value <= high;
}
