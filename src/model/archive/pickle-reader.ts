import { UntrustedContent } from './findings.js';
import { LIMITS } from './limits.js';
import { PickleInput } from './pickle-input.js';
import { PickleStack } from './pickle-stack.js';
import type { PickleValue } from './pickle-values.js';

/** What a pickle can reach outside of itself; all of it fails with `UntrustedContent`. */
export interface PickleWorld {
  /** What a global stands for; undefined if the pickle may not name it. */
  global(module: string, name: string): PickleValue | undefined;
  /** What a function gives, or an object of a class with this state. */
  call(callee: PickleValue, argument: PickleValue): PickleValue;
  /** The storage of a tensor, by its description. */
  storage(description: PickleValue): PickleValue;
}

const STOP = 0x2e;

/**
 * Follows a pickle as libtorch's unpickler does, but makes nothing; gives the value that it describes.
 *
 * libtorch relies on the order of operations: it keeps functions as plain numbers on the stack, so that a forged pickle
 * could call any of them on anything. Here they are values of their own kind.
 *
 * @throws UntrustedContent for every operation that the pickles of traced modules do without.
 */
export function readPickle(bytes: Buffer, member: string, world: PickleWorld): PickleValue {
  const refuse = (finding: string): UntrustedContent =>
    new UntrustedContent(member, `${finding} (at byte ${input.position})`);
  const input = new PickleInput(bytes, () => refuse('ends in the middle of an operation'));
  const stack = new PickleStack(refuse);
  const operations = operationsOn(stack, input, world, refuse);
  if (input.byte() !== 0x80 || input.byte() !== 2) throw refuse('is no pickle of protocol 2');
  for (let code = input.byte(); code !== STOP; code = input.byte()) {
    const operation = operations.get(code);
    if (operation === undefined) {
      throw refuse(
        `uses the pickle operation 0x${code.toString(16).padStart(2, '0')}, which no traced model needs`,
      );
    }
    operation();
  }
  if (!input.atEnd) throw refuse('goes on behind its end');
  return stack.result();
}

/** What each operation does, by its code. */
function operationsOn(
  stack: PickleStack,
  input: PickleInput,
  world: PickleWorld,
  refuse: (finding: string) => UntrustedContent,
): ReadonlyMap<number, () => void> {
  const pushInteger = (value: number): void => {
    stack.push({ kind: 'int', value: Number.isSafeInteger(value) ? value : null });
  };
  const pushLong = (): void => {
    if (input.byte() !== 8) throw refuse('has an integer of other than 8 bytes');
    pushInteger(input.signed64());
  };
  const pushFloat = (): void => {
    input.skip(8);
    stack.push({ kind: 'float' });
  };
  const pushString = (): void => stack.push({ kind: 'string', value: input.text(input.unsigned32()) });
  const apply = (builds: boolean): void => {
    const [callee, argument] = stack.pop2();
    if (builds !== (callee.kind === 'class')) {
      throw refuse('calls what is no function, or builds what is no class');
    }
    const made = world.call(callee, argument);
    if ('depth' in made && made.depth > LIMITS.pickleDepth) throw refuse('is nested too deeply');
    stack.push(made);
  };
  const operations: Readonly<Record<string, () => void>> = {
    N: () => stack.push({ kind: 'none' }),
    '\x88': () => stack.push({ kind: 'bool' }), // NEWTRUE
    '\x89': () => stack.push({ kind: 'bool' }), // NEWFALSE
    K: () => pushInteger(input.byte()), // BININT1
    M: () => pushInteger(input.unsigned16()), // BININT2
    J: () => pushInteger(input.signed32()), // BININT
    '\x8a': pushLong, // LONG1
    G: pushFloat, // BINFLOAT
    X: pushString, // BINUNICODE
    '(': () => stack.mark(),
    ')': () => stack.pushTuple([]), // EMPTY_TUPLE
    t: () => stack.pushTuple(stack.popToMark()), // TUPLE
    '\x85': () => stack.pushTuple(stack.pop(1)), // TUPLE1
    '\x86': () => stack.pushTuple(stack.pop(2)), // TUPLE2
    '\x87': () => stack.pushTuple(stack.pop(3)), // TUPLE3
    ']': () => stack.push({ kind: 'list', depth: 1, filled: false }), // EMPTY_LIST
    e: () => stack.fillList(stack.popToMark()), // APPENDS
    '}': () => stack.push({ kind: 'dictionary', entries: new Map(), depth: 1, filled: false }), // EMPTY_DICT
    u: () => stack.fillDictionary(stack.popToMark()), // SETITEMS
    q: () => stack.memorise(input.byte()), // BINPUT
    r: () => stack.memorise(input.unsigned32()), // LONG_BINPUT
    h: () => stack.recall(input.byte()), // BINGET
    j: () => stack.recall(input.unsigned32()), // LONG_BINGET
    c: () => stack.push(readGlobal(input, world, refuse)), // GLOBAL
    '\x81': () => stack.dropNoArguments(), // NEWOBJ: libtorch makes the object only when it has its state
    b: () => apply(true), // BUILD
    R: () => apply(false), // REDUCE
    Q: () => stack.push(world.storage(stack.pop1())), // BINPERSID
  };
  return new Map(Object.entries(operations).map(([character, run]) => [character.charCodeAt(0), run]));
}

function readGlobal(
  input: PickleInput,
  world: PickleWorld,
  refuse: (finding: string) => UntrustedContent,
): PickleValue {
  const module = input.line();
  const name = input.line();
  if (!/^[\w.]+$/.test(module) || !/^\w+$/.test(name)) throw refuse('names a global that is no name');
  const found = world.global(module, name);
  if (found === undefined) throw refuse(`names ${module}.${name}, which no traced model needs`);
  return found;
}
