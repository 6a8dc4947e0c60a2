import type { ModuleClass, TypeExpression } from './code-syntax.js';
import { UntrustedContent } from './findings.js';
import { LIMITS } from './limits.js';

/** A class and where it is defined. */
export interface DefinedClass extends ModuleClass {
  /** `__torch__.package.Class`. */
  readonly qualifiedName: string;
  /** The member of the archive. */
  readonly member: string;
}

/** The classes that an archive's code defines, by qualified name. */
export type ModuleClasses = ReadonlyMap<string, DefinedClass>;

/** Names to which libtorch gives a meaning of its own: classes written in C++, and those that unpack into them. */
const NATIVE_CLASSES = /^__torch__\.torch\.(?:classes|nn\.quantized|ao)\./;

const PLAIN_TYPES: readonly string[] = ['Tensor', 'bool', 'int', 'float', 'str', 'NoneType'];

/** Gives the classes of one member their qualified names, and adds them to `classes`. */
export function addClasses(
  classes: Map<string, DefinedClass>,
  member: string,
  path: string,
  defined: readonly ModuleClass[],
): void {
  const module = path.slice('code/'.length, -'.py'.length).split('/').join('.');
  for (const definition of defined) {
    const qualifiedName = `${module}.${definition.name}`;
    if (classes.has(qualifiedName)) throw new UntrustedContent(member, `defines ${definition.name} twice`);
    if (NATIVE_CLASSES.test(qualifiedName)) {
      throw new UntrustedContent(member, `defines ${qualifiedName}, a name that libtorch keeps for itself`);
    }
    classes.set(qualifiedName, { ...definition, qualifiedName, member });
  }
}

/**
 * Checks the attributes of all classes: tensors, plain values, and modules, which do not contain themselves.
 *
 * @throws UntrustedContent
 */
export function requireModuleTree(classes: ModuleClasses): void {
  const measured = new Map<DefinedClass, Measures>();
  for (const defined of classes.values()) measure(defined, classes, measured, 0);
}

/** How many modules a class contains and how deep they are nested, itself included. */
interface Measures {
  readonly count: number;
  readonly depth: number;
}

function measure(
  defined: DefinedClass,
  classes: ModuleClasses,
  measured: Map<DefinedClass, Measures>,
  above: number,
): Measures {
  const known = measured.get(defined);
  if (above + (known?.depth ?? 1) > LIMITS.moduleDepth) {
    throw new UntrustedContent(
      defined.member,
      `has a class that contains itself, or modules nested more than ${LIMITS.moduleDepth} deep`,
    );
  }
  if (known !== undefined) return known;
  let [count, depth] = [1, 1];
  for (const [name, type] of defined.attributes) {
    const submodule = classes.get(type.name);
    if (submodule !== undefined && type.parameters.length === 0) {
      const inside = measure(submodule, classes, measured, above + 1);
      count += inside.count;
      depth = Math.max(depth, 1 + inside.depth);
    } else if (!isPlain(type)) {
      throw new UntrustedContent(
        defined.member,
        `declares the attribute ${defined.name}.${name} of the type ${type.name}, which no traced module has`,
      );
    }
  }
  if (count > LIMITS.modules) {
    throw new UntrustedContent(
      defined.member,
      `has more than ${LIMITS.modules} modules inside of ${defined.name}`,
    );
  }
  measured.set(defined, { count, depth });
  return { count, depth };
}

function isPlain({ name, parameters }: TypeExpression): boolean {
  const content = parameters[0];
  if (name === 'Optional') return parameters.length === 1 && content !== undefined && isPlain(content);
  return parameters.length === 0 && PLAIN_TYPES.includes(name);
}
