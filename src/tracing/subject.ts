import { CausalTracerError } from '../errors.js';
import type { Tokenizer } from '../model/tokenizer.js';

/** `[start, end)`: positions of tokens. */
export type TokenRange = readonly [start: number, end: number];

/** White space as Python's `\s` has it: without U+FEFF, with the separators U+001C to U+001F and U+0085. */
const PYTHON_SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

/** A capitalised word, and the capitalised words that follow it; question words do not count. */
const SUBJECT_PATTERN = new RegExp(
  `(?!Wh(?:o|at|ere|en|ich|y) )[A-Z][^${PYTHON_SPACE}]*(?:[${PYTHON_SPACE}][A-Z][a-z']*)*`,
  'u',
);

/**
 * Guesses the subject of a prompt: its first run of capitalised words that does not begin with a question word
 * (Who, What, Where, When, Which, Why), as the Python package does.
 *
 * @throws CausalTracerError `SUBJECT_NOT_GUESSABLE` if no word is capitalised.
 */
export function guessSubject(prompt: string): string {
  const found = SUBJECT_PATTERN.exec(prompt);
  if (found !== null) return found[0];
  throw new CausalTracerError(
    'SUBJECT_NOT_GUESSABLE',
    `No subject could be guessed in ${JSON.stringify(prompt)}: it has no capitalised word. Give the subject.`,
  );
}

/**
 * The tokens that hold a subject: its last occurrence in the decoded prompt, widened to whole tokens. The subject is
 * encoded and decoded first, by itself and then with a leading space, as the Python package does.
 *
 * @param ids the prompt's token ids, special tokens included.
 * @throws CausalTracerError `SUBJECT_NOT_FOUND`, showing the decoded prompt.
 */
export function findTokenRange(
  tokenizer: Pick<Tokenizer, 'encode' | 'decodeTokens' | 'bosToken'>,
  ids: readonly number[],
  subject: string,
): TokenRange {
  const tokens = tokenizer.decodeTokens(ids);
  const text = tokens.join('');
  for (const attempt of subject === '' || subject.startsWith(' ') ? [subject] : [subject, ` ${subject}`]) {
    const start = lastOccurrence(text, recode(tokenizer, attempt));
    if (start !== null) return coveringTokens(tokens, start.from, start.to);
  }
  throw new CausalTracerError(
    'SUBJECT_NOT_FOUND',
    `The subject ${JSON.stringify(subject)} is not in the prompt, which decodes to ${JSON.stringify(text)}. Give it as ` +
      'it is spelled there; upper and lower case count.',
  );
}

/** Tokenizers change some characters, so that a subject is compared as its tokens spell it. */
function recode(tokenizer: Pick<Tokenizer, 'encode' | 'decodeTokens' | 'bosToken'>, text: string): string {
  const tokens = tokenizer.decodeTokens(tokenizer.encode(text));
  if (tokenizer.bosToken !== null && tokens[0] === tokenizer.bosToken) tokens.shift();
  return tokens.join('');
}

/** The last of the occurrences that are found from the left without overlap; null if there is none. */
function lastOccurrence(text: string, part: string): { readonly from: number; readonly to: number } | null {
  if (part === '') return null;
  let last: number | null = null;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) last = at;
  return last === null ? null : { from: last, to: last + part.length };
}

/** The first token that reaches past `from`, up to the first that reaches `to`. */
function coveringTokens(tokens: readonly string[], from: number, to: number): TokenRange {
  let start = 0;
  let reached = 0;
  for (const [i, token] of tokens.entries()) {
    if (reached <= from) start = i;
    reached += token.length;
    if (reached >= to) return [start, i + 1];
  }
  return [start, tokens.length];
}
