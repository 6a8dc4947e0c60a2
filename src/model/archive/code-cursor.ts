import { UnexpectedCode, type CodeLine, type Token } from './code-tokens.js';

/** Words of the language that are no names. */
const KEYWORDS: ReadonlySet<string> = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global if ' +
    'import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
);

/** Goes through the tokens of one line. */
export class Cursor {
  #position = 0;

  constructor(private readonly line: CodeLine) {}

  get number(): number {
    return this.line.number;
  }

  /** The token to come, or one after it; undefined at the end of the line. */
  peek(ahead = 0): Token | undefined {
    return this.line.tokens[this.#position + ahead];
  }

  /** Takes the token to come. */
  next(): void {
    this.#position += 1;
  }

  /** Whether this symbol or word comes. */
  sees(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token?.text === text && token.kind !== 'string';
  }

  /** Takes this symbol or word if it comes. */
  skip(text: string): boolean {
    if (!this.sees(text)) return false;
    this.#position += 1;
    return true;
  }

  /** Takes this symbol or word, which has to come. */
  expect(text: string): void {
    if (!this.skip(text)) throw this.unexpected();
  }

  takeName(): string {
    const token = this.peek();
    if (token?.kind !== 'name' || KEYWORDS.has(token.text)) throw this.unexpected();
    this.#position += 1;
    return token.text;
  }

  takeString(): string {
    const token = this.peek();
    if (token?.kind !== 'string') throw this.unexpected();
    this.#position += 1;
    return token.text;
  }

  takeNumber(): string {
    const token = this.peek();
    if (token?.kind !== 'number') throw this.unexpected();
    this.#position += 1;
    return token.text;
  }

  expectEnd(): void {
    if (this.peek() !== undefined) throw this.unexpected();
  }

  /** The error for a token that traced code does not have at this place. */
  unexpected(): UnexpectedCode {
    const token = this.peek();
    const found = token === undefined ? 'the end of a line' : `"${token.text.slice(0, 40)}"`;
    return new UnexpectedCode(
      this.number,
      `has ${found} where the code of a traced model has something else`,
    );
  }
}
