import { LIMITS } from './limits.js';

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'symbol';
  /** A string's content, without the quotes. */
  readonly text: string;
}

/** A line of code with those that its open brackets continue it on. */
export interface CodeLine {
  /** Counted from 1. */
  readonly number: number;
  /** How many spaces it begins with. */
  readonly indent: number;
  /** The same array for lines of the same text. */
  readonly tokens: readonly Token[];
}

/** Code that is not of the kind that tracing writes. */
export class UnexpectedCode extends Error {
  constructor(
    readonly line: number,
    finding: string,
  ) {
    super(finding);
  }
}

/**
 * The tokens of traced code. TorchScript has more (comments with types, escapes, numbers in hexadecimal, strings over
 * several lines): what is not here is refused, so that there is nothing that could be read in two ways.
 */
const TOKEN =
  /([A-Za-z_]\w*)|(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)(?![\w.])|"([ !#-[\]-~]*)"(?!")|(->|[()[\],.:=-])| +/y;

/** A line of text by itself. */
interface Row {
  readonly indent: number;
  readonly tokens: readonly Token[];
  /** How many more brackets it opens than it closes, and the lowest and highest that this number gets on the way. */
  readonly opened: number;
  readonly lowest: number;
  readonly highest: number;
}

/** Splits TorchScript source into lines of tokens. The code of a model repeats most of its rows, layer by layer. */
export class LineReader {
  readonly #rows = new Map<string, Row | null>();

  /** @throws UnexpectedCode */
  read(text: string): readonly CodeLine[] {
    const lines: CodeLine[] = [];
    let tokens: readonly Token[] = [];
    let first = 1;
    let indent = 0;
    let depth = 0;
    let number = 0;
    for (const content of text.split('\n')) {
      number += 1;
      if (content === '' && depth === 0) continue;
      const row = this.#row(content);
      if (row === null) throw new UnexpectedCode(number, `has ${describeRow(content)}`);
      if (depth + row.lowest < 0 || depth + row.highest > LIMITS.bracketDepth) {
        throw new UnexpectedCode(number, 'has brackets out of order, or nested too deeply');
      }
      tokens = depth === 0 ? row.tokens : [...tokens, ...row.tokens];
      if (depth === 0) {
        first = number;
        indent = row.indent;
      }
      depth += row.opened;
      if (depth > 0) continue;
      if (tokens.length === 0) throw new UnexpectedCode(number, 'has a line of spaces');
      lines.push({ number: first, indent, tokens });
    }
    if (depth > 0) throw new UnexpectedCode(first, 'has a bracket that is not closed');
    return lines;
  }

  #row(content: string): Row | null {
    const known = this.#rows.get(content);
    if (known !== undefined) return known;
    const row = readRow(content);
    this.#rows.set(content, row);
    return row;
  }
}

/** The tokens of a row; null if it has anything else. */
function readRow(content: string): Row | null {
  const indent = content.length - content.trimStart().length;
  const tokens: Token[] = [];
  let [opened, lowest, highest] = [0, 0, 0];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < content.length) {
    const match = TOKEN.exec(content);
    if (match === null) return null;
    const token = tokenOf(match);
    if (token === null) continue;
    tokens.push(token);
    if (token.kind !== 'symbol') continue;
    if (token.text === '(' || token.text === '[') highest = Math.max(highest, (opened += 1));
    else if (token.text === ')' || token.text === ']') lowest = Math.min(lowest, (opened -= 1));
  }
  return { indent, tokens, opened, lowest, highest };
}

/** Null for spaces. */
function tokenOf(match: RegExpExecArray): Token | null {
  const symbol = match[4];
  if (symbol !== undefined) return { kind: 'symbol', text: symbol };
  const name = match[1];
  if (name !== undefined) return { kind: 'name', text: name };
  const number = match[2];
  if (number !== undefined) return { kind: 'number', text: number };
  const string = match[3];
  return string === undefined ? null : { kind: 'string', text: string };
}

/** What is wrong with a row that has no tokens. */
function describeRow(content: string): string {
  TOKEN.lastIndex = 0;
  let position = 0;
  while (TOKEN.exec(content) !== null) position = TOKEN.lastIndex;
  return JSON.stringify(content.slice(position, position + 20));
}
