/** How to write text so that every character of it can be seen. */
export interface VisibleTextOptions {
  /** Whether the fonts at hand can draw this character; characters that they cannot are escaped. Default: all can. */
  readonly canDraw?: (character: string) => boolean;
}

const SPACE = '␣';
const ELLIPSIS = '…';
const DOTTED_CIRCLE = '◌';

const NAMED: ReadonlyMap<string, string> = new Map([
  ['\n', '↵'],
  ['\t', '⇥'],
  ['\r', '\\r'],
]);

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
// Controls, formatting marks, lone surrogates, private and unassigned characters, and spaces other than U+0020.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;
// These two join the characters around them into one shape, and mean something only there.
const JOINERS = /(?<=[\p{L}\p{M}\p{So}\p{Sk}])[\u200c\u200d](?=[\p{L}\p{So}])/u;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** A text's characters as a reader sees them: accents, joined emojis and the like stay whole. */
export function characters(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/**
 * A token as it is written beside its row: one leading space (an ordinary word boundary) is left out, every other space
 * at either end is `␣`, line breaks are `↵`, tabs `⇥`, and what could not be seen is an escape such as `\u200b`.
 * An empty token is `""`.
 */
export function tokenLabel(token: string, options: VisibleTextOptions = {}): string {
  if (token === '') {
    return '""';
  }
  const onlySpaces = /^ +$/.test(token);
  const body = onlySpaces ? token : token.replace(/^ /, '');
  const marked = body
    .replace(/^ +/, (spaces) => SPACE.repeat(spaces.length))
    .replace(/ +$/, (spaces) => SPACE.repeat(spaces.length));
  return visibleText(marked, options);
}

/** The labels of all tokens, with `*` after those in the subject's range `[start, end)`. */
export function tokenLabels(
  tokens: readonly string[],
  subjectRange: readonly [start: number, end: number],
  options: VisibleTextOptions = {},
): TokenLabel[] {
  return tokens.map((token, index) => ({
    text: tokenLabel(token, options),
    mark: index >= subjectRange[0] && index < subjectRange[1] ? '*' : '',
  }));
}

/** A token's text and the mark after it, which is never shortened away. */
export interface TokenLabel {
  readonly text: string;
  readonly mark: '' | '*';
}

/** Text with everything invisible written out, apart from ordinary spaces. */
export function visibleText(text: string, { canDraw = () => true }: VisibleTextOptions = {}): string {
  if (PRINTABLE_ASCII.test(text)) {
    return text;
  }
  const withBase = text.replace(/^(?=\p{M})/u, DOTTED_CIRCLE);
  const joined = new Set([...withBase.matchAll(new RegExp(JOINERS, 'gu'))].map((match) => match.index));
  return [...graphemes.segment(withBase)]
    .map(({ segment, index }) => {
      let offset = index;
      const codePoints = Array.from(segment, (character) => {
        const isJoiner = joined.has(offset);
        offset += character.length;
        return { character, isJoiner };
      });
      // Of what looks like one character, either all code points are drawn or all are escaped.
      const isDrawn = codePoints.every(
        ({ character, isJoiner }) => isJoiner || INVISIBLE.test(character) || canDraw(character),
      );
      return codePoints
        .map(({ character, isJoiner }) =>
          isJoiner && isDrawn ? character : visibleCharacter(character, isDrawn),
        )
        .join('');
    })
    .join('');
}

function visibleCharacter(character: string, isDrawn: boolean): string {
  return NAMED.get(character) ?? (isDrawn && !INVISIBLE.test(character) ? character : escaped(character));
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  if (code <= 0xff) {
    return `\\x${digits.padStart(2, '0')}`;
  }
  return code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\u{${digits}}`;
}

/**
 * The text itself where it fits, else its beginning and its end around `…`, as long as fits.
 * Characters made of several code points stay whole.
 *
 * @param fits - Whether a text is short enough. Must hold for every text shorter than one that it holds for.
 */
export function shortenInMiddle(text: string, fits: (candidate: string) => boolean): string {
  if (fits(text)) {
    return text;
  }
  const parts = characters(text);
  const withKept = (kept: number): string => {
    const head = Math.ceil(kept / 2);
    const tail = kept - head;
    return parts.slice(0, head).join('') + ELLIPSIS + (tail > 0 ? parts.slice(-tail).join('') : '');
  };
  let kept = 0;
  let tooMany = parts.length;
  while (tooMany - kept > 1) {
    const middle = (kept + tooMany) >> 1;
    if (fits(withKept(middle))) {
      kept = middle;
    } else {
      tooMany = middle;
    }
  }
  return withKept(kept);
}
