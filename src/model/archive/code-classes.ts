import { Cursor } from './code-cursor.js';
import { parseExpression, parseType } from './code-expressions.js';
import type { Method, ModuleClass, Statement, TypeExpression } from './code-syntax.js';
import { UnexpectedCode, type CodeLine, type Token } from './code-tokens.js';

/** What there is to say about methods of which libtorch runs one while it loads the file. */
const STATE_METHODS: Readonly<Record<string, string>> = {
  __setstate__: ', which libtorch runs while it loads the file',
  __getstate__: ', which goes with a __setstate__ that libtorch runs while it loads the file',
};

/** How tracing indents classes, what is in them, and what is in methods. */
const [CLASS_INDENT, MEMBER_INDENT, BODY_INDENT] = [0, 2, 4];

/**
 * Reads the classes of modules, the only thing that the code of a traced model consists of.
 *
 * @throws UnexpectedCode
 */
export function parseClasses(lines: readonly CodeLine[]): readonly ModuleClass[] {
  const classes: ModuleClass[] = [];
  for (let next = 0; next < lines.length;) {
    const end = endOfBlock(lines, next, CLASS_INDENT);
    classes.push(parseClass(lines.slice(next, end)));
    next = end;
  }
  return classes;
}

/** The index behind a line and all that is indented below it. */
function endOfBlock(lines: readonly CodeLine[], start: number, indent: number): number {
  const head = lines[start];
  if (head?.indent !== indent) throw new UnexpectedCode(head?.number ?? 0, 'is indented in an unknown way');
  let end = start + 1;
  while ((lines[end]?.indent ?? indent) > indent) end += 1;
  return end;
}

function parseClass([head, ...lines]: readonly CodeLine[]): ModuleClass {
  if (head === undefined) throw new UnexpectedCode(0, 'has an empty class');
  const cursor = new Cursor(head);
  cursor.expect('class');
  const name = cursor.takeName();
  for (const text of ['(', 'Module', ')', ':']) cursor.expect(text);
  cursor.expectEnd();
  const attributes = new Map<string, TypeExpression>();
  const methods = new Map<string, Method>();
  for (let next = 0; next < lines.length;) {
    const end = endOfBlock(lines, next, MEMBER_INDENT);
    parseMember(lines.slice(next, end), attributes, methods);
    next = end;
  }
  return { name, line: head.number, attributes, methods };
}

/** Reads an attribute or a method into the maps. */
function parseMember(
  [head, ...body]: readonly CodeLine[],
  attributes: Map<string, TypeExpression>,
  methods: Map<string, Method>,
): void {
  if (head === undefined) return;
  const cursor = new Cursor(head);
  if (cursor.sees('def')) {
    const method = parseMethod(cursor, body);
    if (methods.has(method.name)) throw new UnexpectedCode(head.number, `defines ${method.name} twice`);
    methods.set(method.name, method);
    return;
  }
  const [below] = body;
  if (below !== undefined) throw new UnexpectedCode(below.number, 'is indented in an unknown way');
  const attribute = parseAttribute(cursor);
  if (attribute === null) return;
  const [name, type] = attribute;
  if (attributes.has(name)) throw new UnexpectedCode(head.number, `declares ${name} twice`);
  attributes.set(name, type);
}

/** `name : Type`, or `__annotations__["0"] = Type` for what is no name; null for the lists of parameter names. */
function parseAttribute(cursor: Cursor): readonly [string, TypeExpression] | null {
  const name = cursor.takeName();
  if (name === '__parameters__' || name === '__buffers__') {
    cursor.expect('=');
    cursor.expect('[');
    while (!cursor.skip(']')) {
      cursor.takeString();
      cursor.expect(',');
    }
    cursor.expectEnd();
    return null;
  }
  let attribute = name;
  if (name === '__annotations__') {
    cursor.expect('[');
    attribute = cursor.takeString();
    cursor.expect(']');
    cursor.expect('=');
  } else {
    if (name.startsWith('__')) throw new UnexpectedCode(cursor.number, `declares ${name}`);
    cursor.expect(':');
  }
  const type = parseType(cursor);
  cursor.expectEnd();
  return [attribute, type];
}

function parseMethod(cursor: Cursor, body: readonly CodeLine[]): Method {
  cursor.expect('def');
  const name = cursor.takeName();
  if (!/^forward\d*$/.test(name)) {
    const why = STATE_METHODS[name] ?? '';
    throw new UnexpectedCode(cursor.number, `defines the method ${name}${why}`);
  }
  for (const text of ['(', 'self', ':']) cursor.expect(text);
  const selfType = parseType(cursor);
  const parameters: { name: string; type: TypeExpression }[] = [];
  while (cursor.skip(',')) {
    const parameter = cursor.takeName();
    cursor.expect(':');
    parameters.push({ name: parameter, type: parseType(cursor) });
  }
  for (const text of [')', '->']) cursor.expect(text);
  const result = parseType(cursor);
  cursor.expect(':');
  cursor.expectEnd();
  return { name, line: cursor.number, parameters, selfType, result, body: body.map(parseStatement) };
}

/** What has been read of each array of tokens: layers repeat their lines. */
const PARSED = new WeakMap<readonly Token[], Omit<Statement, 'line'>>();

function parseStatement(line: CodeLine): Statement {
  if (line.indent !== BODY_INDENT) throw new UnexpectedCode(line.number, 'is indented in an unknown way');
  const known = PARSED.get(line.tokens);
  if (known !== undefined) return { line: line.number, ...known };
  const cursor = new Cursor(line);
  const returns = cursor.skip('return');
  const targets = returns ? [] : parseTargets(cursor);
  const value = parseExpression(cursor);
  cursor.expectEnd();
  PARSED.set(line.tokens, { targets, returns, value });
  return { line: line.number, targets, returns, value };
}

/** `a = `, `a, b = ` or `a, b, = `; nothing where no name is assigned. */
function parseTargets(cursor: Cursor): readonly string[] {
  if (!cursor.sees('=', 1) && !cursor.sees(',', 1)) return [];
  const targets = [cursor.takeName()];
  while (cursor.skip(',')) {
    if (cursor.sees('=')) break;
    targets.push(cursor.takeName());
  }
  cursor.expect('=');
  return targets;
}
