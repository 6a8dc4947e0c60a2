import type { Cursor } from './code-cursor.js';
import type { Expression, TypeExpression } from './code-syntax.js';
import { LIMITS } from './limits.js';

const CONSTANTS: ReadonlySet<string> = new Set(['None', 'True', 'False', 'inf', 'nan']);

/** Reads an expression; throws UnexpectedCode for all that traced code does not have, operators among it. */
export function parseExpression(cursor: Cursor): Expression {
  let expression = parseOperand(cursor);
  for (let depth = 0; ; depth += 1) {
    if (depth > LIMITS.bracketDepth) throw cursor.unexpected();
    const token = cursor.peek();
    switch (token?.kind === 'symbol' ? token.text : '') {
      case '.':
        cursor.next();
        expression = { kind: 'attribute', object: expression, name: cursor.takeName() };
        break;
      case '(':
        cursor.next();
        expression = parseCall(cursor, expression);
        break;
      case '[':
        cursor.next();
        cursor.skip('-');
        cursor.takeNumber();
        cursor.expect(']');
        expression = { kind: 'element', object: expression };
        break;
      default:
        return expression;
    }
  }
}

function parseOperand(cursor: Cursor): Expression {
  const token = cursor.peek();
  switch (token?.kind) {
    case 'string':
      cursor.next();
      return { kind: 'string', text: token.text };
    case 'number':
      cursor.next();
      return { kind: 'constant' };
    case 'name':
      if (CONSTANTS.has(token.text)) {
        cursor.next();
        return { kind: 'constant' };
      }
      if (token.text === 'annotate' && cursor.sees('(', 1)) return parseAnnotate(cursor);
      return { kind: 'name', name: cursor.takeName() };
    case 'symbol':
    case undefined:
      if (cursor.skip('(')) return parseBracket(cursor);
      if (cursor.skip('[')) return { kind: 'list', items: parseItems(cursor, ']') };
      cursor.expect('-');
      if (!cursor.skip('inf')) cursor.takeNumber();
      return { kind: 'constant' };
  }
}

/** What follows an opening bracket: an expression in brackets, or a tuple. */
function parseBracket(cursor: Cursor): Expression {
  if (cursor.skip(')')) return { kind: 'tuple', items: [] };
  const first = parseExpression(cursor);
  if (cursor.skip(')')) return first;
  cursor.expect(',');
  return { kind: 'tuple', items: [first, ...parseItems(cursor, ')')] };
}

/** Expressions with commas between them, and perhaps one behind the last. */
function parseItems(cursor: Cursor, end: string): readonly Expression[] {
  const items: Expression[] = [];
  while (!cursor.skip(end)) {
    items.push(parseExpression(cursor));
    if (cursor.skip(end)) break;
    cursor.expect(',');
  }
  return items;
}

function parseCall(cursor: Cursor, callee: Expression): Expression {
  const positional: Expression[] = [];
  const named: { name: string; value: Expression }[] = [];
  while (!cursor.skip(')')) {
    if (cursor.peek()?.kind === 'name' && cursor.sees('=', 1)) {
      const name = cursor.takeName();
      cursor.expect('=');
      named.push({ name, value: parseExpression(cursor) });
    } else {
      if (named.length > 0) throw cursor.unexpected();
      positional.push(parseExpression(cursor));
    }
    if (cursor.skip(')')) break;
    cursor.expect(',');
  }
  return { kind: 'call', callee, positional, named };
}

/** `annotate(List[int], [])`: a value with its type. */
function parseAnnotate(cursor: Cursor): Expression {
  cursor.expect('annotate');
  cursor.expect('(');
  const type = parseType(cursor);
  cursor.expect(',');
  const value = parseExpression(cursor);
  cursor.expect(')');
  return { kind: 'annotate', type, value };
}

export function parseType(cursor: Cursor): TypeExpression {
  let name = cursor.skip('None') ? 'None' : cursor.takeName();
  while (cursor.skip('.')) name += `.${cursor.takeName()}`;
  const parameters: TypeExpression[] = [];
  if (cursor.skip('[')) {
    do parameters.push(parseType(cursor));
    while (cursor.skip(','));
    cursor.expect(']');
  }
  return { name, parameters };
}
