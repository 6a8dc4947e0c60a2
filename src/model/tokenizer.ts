import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import * as huggingFace from '@huggingface/tokenizers';
import { CausalTracerError } from '../errors.js';

/** Name of the tokenizer's definition inside a model folder. */
export const TOKENIZER_FILE = 'tokenizer.json';

/** A text with the ids that the Python tokenizer gave it, and each id decoded by itself. */
export interface TokenizerExample {
  readonly text: string;
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
}

type JsonObject = Readonly<Record<string, unknown>>;

/** What is used of the library, whose own declarations cannot be read with Node's module resolution. */
interface FastTokenizer {
  encode(
    text: string,
    options: { readonly add_special_tokens: boolean },
  ): { readonly ids: readonly (number | undefined)[]; readonly tokens: readonly string[] };
  decode(ids: readonly number[], options: { readonly clean_up_tokenization_spaces: boolean }): string;
  id_to_token(id: number): string | undefined;
}
const FastTokenizer = huggingFace.Tokenizer as unknown as new (
  definition: JsonObject,
  config: JsonObject,
) => FastTokenizer;

/** A Hugging Face fast tokenizer, read from its `tokenizer.json`. */
export class Tokenizer {
  /** The beginning-of-sequence token as text; null where the tokenizer has none. */
  readonly bosToken: string | null;
  /** One more than the largest id of the vocabulary, added tokens not counted. */
  readonly vocabularyEnd: number;
  /** Whether spaces before punctuation are removed when decoding, as the Python tokenizer would. */
  readonly #cleanUpSpaces: boolean;
  readonly #fast: FastTokenizer;

  /**
   * @param definition the content of `tokenizer.json`.
   * @param config the content of `tokenizer_config.json`, with `bos_token` from `special_tokens_map.json` where
   *   only that has it.
   */
  constructor(definition: Readonly<Record<string, unknown>>, config: Readonly<Record<string, unknown>> = {}) {
    // All that shapes the ids is in tokenizer.json; the config would make this library change texts once more.
    this.#fast = new FastTokenizer({ added_tokens: [], ...definition }, {});
    this.bosToken = tokenContent(config['bos_token']);
    const model = asObject(definition['model']) ?? {};
    this.vocabularyEnd = endOfVocabulary(model['vocab']);
    this.#cleanUpSpaces =
      config['clean_up_tokenization_spaces'] === true &&
      (model['type'] !== 'BPE' ||
        config['clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output'] === true);
  }

  /**
   * Reads a tokenizer.
   *
   * @param location a folder with `tokenizer.json`, or that file; `tokenizer_config.json` and
   *   `special_tokens_map.json` beside it are read where they are.
   * @throws CausalTracerError `TOKENIZER_INVALID` if it is missing, unreadable or of an unknown type.
   */
  static async load(location: string): Promise<Tokenizer> {
    const file = (await isFolder(location)) ? path.join(location, TOKENIZER_FILE) : location;
    const folder = path.dirname(file);
    const definition = await readJsonObject(file);
    if (definition === undefined) {
      throw new CausalTracerError(
        'TOKENIZER_INVALID',
        `There is no tokenizer "${file}". Only fast tokenizers (tokenizer.json) can be read; ` +
          '`causal-tracer export` converts a slow one.',
      );
    }
    const config = (await readJsonObject(path.join(folder, 'tokenizer_config.json'))) ?? {};
    const specialTokens = (await readJsonObject(path.join(folder, 'special_tokens_map.json'))) ?? {};
    try {
      return new Tokenizer(definition, { ...specialTokens, ...config });
    } catch (cause) {
      throw new CausalTracerError(
        'TOKENIZER_INVALID',
        `The tokenizer "${file}" cannot be used: ${messageOf(cause)}. Save it again with transformers, or export ` +
          'the model again.',
        { cause },
      );
    }
  }

