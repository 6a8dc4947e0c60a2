// @ts-check
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../setup/paths.mjs';
import { SetupError } from '../setup/run.mjs';

/** @typedef {Pick<import('../../src/index.js').Tokenizer, 'encode'>} Encoder */
/** @typedef {{ text: string, subject: string, tokens: number, subjectRange: [number, number] }} Prompt */

/**
 * A prompt of exactly `tokens` tokens, a token a word, with the subject at `subjectRange`. Special tokens that the
 * tokenizer puts in front count; the subject begins after them.
 * @param {Encoder} tokenizer trained on scripts/parity/tokenizer_text.txt
 * @param {number} tokens
 * @param {[number, number]} subjectRange `[start, end)`
 * @returns {Prompt}
 */
export function makePrompt(tokenizer, tokens, subjectRange) {
  const special = tokenizer.encode('').length;
  const [start, end] = [Math.max(subjectRange[0], special), subjectRange[1]];
  const [first, ...words] = listWords(tokenizer, special);
  if (first === undefined || words.length < end - start + 2) {
    throw new SetupError('The tokenizer has too few words of one token.');
  }
  // The subject's words are nowhere else, so that it is found where it is meant.
  const [own, others] = [words.slice(0, end - start), words.slice(end - start)];
  const chosen = Array.from({ length: tokens - special }, (_, i) => {
    const token = i + special;
    if (i === 0) return first;
    return token >= start && token < end ? own[token - start] : others[i % others.length];
  });
  const text = chosen.join(' ');
  const found = tokenizer.encode(text).length;
  if (found !== tokens) throw new SetupError(`The prompt has ${found} tokens, not ${tokens}: ${text}`);
  const subject = chosen.slice(start - special, end - special).join(' ');
  return { text, subject, tokens, subjectRange: [start, end] };
}

/**
 * A word that is one token at the start of a text, then words that are one token inside.
 * @param {Encoder} tokenizer
 * @param {number} special
 */
function listWords(tokenizer, special) {
  const text = readFileSync(path.join(projectRoot, 'scripts', 'parity', 'tokenizer_text.txt'), 'utf8');
  const known = [...new Set(text.match(/(?<![^\s])[a-z]{2,}(?![^\s])/g))];
  const first = ['The', 'In', 'A', ...known].find((word) => tokenizer.encode(word).length === special + 1);
  const inside = known.filter((word) => tokenizer.encode(`${first} ${word}`).length === special + 2);
  return first === undefined ? [] : [first, ...inside];
}
