import { CausalTracerError } from '../errors.js';
import type { NativeHookPoint, NativeRunRequest, NativeRunResult } from '../native/binding.js';
import { toNativeEdits, type Edit } from './edits.js';
import { requireForward, type FunctionHook, type PlacedHook } from './function-hooks.js';
import { expandTarget, type HookTarget } from './hook-points.js';
import { requireOneOf } from './one-of.js';
import { encodePrompt, type PromptLimits } from './prompt.js';
import type { Tensor } from './tensor.js';

/** Prompts, or token ids, of one length: a text, several texts, one row of ids, or several. */
export type RunInput =
  string | readonly string[] | readonly number[] | readonly (readonly number[])[] | Int32Array;

/** At which positions a run hands out logits. */
export const RUN_LOGITS = ['last', 'all', 'none'] as const;
export type RunLogits = (typeof RUN_LOGITS)[number];

/** The forward hooks of one run. At one module: edits in their order, then function hooks, then captures. */
export interface RunHooks {
  /** Modules, or templates such as `transformer.h.{num}.mlp`, whose outputs (or inputs) are handed out. */
  readonly capture?: readonly (string | HookTarget)[] | undefined;
  readonly edits?: readonly Edit[] | undefined;
  readonly hooks?: readonly FunctionHook[] | undefined;
  /** Default `last`. */
  readonly logits?: RunLogits | undefined;
}

/** What one forward pass gave; all tensors are float32, whatever the model runs in. */
export interface ModelRun {
  /** `[batch, position]` */
  readonly inputIds: readonly (readonly number[])[];
  /** `[batch, vocabulary]` for `last`, `[batch, position, vocabulary]` for `all`, null for `none`. */
  readonly logits: Tensor | null;
  /** Captured outputs by module name, after the edits and hooks. */
  readonly captured: ReadonlyMap<string, Tensor>;
  /** Captured inputs by module name, after the edits and hooks. */
  readonly capturedInputs: ReadonlyMap<string, Tensor>;
}

/** A run that has been checked. */
export interface PlannedRun {
  readonly inputIds: readonly (readonly number[])[];
  readonly request: NativeRunRequest;
  readonly hooks: readonly PlacedHook[];
}

/**
 * Checks a run and makes the native request of it.
 *
 * @throws CausalTracerError as {@link TracedModel.run} does.
 */
export function planRun(
  input: RunInput,
  { capture = [], edits = [], hooks = [], logits = 'last' }: RunHooks,
  model: PromptLimits & { readonly moduleNames: readonly string[] },
): PlannedRun {
  for (const [name, list] of Object.entries({ capture, edits, hooks })) {
    if (Array.isArray(list)) continue;
    throw new CausalTracerError('INVALID_OPTION', `${name} must be an array, not ${typeof list}.`);
  }
  const names = model.moduleNames;
  const inputIds = readInput(input, model);
  const placed = hooks.flatMap((hook) => {
    requireForward(hook);
    return expandTarget(hook, names).map((point) => ({ point, forward: hook.forward }));
  });
  const points = new Map<string, NativeHookPoint>();
  for (const { module, at } of capture.flatMap((target) => expandTarget(target, names))) {
    points.set(`${at} ${module}`, { module, at });
  }
  return {
    inputIds,
    hooks: placed,
    request: {
      inputIds: Int32Array.from(inputIds.flat()),
      batch: inputIds.length,
      capture: [...points.values()],
      edits: edits.flatMap((edit) => toNativeEdits(edit, names)),
      hooks: placed.map(({ point: { module, at } }) => ({ module, at })),
      logits: requireOneOf('logits', logits, RUN_LOGITS),
    },
  };
}

/** The result of a planned run. */
export function toModelRun({ inputIds, request }: PlannedRun, result: NativeRunResult): ModelRun {
  const tensorsAt = (at: NativeHookPoint['at']): ReadonlyMap<string, Tensor> =>
    new Map(
      request.capture.flatMap((point, i) => {
        const tensor = result.captured[i];
        return point.at === at && tensor !== undefined ? [[point.module, tensor]] : [];
      }),
    );
  return {
    inputIds,
    logits: result.logits,
    captured: tensorsAt('output'),
    capturedInputs: tensorsAt('input'),
  };
}

function readInput(input: RunInput, limits: PromptLimits): number[][] {
  const rows = toRows(input).map((row) =>
    typeof row === 'string' ? [...encodePrompt(row, limits).ids] : [...row],
  );
  const [first] = rows;
  if (first === undefined || first.length === 0) {
    throw new CausalTracerError('EMPTY_PROMPT', 'There is nothing to run. Give a prompt, or token ids.');
  }
  if (rows.some((row) => row.length !== first.length)) {
    throw new CausalTracerError(
      'INVALID_OPTION',
      `The rows of one run must have equally many tokens, not ${rows.map((row) => row.length).join(', ')}. ` +
        'Run prompts of other lengths by themselves.',
    );
  }
  for (const row of rows) requireIds(row, limits);
  return rows;
}

function toRows(input: RunInput): readonly (string | readonly number[])[] {
  if (typeof input === 'string') return [input];
  if (input instanceof Int32Array) return [[...input]];
  if (!Array.isArray(input)) {
    throw new CausalTracerError(
      'INVALID_OPTION',
      'The input of a run must be text, a list of texts, or token ids.',
    );
  }
  const list: readonly unknown[] = input;
  if (list.length > 0 && list.every((entry) => typeof entry === 'number')) return [list];
  return list.map((entry) => {
    if (typeof entry === 'string') return entry;
    if (Array.isArray(entry)) return entry as readonly number[];
    throw new CausalTracerError(
      'INVALID_OPTION',
      `The input of a run must be text, a list of texts, or token ids; a list holds ${entry === null ? 'null' : `a value of type ${typeof entry}`}.`,
    );
  });
}

function requireIds(row: readonly number[], { vocabularySize, maximumPositions }: PromptLimits): void {
  const unknown = row.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
  if (unknown !== undefined) {
    throw new CausalTracerError(
      'INVALID_OPTION',
      `${String(unknown)} is no token id: they are whole numbers from 0 to ${vocabularySize - 1}.`,
    );
  }
  if (maximumPositions !== null && row.length > maximumPositions) {
    throw new CausalTracerError(
      'PROMPT_TOO_LONG',
      `The prompt has ${row.length} tokens, but the model has only ${maximumPositions} positions. Shorten it.`,
    );
  }
}
