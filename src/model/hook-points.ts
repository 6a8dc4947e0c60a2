import { CausalTracerError } from '../errors.js';
import { nearestNames, numberedTemplates } from './near-names.js';

/**
 * Where a hook is: `output` is the module's first tensor result that is not an argument handed back, as a rule its
 * hidden state; `input` its first tensor argument, in the order in which the module uses its arguments, which must hold
 * activations, not ids or positions. Tracing drops what nobody uses: of a module that returns several tensors, such as
 * the router of a mixture of experts, the output is the first that the model goes on with.
 */
export type HookAt = 'input' | 'output';

/** Names one module, or with `{num}` all modules whose names have a number there. */
export interface HookTarget {
  /** E.g. `transformer.h.3.attn`, or `transformer.h.{num}.mlp` for the one of every layer. */
  readonly module: string;
  /** Default `output`. */
  readonly at?: HookAt | undefined;
}

/** One hook point of the model. */
export interface HookPoint {
  readonly module: string;
  readonly at: HookAt;
  /** The number in place of `{num}`; null for a name without it. */
  readonly layer: number | null;
}

const PLACEHOLDER = '{num}';

/**
 * The hook points that a target names, in the order of their layers.
 *
 * @throws CausalTracerError `INVALID_OPTION` for what is no target; `MODULE_NOT_FOUND` if no module has such a name,
 *   listing near ones.
 */
export function expandTarget(
  target: string | HookTarget,
  moduleNames: Iterable<string>,
): readonly HookPoint[] {
  // Callers without types can hand over anything.
  const { module, at = 'output' }: { readonly module?: unknown; readonly at?: unknown } =
    typeof target === 'string' ? { module: target } : target;
  if (typeof module !== 'string' || !isHookAt(at)) {
    throw new CausalTracerError(
      'INVALID_OPTION',
      `A hook needs { module: '<name>', at: 'input' | 'output' }, not ${JSON.stringify(target)}.`,
    );
  }
  const names = [...moduleNames];
  if (!module.includes(PLACEHOLDER)) {
    if (names.includes(module)) return [{ module, at, layer: null }];
    throw noSuchModule(module, nearestNames(module, names));
  }
  const points = names.flatMap((name) => {
    const layer = numberInPlace(module, name);
    return layer === null ? [] : [{ module: name, at, layer }];
  });
  if (points.length === 0) throw noSuchModule(module, nearestNames(module, numberedTemplates(names)));
  return points.sort((a, b) => a.layer - b.layer);
}

function isHookAt(at: unknown): at is HookAt {
  return at === 'input' || at === 'output';
}

/** The number that makes `name` of `template`; null where none does. */
function numberInPlace(template: string, name: string): number | null {
  const [prefix = ''] = template.split(PLACEHOLDER, 1);
  if (!name.startsWith(prefix)) return null;
  const digits = /^\d+/.exec(name.slice(prefix.length))?.[0];
  if (digits === undefined || template.replaceAll(PLACEHOLDER, digits) !== name) return null;
  return Number(digits);
}

function noSuchModule(module: string, near: readonly string[]): CausalTracerError {
  const hint = near.length === 0 ? '' : ` Near names in the model: ${near.join(', ')}.`;
  return new CausalTracerError('MODULE_NOT_FOUND', `The model has no module "${module}".${hint}`);
}