  /**
   * Token ids of a text, with the special tokens that the Python tokenizer adds by itself (such as BOS).
   *
   * @param addSpecialTokens `false` leaves those out.
   * @throws CausalTracerError `TOKENIZER_INVALID` if a token has no id.
   */
  encode(text: string, addSpecialTokens = true): number[] {
    const { ids, tokens } = this.#fast.encode(text, { add_special_tokens: addSpecialTokens });
    return ids.map((id, i) => {
      if (id !== undefined) return id;
      throw new CausalTracerError(
        'TOKENIZER_INVALID',
        `The tokenizer has no id for its own token ${JSON.stringify(tokens[i])}. Its ${TOKENIZER_FILE} is damaged; ` +
          'export the model again.',
      );
    });
  }

  /**
   * The text of one token, decoded by itself: bytes that are no whole character give U+FFFD, and an id without a
   * token (a padded vocabulary) gives the empty text.
   */
  decodeToken(id: number): string {
    if (this.#fast.id_to_token(id) === undefined) return '';
    return this.#fast.decode([id], { clean_up_tokenization_spaces: this.#cleanUpSpaces });
  }

  /** {@link decodeToken} of each id. */
  decodeTokens(ids: readonly number[]): string[] {
    return ids.map((id) => this.decodeToken(id));
  }

  /**
   * Checks that the tokenizer gives what the Python tokenizer gave at export.
   *
   * @throws CausalTracerError `TOKENIZER_MISMATCH` with the first text that differs.
   * @internal
   */
  requireEqual(examples: readonly TokenizerExample[]): void {
    for (const { text, ids, tokens } of examples) {
      const foundIds = this.encode(text);
      const foundTokens = this.decodeTokens(foundIds);
      if (sameList(foundIds, ids) && sameList(foundTokens, tokens)) continue;
      throw new CausalTracerError(
        'TOKENIZER_MISMATCH',
        `The tokenizer does not give the tokens that it gave at export. For the text ${JSON.stringify(text)} expected ` +
          `${listTokens(ids, tokens)}, found ${listTokens(foundIds, foundTokens)}. Its files were changed, or it has ` +
          'a part that is not supported; export the model again.',
      );
    }
  }

  /**
   * Checks that every id of the vocabulary has a logit.
   *
   * @param vocabularySize how many logits the model gives.
   * @throws CausalTracerError `TOKENIZER_MISMATCH`.
   * @internal
   */
  requireFits(vocabularySize: number): void {
    if (this.vocabularyEnd <= vocabularySize) return;
    throw new CausalTracerError(
      'TOKENIZER_MISMATCH',
      `The tokenizer does not fit the model: its vocabulary has ids up to ${this.vocabularyEnd - 1}, the model only ` +
        `${vocabularySize} tokens. Use the tokenizer that the model was trained with.`,
    );
  }
}

function tokenContent(token: unknown): string | null {
  if (typeof token === 'string' && token !== '') return token;
  const content = asObject(token)?.['content'];
  return typeof content === 'string' && content !== '' ? content : null;
}

function endOfVocabulary(vocabulary: unknown): number {
  if (Array.isArray(vocabulary)) return vocabulary.length;
  let end = 0;
  for (const id of Object.values(asObject(vocabulary) ?? {})) {
    if (typeof id === 'number' && id >= end) end = id + 1;
  }
  return end;
}

function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

async function isFolder(location: string): Promise<boolean> {
  try {
    return (await stat(location)).isDirectory();
  } catch {
    return false;
  }
}

/** The content of a JSON file that holds an object; undefined if there is no such file. */
async function readJsonObject(file: string): Promise<JsonObject | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
  let reason = 'it holds no object';
  try {
    const content = asObject(JSON.parse(text));
    if (content !== undefined) return content;
  } catch (error) {
    reason = messageOf(error);
  }
  throw new CausalTracerError(
    'TOKENIZER_INVALID',
    `The tokenizer file "${file}" is not valid JSON: ${reason}. Copy it again, or export the model again.`,
  );
}

function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function listTokens(ids: readonly number[], tokens: readonly string[]): string {
  const shown = ids.slice(0, 12).map((id, i) => `${id} ${JSON.stringify(tokens[i] ?? '')}`);
  return `[${shown.join(', ')}${ids.length > shown.length ? `, ... ${ids.length} in all` : ''}]`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
