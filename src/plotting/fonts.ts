import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createCanvas, GlobalFonts, type SKRSContext2D } from '@napi-rs/canvas';
import type { MeasureText } from './text-wrap.js';

/** The font that every picture can fall back on: it comes with this package. */
export const FALLBACK_FONT = 'DejaVu Sans';

/** Families that come with this package, and their files. */
const SHIPPED_FONTS: ReadonlyMap<string, string> = new Map([
  [FALLBACK_FONT, 'DejaVuSans.ttf'],
  ['DejaVu Sans Condensed', 'DejaVuSansCondensed.ttf'],
  ['DejaVu Sans Mono', 'DejaVuSansMono.ttf'],
  ['DejaVu Serif', 'DejaVuSerif.ttf'],
]);

/** What the generic CSS families stand for, so that they look the same on every machine. */
const GENERIC_FAMILIES: ReadonlyMap<string, string> = new Map([
  ['sans-serif', FALLBACK_FONT],
  ['serif', 'DejaVu Serif'],
  ['monospace', 'DejaVu Sans Mono'],
]);

let registered = false;

function registerShippedFonts(): void {
  if (registered) {
    return;
  }
  const folder = join(
    dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')),
    'ttf',
  );
  for (const [family, file] of SHIPPED_FONTS) {
    // Not by its path: with Yarn Plug'n'Play the file is inside an archive, where only Node's own functions find it.
    GlobalFonts.register(readFileSync(join(folder, file)), family);
  }
  registered = true;
}

/**
 * A CSS font-family list of the wanted families that this process has (installed, or registered with the canvas
 * library's `GlobalFonts`), ending with the font that comes with this package.
 *
 * @param wanted - One family or a comma-separated list; unknown families are passed over.
 */
export function fontStack(wanted?: string): string {
  registerShippedFonts();
  const known = new Map(GlobalFonts.families.map(({ family }) => [family.toLowerCase(), family]));
  const families = (wanted ?? '')
    .split(',')
    .map((name) =>
      name
        .trim()
        .replace(/^(["'])(.*)\1$/, '$2')
        .trim(),
    )
    .map((name) => GENERIC_FAMILIES.get(name.toLowerCase()) ?? known.get(name.toLowerCase()))
    .filter((family) => family !== undefined);
  return [...new Set([...families, FALLBACK_FONT])]
    .map((family) => `"${family.replace(/["\\]/g, '')}"`)
    .join(', ');
}

const MEASURED_SIZE = 64;

/** A function that measures text set in a font stack. */
export function textMeasure(stack: string): MeasureText {
  registerShippedFonts();
  const context = createCanvas(1, 1).getContext('2d');
  context.font = `${MEASURED_SIZE}px ${stack}`;
  const widths = new Map<string, number>();
  return (text, fontSize) => {
    let width = widths.get(text);
    if (width === undefined) {
      // Overhanging ink counts, too: italic or combining glyphs can be wider than their advance.
      const metrics = context.measureText(text);
      width = Math.max(
        metrics.width,
        metrics.actualBoundingBoxRight,
        metrics.width + metrics.actualBoundingBoxLeft,
      );
      widths.set(text, width);
    }
    return (width * fontSize) / MEASURED_SIZE;
  };
}

// A code point that no font has a glyph for: what is drawn for it is the box for a missing glyph.
const NO_GLYPH = '\u{10fffe}';
const PROBE_SIZE = 40;

/** A function that says whether some font at hand has a glyph for a character, so that no box is drawn for it. */
export function glyphCheck(stack: string): (character: string) => boolean {
  registerShippedFonts();
  const context = createCanvas(PROBE_SIZE, PROBE_SIZE).getContext('2d');
  context.font = `24px ${stack}`;
  const missing = inkOf(NO_GLYPH, context);
  const answers = new Map<string, boolean>();
  return (character) => {
    // ASCII is in every font stack, and marks have no shape of their own.
    if (/^[\x20-\x7e]$|^\p{M}$/u.test(character)) {
      return true;
    }
    let answer = answers.get(character);
    if (answer === undefined) {
      answer = !inkOf(character, context).equals(missing);
      answers.set(character, answer);
    }
    return answer;
  };
}

function inkOf(text: string, context: SKRSContext2D): Buffer {
  context.clearRect(0, 0, PROBE_SIZE, PROBE_SIZE);
  context.fillText(text, 4, 30);
  return Buffer.from(context.getImageData(0, 0, PROBE_SIZE, PROBE_SIZE).data);
}
