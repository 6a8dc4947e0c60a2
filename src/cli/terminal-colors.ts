import { rgb } from 'd3-color';

/** How many colors a terminal shows. */
export type ColorSupport = 'truecolor' | '256' | 'none';

/** As much of a `tty.WriteStream` as tells its abilities. */
export interface OutputStream {
  readonly isTTY?: boolean;
  getColorDepth?(env?: object): number;
}

const RESET = '\u001b[0m';

/**
 * What a stream can show: what `NO_COLOR` (any text: none) or `FORCE_COLOR` (0: none, 3: all, else 256) says, otherwise what
 * the terminal says of itself; none where the stream is no terminal.
 */
export function detectColorSupport(stream: OutputStream, env: NodeJS.ProcessEnv): ColorSupport {
  if ((env['NO_COLOR'] ?? '') !== '') return 'none';
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) {
    if (forced === '0' || forced === 'false') return 'none';
    return forced === '3' ? 'truecolor' : '256';
  }
  if (stream.isTTY !== true) return 'none';
  const depth = stream.getColorDepth?.(env) ?? 1;
  if (depth >= 24) return 'truecolor';
  return depth >= 8 ? '256' : 'none';
}

/** `text` on a background of the color `#rrggbb`. */
export function onBackground(text: string, color: string, support: ColorSupport): string {
  if (support === 'none') return text;
  const { r, g, b } = rgb(color);
  const code = support === 'truecolor' ? `48;2;${r};${g};${b}` : `48;5;${nearestOf256({ r, g, b })}`;
  return `\u001b[${code}m${text}${RESET}`;
}

interface Rgb {
  readonly r: number;
  readonly g: number;
  readonly b: number;
}

const CUBE_LEVELS: readonly number[] = [0, 95, 135, 175, 215, 255];

/** The colors 16 to 255 of a 256-color terminal: a cube of 6 levels a channel, then 24 greys. */
const PALETTE: readonly Rgb[] = [
  ...CUBE_LEVELS.flatMap((r) => CUBE_LEVELS.flatMap((g) => CUBE_LEVELS.map((b) => ({ r, g, b })))),
  ...Array.from({ length: 24 }, (_, i) => ({ r: 8 + 10 * i, g: 8 + 10 * i, b: 8 + 10 * i })),
];

function nearestOf256(color: Rgb): number {
  let nearest = 0;
  let smallest = Infinity;
  for (const [i, { r, g, b }] of PALETTE.entries()) {
    const distance = (r - color.r) ** 2 + (g - color.g) ** 2 + (b - color.b) ** 2;
    if (distance < smallest) [nearest, smallest] = [i, distance];
  }
  return 16 + nearest;
}
