import { text } from 'node:stream/consumers';
import { CausalTracerError } from '../errors.js';
import { nearestNames } from '../model/near-names.js';
import { readText } from './json-files.js';

/** One line of a queries file. */
export interface Query {
  /** Where it was written, for messages: `queries.jsonl, line 3`; null for a query of the command line. */
  readonly place: string | null;
  readonly text: string;
  readonly subject?: string | undefined;
  /** The id of the answer to trace. */
  readonly answerId?: number | undefined;
  /** The answer to trace, as text; it must be one token. */
  readonly answer?: string | undefined;
}

const FIELDS: readonly string[] = ['prompt', 'text', 'subject', 'answer', 'answerId', 'overrideAnswerId'];

/**
 * Reads queries from a JSON Lines file, or from standard input if `file` is `-`.
 *
 * @throws CausalTracerError `QUERIES_FILE_INVALID`, naming the file and the line.
 */
export async function readQueries(file: string): Promise<Query[]> {
  if (file === '-') return parseQueries(await text(process.stdin), 'standard input');
  return parseQueries(await readText(file, 'QUERIES_FILE_INVALID', 'queries file'), file);
}

/**
 * Queries from JSON Lines: an object a line with `prompt` (or `text`) and, if wanted, `subject`, and `answer` or `answerId`
 * (or `overrideAnswerId`). Empty lines are skipped.
 *
 * @param name what messages call the lines' source.
 * @throws CausalTracerError `QUERIES_FILE_INVALID`.
 */
export function parseQueries(content: string, name: string): Query[] {
  const queries: Query[] = [];
  for (const [i, line] of content
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() !== '') queries.push(parseLine(line, `${name}, line ${i + 1}`));
  }
  if (queries.length > 0) return queries;
  throw new CausalTracerError(
    'QUERIES_FILE_INVALID',
    `${name} has no queries. Write one a line, such as {"prompt": "The Colosseum is in", "subject": "Colosseum"}.`,
  );
}

function parseLine(line: string, place: string): Query {
  const fields = parseObject(line, place);
  for (const name of Object.keys(fields)) {
    if (FIELDS.includes(name)) continue;
    const [near] = nearestNames(name, FIELDS, 1);
    throw invalid(
      place,
      `there is no field "${name}"; did you mean "${near ?? ''}"? The fields are ${FIELDS.join(', ')}`,
    );
  }
  const prompt = onlyOne(fields, 'prompt', 'text', place);
  if (typeof prompt !== 'string') throw invalid(place, `the prompt must be text, not ${describe(prompt)}`);
  const answerId = onlyOne(fields, 'answerId', 'overrideAnswerId', place);
  if (answerId !== undefined && !Number.isInteger(answerId)) {
    throw invalid(place, `the answer id must be a whole number, not ${describe(answerId)}`);
  }
  const [subject, answer] = [optionalText(fields, 'subject', place), optionalText(fields, 'answer', place)];
  if (answer !== undefined && answerId !== undefined) {
    throw invalid(place, 'it has an answer and an answer id; give one of them');
  }
  return { place, text: prompt, subject, answerId: answerId as number | undefined, answer };
}

function parseObject(line: string, place: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw invalid(place, `not JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw invalid(place, `it must be an object such as {"prompt": "…"}, not ${describe(value)}`);
}

function optionalText(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  place: string,
): string | undefined {
  const value = fields[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw invalid(place, `the ${name} must be text, not ${describe(value)}`);
}

/** The value of a field that has two names; null counts as missing. */
function onlyOne(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  otherName: string,
  place: string,
): unknown {
  const [value, other] = [fields[name] ?? undefined, fields[otherName] ?? undefined];
  if (value === undefined || other === undefined) return value ?? other;
  throw invalid(place, `${name} and ${otherName} mean the same; give one of them`);
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  return JSON.stringify(value);
}

function invalid(place: string, problem: string): CausalTracerError {
  return new CausalTracerError('QUERIES_FILE_INVALID', `${place}: ${problem}.`);
}
