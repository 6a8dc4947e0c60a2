import type { Rect } from './layout-types.js';
import { wrapText, type MeasureText } from './text-wrap.js';
import { characters, visibleText, type VisibleTextOptions } from './token-labels.js';

/** A line of text and the box that it fills. */
export interface TextBox extends Rect {
  readonly text: string;
  readonly fontSize: number;
  readonly align: 'left' | 'center';
}

/** Height of a line of text, as a multiple of its font size. */
export const LINE_HEIGHT = 1.2;

/** A text broken into lines, not yet placed. */
export interface TextBlock {
  readonly lines: readonly { readonly text: string; readonly width: number }[];
  readonly fontSize: number;
  readonly height: number;
}

/**
 * Breaks a text into as few lines as possible, of about equal width. What is beyond `maxLines` is left out, and the last
 * line then ends with `…`.
 */
export function textBlock(
  text: string,
  options: {
    readonly fontSize: number;
    readonly maxWidth: number;
    readonly maxLines: number;
    readonly measure: MeasureText;
  } & VisibleTextOptions,
): TextBlock {
  const { fontSize, maxWidth, maxLines, measure } = options;
  const fitsIn =
    (width: number) =>
    (line: string): boolean =>
      measure(line, fontSize) <= width;
  const visible = text
    .split(/\r\n|\r|\n/)
    .map((line) => visibleText(line.replaceAll('\t', ' '), options))
    .join('\n');
  const greedy = wrapText(visible, fitsIn(maxWidth));
  const kept =
    greedy.length > maxLines
      ? withEllipsis(greedy.slice(0, maxLines), fitsIn(maxWidth))
      : wrapText(visible, fitsIn(narrowestWidth(visible, greedy.length, maxWidth, fitsIn)));
  const lines = kept.map((line) => ({ text: line, width: measure(line, fontSize) }));
  return { lines, fontSize, height: lines.length * fontSize * LINE_HEIGHT };
}

/** The smallest width, to a pixel, that needs no more lines than `maxWidth` does and breaks no word that fits there. */
function narrowestWidth(
  text: string,
  lineCount: number,
  maxWidth: number,
  fitsIn: (width: number) => (line: string) => boolean,
): number {
  if (lineCount <= 1) {
    return maxWidth;
  }
  const words = text.split(/\s+/).filter(fitsIn(maxWidth));
  const works = (width: number): boolean =>
    words.every(fitsIn(width)) && wrapText(text, fitsIn(width)).length === lineCount;
  let tooNarrow = 0;
  let wide = maxWidth;
  while (wide - tooNarrow > 1) {
    const middle = (wide + tooNarrow) / 2;
    if (works(middle)) {
      wide = middle;
    } else {
      tooNarrow = middle;
    }
  }
  return wide;
}

function withEllipsis(lines: readonly string[], fits: (line: string) => boolean): string[] {
  let last = lines.at(-1) ?? '';
  while (last !== '' && !fits(`${last}…`)) {
    last = characters(last).slice(0, -1).join('').trimEnd();
  }
  return [...lines.slice(0, -1), `${last}…`];
}

/**
 * Places a block's lines below `top`, all with the same center: the wanted one, or the nearest for which every line stays
 * between the bounds.
 */
export function placeBlock(
  block: TextBlock,
  place: { readonly center: number; readonly top: number; readonly left: number; readonly right: number },
): TextBox[] {
  const height = block.fontSize * LINE_HEIGHT;
  const half = Math.max(0, ...block.lines.map(({ width }) => width)) / 2;
  const center = Math.max(place.left + half, Math.min(place.right - half, place.center));
  return block.lines.map(({ text, width }, index) => ({
    text,
    fontSize: block.fontSize,
    align: 'center',
    left: center - width / 2,
    top: place.top + index * height,
    width,
    height,
  }));
}
