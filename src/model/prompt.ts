import { CausalTracerError } from '../errors.js';
import type { Tokenizer } from './tokenizer.js';

/** A prompt as the model sees it. */
export interface EncodedPrompt {
  readonly text: string;
  readonly ids: readonly number[];
  /** Each id decoded by itself. */
  readonly tokens: readonly string[];
}

/** What a prompt must fit. */
export interface PromptLimits {
  readonly tokenizer: Pick<Tokenizer, 'encode' | 'decodeToken' | 'decodeTokens'>;
  readonly vocabularySize: number;
  readonly maximumPositions: number | null;
}

/**
 * Turns a prompt into tokens, with the special tokens that the tokenizer adds by itself.
 *
 * @throws CausalTracerError `EMPTY_PROMPT` if it has no tokens but special ones, `PROMPT_TOO_LONG`,
 *   `TOKENIZER_MISMATCH` for a token that the model does not know, or `INVALID_OPTION` for what is no text.
 */
export function encodePrompt(
  text: string,
  { tokenizer, vocabularySize, maximumPositions }: PromptLimits,
): EncodedPrompt {
  requireText('The prompt', text);
  if (text === '' || tokenizer.encode(text, false).length === 0) {
    throw new CausalTracerError(
      'EMPTY_PROMPT',
      `The prompt ${JSON.stringify(text)} has no tokens. Give some text.`,
    );
  }
  const ids = tokenizer.encode(text);
  if (maximumPositions !== null && ids.length > maximumPositions) {
    throw new CausalTracerError(
      'PROMPT_TOO_LONG',
      `The prompt has ${ids.length} tokens, but the model has only ${maximumPositions} positions. Shorten it.`,
    );
  }
  const unknown = ids.find((id) => id >= vocabularySize);
  if (unknown !== undefined) {
    throw new CausalTracerError(
      'TOKENIZER_MISMATCH',
      `The tokenizer gives the id ${unknown} (${JSON.stringify(tokenizer.decodeToken(unknown))}), but the model's ` +
        `vocabulary ends at ${vocabularySize - 1}. Leave that token out, or use the model's own tokenizer.`,
    );
  }
  return { text, ids, tokens: tokenizer.decodeTokens(ids) };
}

/** @throws CausalTracerError `INVALID_OPTION` unless `text` is a string of whole characters. */
export function requireText(what: string, text: unknown): void {
  if (typeof text !== 'string') {
    throw new CausalTracerError(
      'INVALID_OPTION',
      `${what} must be text, not ${text === null ? 'null' : typeof text}.`,
    );
  }
  if (/\p{Surrogate}/u.test(text)) {
    throw new CausalTracerError(
      'INVALID_OPTION',
      `${what} ${JSON.stringify(text)} has half of a surrogate pair, which is no character. Take it out.`,
    );
  }
}
