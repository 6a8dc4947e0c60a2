import type { Method } from './code-syntax.js';
import { UnexpectedCode } from './code-tokens.js';
import { UntrustedContent } from './findings.js';
import { checkForward, type ForwardCost } from './forward-check.js';
import { requireModuleTree, type DefinedClass, type ModuleClasses } from './module-classes.js';

/**
 * Checks all forward methods, and that calling them comes to an end soon: straight code, modules that do not contain
 * themselves, and a bounded number of steps once every call is followed.
 *
 * @throws UntrustedContent naming member and line.
 */
export function checkForwards(classes: ModuleClasses): void {
  requireModuleTree(classes);
  const costs = new Map<Method, ForwardCost>();
  const measure = (owner: DefinedClass, method: Method): ForwardCost => {
    const known = costs.get(method);
    if (known !== undefined) return known;
    // Modules form a tree, so that following the calls ends.
    const cost = inMember(owner.member, () => checkForward(owner, method, classes, measure));
    costs.set(method, cost);
    return cost;
  };
  for (const defined of classes.values()) {
    for (const method of defined.methods.values()) measure(defined, method);
  }
}

/** Runs `work`; names the member where its code is not what it should be. */
export function inMember<Result>(member: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UnexpectedCode)) throw error;
    throw new UntrustedContent(`${member}, line ${error.line},`, error.message);
  }
}
