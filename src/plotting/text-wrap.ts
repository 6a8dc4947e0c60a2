import { characters } from './token-labels.js';

/** Width of a text in CSS pixels at a font size in CSS pixels. */
export type MeasureText = (text: string, fontSize: number) => number;

/**
 * Breaks a text into lines that fit: at line breaks, else between words, else inside a word that does not fit by itself.
 * A line holds at least one character, even where that does not fit. An empty text has no lines.
 *
 * @param fits - Whether a line is short enough.
 */
export function wrapText(text: string, fits: (line: string) => boolean): string[] {
  if (text.trim() === '') {
    return [];
  }
  return text.split(/\r\n|\r|\n/).flatMap((paragraph) => wrapParagraph(paragraph, fits));
}

function wrapParagraph(paragraph: string, fits: (line: string) => boolean): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of paragraph.split(/\s+/).filter((part) => part !== '')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (fits(longer)) {
      line = longer;
      continue;
    }
    if (line !== '') {
      lines.push(line);
    }
    const pieces = fits(word) ? [word] : breakWord(word, fits);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? '';
  }
  return [...lines, line];
}

function breakWord(word: string, fits: (line: string) => boolean): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const character of characters(word)) {
    if (piece !== '' && !fits(piece + character)) {
      pieces.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...pieces, piece];
}
