import { isAllowedOperator, isAllowedPrimitive } from './allowed-operators.js';
import type { Expression } from './code-syntax.js';

/** Modes of operators, and equations of `einsum`. Others would be taken for devices, or for the names of files. */
const STRINGS =
  /^(?:none|tanh|floor|trunc|constant|reflect|replicate|circular|sum|mean|prod|amax|amin|fro|nuc|ij|xy|[\w., ]*->[\w. ]*)$/;
const DEVICE = /^(?:cpu|cuda(?::\d{1,3})?)$/;

/** What is wrong with calling an operator that is not {@link isDevice}; null if nothing is. */
export function findOperatorProblem(
  library: string,
  name: string,
  named: readonly { readonly name: string }[],
): string | null {
  const allowed =
    library === 'ops.prim'
      ? isAllowedPrimitive(name)
      : (library === 'torch' || library === 'ops.aten') && isAllowedOperator(name);
  if (library === 'torch' && name === 'device') return 'names a device that is neither cpu nor cuda';
  if (!allowed) return `calls ${library}.${name}, which is not an allowed operator`;
  return named.some((argument) => argument.name === 'out') ? `calls ${library}.${name} with out=` : null;
}

/** Whether a string is one that operators take as it is. */
export function isModeOrEquation(text: string): boolean {
  return STRINGS.test(text);
}

/** Whether this is `torch.device("cpu")`, or cuda. */
export function isDevice(
  callee: Expression,
  positional: readonly Expression[],
  named: readonly unknown[],
): boolean {
  if (callee.kind !== 'attribute' || callee.name !== 'device' || !isName(callee.object, 'torch'))
    return false;
  const device = positional[0];
  return positional.length + named.length === 1 && device?.kind === 'string' && DEVICE.test(device.text);
}

export function isName(expression: Expression, name: string): boolean {
  return expression.kind === 'name' && expression.name === name;
}

/** `torch`, `ops.aten`, `ops.prim`; null if the expression is no library of operators. */
export function libraryName(expression: Expression): string | null {
  if (isName(expression, 'torch')) return 'torch';
  if (expression.kind !== 'attribute' || !isName(expression.object, 'ops')) return null;
  return `ops.${expression.name}`;
}
