import { CausalTracerError } from '../errors.js';
import type { Tokenizer } from '../model/tokenizer.js';

/**
 * The id of an answer that is one token, encoded as the continuation of a prompt: with a leading space (one is added
 * if missing), without special tokens, and without the blank token that some tokenizers put in front.
 *
 * @throws CausalTracerError `ANSWER_NOT_ONE_TOKEN`, naming the tokens, if it is several or none; `INVALID_OPTION` for
 *   what is no text.
 */
export function findAnswerId(tokenizer: Pick<Tokenizer, 'encode' | 'decodeToken'>, answer: string): number {
  const given: unknown = answer;
  if (typeof given !== 'string') {
    throw new CausalTracerError('INVALID_OPTION', `An answer must be a text, not ${JSON.stringify(given)}.`);
  }
  const ids = tokenizer.encode(answer.startsWith(' ') ? answer : ` ${answer}`, false);
  const [first] = ids;
  if (first !== undefined && tokenizer.decodeToken(first) === '') ids.shift();
  const [id, ...others] = ids;
  const blank = /^ *$/.test(answer);
  if (id !== undefined && others.length === 0 && !blank) return id;
  const tokens = ids.map((each) => `${JSON.stringify(tokenizer.decodeToken(each))} (id ${each})`).join(', ');
  throw new CausalTracerError(
    'ANSWER_NOT_ONE_TOKEN',
    blank
      ? `The answer ${JSON.stringify(answer)} is blank. Give a word, or an answer id.`
      : `The answer ${JSON.stringify(answer)} is ${ids.length} tokens: ${tokens || 'none'}. The probability of one token ` +
          'is traced; give the id of the one that you mean, usually the first.',
  );
}

/**
 * Checks the id of an answer.
 *
 * @throws CausalTracerError `ANSWER_ID_OUT_OF_RANGE`.
 */
export function requireAnswerId(id: number, vocabularySize: number): number {
  if (Number.isInteger(id) && id >= 0 && id < vocabularySize) return id;
  throw new CausalTracerError(
    'ANSWER_ID_OUT_OF_RANGE',
    `The answer id ${String(id)} is not in the model's vocabulary: it must be a whole number from 0 to ` +
      `${vocabularySize - 1}.`,
  );
}
