import type { Expression, Method, TypeExpression } from './code-syntax.js';
import { UnexpectedCode } from './code-tokens.js';
import { LIMITS } from './limits.js';
import type { DefinedClass, ModuleClasses } from './module-classes.js';
import { findOperatorProblem, isDevice, isModeOrEquation, isName, libraryName } from './operator-calls.js';

/** What a forward method takes, with all that it calls. */
export interface ForwardCost {
  /** Statements and calls. */
  readonly steps: number;
  /** Calls of which each needs the result of the one before it. */
  readonly chain: number;
}

/** Gives the cost of a submodule's method; throws if it is not what it should be. */
export type MeasureForward = (callee: DefinedClass, method: Method) => ForwardCost;

/** A value whose type has so many parts, and that takes so many calls, one after the other. */
interface ValueMeaning {
  readonly parts: number;
  readonly chain: number;
}

/** What an expression stands for. */
type Meaning = { readonly module: DefinedClass } | ValueMeaning;

const VALUE: ValueMeaning = { parts: 1, chain: 0 };

/** Names that mean something else than a local variable. */
const RESERVED: ReadonlySet<string> = new Set(
  'self torch ops CONSTANTS annotate unchecked_cast uninitialized fork getattr int float bool inf nan __torch__'.split(
    ' ',
  ),
);
const CASTS: readonly string[] = ['int', 'float', 'bool'];
const VALUE_TYPES: readonly string[] = [
  'Tensor',
  'int',
  'float',
  'bool',
  'str',
  'number',
  'NoneType',
  'None',
  'Device',
];
const CONTAINER_TYPES: readonly string[] = ['Optional', 'List', 'Tuple'];

/**
 * Checks a forward method: each name is an argument or was assigned before, each call is one of an allowed operator or of
 * a submodule's forward method.
 *
 * @throws UnexpectedCode
 */
export function checkForward(
  owner: DefinedClass,
  method: Method,
  classes: ModuleClasses,
  measure: MeasureForward,
): ForwardCost {
  return new ForwardCheck(owner, classes, measure).check(method);
}

class ForwardCheck {
  readonly #locals = new Map<string, Meaning>();
  #steps = 0;
  #chain = 0;
  #line = 0;

  constructor(
    private readonly owner: DefinedClass,
    private readonly classes: ModuleClasses,
    private readonly measure: MeasureForward,
  ) {}

  check(method: Method): ForwardCost {
    this.#line = method.line;
    if (method.selfType.name !== this.owner.qualifiedName) throw this.#refuse('has a self of another class');
    for (const { name, type } of method.parameters) {
      this.#assign(name, { parts: this.#countParts(type), chain: 0 });
    }
    this.#countParts(method.result);
    for (const [index, { line, targets, returns, value }] of method.body.entries()) {
      this.#line = line;
      this.#steps += 1;
      if (returns && index < method.body.length - 1) throw this.#refuse('goes on behind a return');
      const meaning = this.#meaningOf(value);
      const single = targets[0];
      if (targets.length === 1 && single !== undefined) this.#assign(single, meaning);
      else for (const target of targets) this.#assign(target, this.#valueOf(meaning));
      if (returns) this.#valueOf(meaning);
      if (this.#steps > LIMITS.forwardSteps) {
        throw this.#refuse(`takes more than ${LIMITS.forwardSteps} steps, those of submodules included`);
      }
    }
    return { steps: this.#steps, chain: this.#chain };
  }

  #assign(name: string, meaning: Meaning): void {
    if (RESERVED.has(name)) throw this.#refuse(`assigns to ${name}`);
    this.#locals.set(name, meaning);
  }

