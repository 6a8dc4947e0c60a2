import type { TypeExpression } from './code-syntax.js';
import type { DefinedClass } from './module-classes.js';
import type { PickleDictionary, PickleValue } from './pickle-values.js';

/**
 * Compares an object's state with what its class declares: libtorch puts the state into the object as it is, and takes it
 * out again as what is declared. Gives what does not fit as a string.
 */
export function findStateProblem(defined: DefinedClass, state: PickleDictionary): string | null {
  const { attributes, name: className } = defined;
  for (const [name, type] of attributes) {
    const value = state.entries.get(name);
    if (value === undefined) return `has a ${className} without its ${name}`;
    if (!fits(value, type))
      return `has a ${value.kind} as ${className}.${name}, which is declared as ${type.name}`;
  }
  if (state.entries.size > attributes.size) return `has a ${className} with more than is declared`;
  return null;
}

const KINDS: ReadonlyMap<string, PickleValue['kind']> = new Map(
  Object.entries({
    Tensor: 'tensor',
    bool: 'bool',
    int: 'int',
    float: 'float',
    str: 'string',
    NoneType: 'none',
  } as const),
);

function fits(value: PickleValue, { name, parameters }: TypeExpression): boolean {
  const content = parameters[0];
  if (name === 'Optional' && content !== undefined) return value.kind === 'none' || fits(value, content);
  if (value.kind === 'object') return value.className === name;
  return KINDS.get(name) === value.kind;
}
