import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What the Python package does with a tokenizer; made by test/fixtures/tokenizers/make_expectations.py. */
export interface TokenizerExpectations {
  readonly bosToken: string;
  /** Each id decoded by itself. */
  readonly vocabulary: readonly string[];
  readonly cases: readonly {
    readonly prompt: string;
    readonly subject: string;
    readonly ids: readonly number[];
    readonly tokens: readonly string[];
    /** Null where the subject is not found. */
    readonly range: readonly [number, number] | null;
  }[];
  readonly answers: readonly { readonly text: string; readonly ids: readonly number[] }[];
}

export interface Expectations {
  readonly guesses: readonly { readonly prompt: string; readonly subject: string | null }[];
  readonly tokenizers: Readonly<Record<string, TokenizerExpectations>>;
}

const folder = new URL('../fixtures/tokenizers/', import.meta.url);

export const expectations = JSON.parse(
  readFileSync(new URL('expectations.json', folder), 'utf8'),
) as Expectations;

/** Folder of a tokenizer, such as `byte-level`. */
export function tokenizerFolder(name: string): string {
  return fileURLToPath(new URL(name, folder));
}