  #meaningOf(expression: Expression): Meaning {
    switch (expression.kind) {
      case 'constant':
        return VALUE;
      case 'string':
        if (isModeOrEquation(expression.text)) return VALUE;
        throw this.#refuse(
          `has the string "${expression.text.slice(0, 40)}", which no allowed operator needs`,
        );
      case 'name':
        return this.#lookUp(expression.name);
      case 'attribute':
        return this.#attribute(expression.object, expression.name);
      case 'element':
        return this.#valueOf(this.#meaningOf(expression.object));
      case 'annotate':
        this.#countParts(expression.type);
        return this.#valueOf(this.#meaningOf(expression.value));
      case 'list':
      case 'tuple':
        return this.#joined(expression.items);
      case 'call':
        return this.#call(expression);
    }
  }

  #lookUp(name: string): Meaning {
    if (name === 'self') return { module: this.owner };
    const local = this.#locals.get(name);
    if (local === undefined) throw this.#refuse(`uses ${name}, which it has not assigned`);
    return local;
  }

  #attribute(object: Expression, name: string): Meaning {
    if (isName(object, 'CONSTANTS')) {
      if (/^c\d+$/.test(name)) return VALUE;
      throw this.#refuse(`uses CONSTANTS.${name}`);
    }
    const meaning = this.#meaningOf(object);
    if (!('module' in meaning)) throw this.#refuse(`uses the attribute ${name} of what is no module`);
    const type = meaning.module.attributes.get(name);
    if (type === undefined) throw this.#refuse(`uses ${meaning.module.name}.${name}, which is not declared`);
    const submodule = this.classes.get(type.name);
    return submodule === undefined ? VALUE : { module: submodule };
  }

  #call({ callee, positional, named }: Expression & { readonly kind: 'call' }): Meaning {
    this.#steps += 1;
    if (isName(callee, 'getattr')) {
      const [object, name, ...others] = positional;
      if (object === undefined || name?.kind !== 'string' || others.length + named.length > 0) {
        throw this.#refuse('has a getattr without a constant name');
      }
      return this.#attribute(object, name.text);
    }
    if (isDevice(callee, positional, named)) return VALUE;
    const given = named.length === 0 ? positional : [...positional, ...named.map(({ value }) => value)];
    if (callee.kind === 'name') {
      if (!CASTS.includes(callee.name) || given.length !== 1) throw this.#refuse(`calls ${callee.name}`);
      return this.#result(1, this.#joined(given).chain + 1);
    }
    if (callee.kind !== 'attribute') throw this.#refuse('calls what has no name');
    const library = libraryName(callee.object);
    if (library === null) return this.#callModule(callee.object, callee.name, this.#joined(given).chain);
    const problem = findOperatorProblem(library, callee.name, named);
    if (problem !== null) throw this.#refuse(problem);
    // Operators give tensors, numbers, or a few of them.
    return this.#result(1, this.#joined(given).chain + 1);
  }

  #callModule(object: Expression, name: string, chain: number): Meaning {
    const meaning = this.#meaningOf(object);
    if (!('module' in meaning)) throw this.#refuse(`calls the method ${name} of what is no module`);
    const { module: callee } = meaning;
    const method = callee.methods.get(name);
    if (method === undefined) throw this.#refuse(`calls ${callee.name}.${name}, which is not defined`);
    if (callee === this.owner)
      throw this.#refuse(`calls ${name} of its own class: code that goes in a circle`);
    const cost = this.measure(callee, method);
    this.#steps += cost.steps;
    return this.#result(this.#countParts(method.result), chain + cost.chain);
  }

  /** Several values in one. */
  #joined(items: readonly Expression[]): ValueMeaning {
    let parts = 1;
    let chain = 0;
    for (const item of items) {
      const value = this.#valueOf(this.#meaningOf(item));
      parts += value.parts;
      chain = Math.max(chain, value.chain);
    }
    this.#requireParts(parts);
    return { parts, chain };
  }

  #result(parts: number, chain: number): ValueMeaning {
    this.#chain = Math.max(this.#chain, chain);
    if (chain > LIMITS.forwardChain) {
      throw this.#refuse(`computes values one after the other more than ${LIMITS.forwardChain} times`);
    }
    return { parts, chain };
  }

  #valueOf(meaning: Meaning): ValueMeaning {
    if ('module' in meaning) throw this.#refuse(`uses a module (${meaning.module.name}) as a value`);
    return meaning;
  }

  #countParts({ name, parameters }: TypeExpression): number {
    const container = CONTAINER_TYPES.includes(name);
    if (container ? parameters.length === 0 : parameters.length > 0 || !VALUE_TYPES.includes(name)) {
      throw this.#refuse(`has a value of the type ${name}`);
    }
    return this.#requireParts(
      parameters.reduce((parts, parameter) => parts + this.#countParts(parameter), 1),
    );
  }

  #requireParts(parts: number): number {
    if (parts > LIMITS.typeParts) throw this.#refuse(`has a type of more than ${LIMITS.typeParts} parts`);
    return parts;
  }

  #refuse(finding: string): UnexpectedCode {
    return new UnexpectedCode(this.#line, finding);
  }
}
