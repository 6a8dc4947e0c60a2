import type { TracedModel } from '../model/traced-model.js';
import { WARNING_TYPE } from './engine-choice.js';
import type { HiddenFlow } from './hidden-flow.js';
import type { RunOptions } from './options.js';
import { ProgressSum } from './progress.js';
import { countRows, toHiddenFlow, toNativeRequest, type TracePlan, type TraceSetting } from './trace-plan.js';

/** A trace that has been checked, and what it needs. */
export interface PlannedTrace {
  readonly plan: TracePlan;
  readonly setting: TraceSetting;
}

/**
 * Runs traces. Those of one prompt go to the engine together, which computes what they share once.
 *
 * @param describe says of a failure which trace it was.
 * @returns one result a trace, in order.
 */
export async function runTraces(
  model: TracedModel,
  traces: readonly PlannedTrace[],
  { signal, onProgress }: Pick<RunOptions, 'signal' | 'onProgress'>,
  describe: (index: number, error: unknown) => unknown,
): Promise<HiddenFlow[]> {
  const groups = groupByPrompt(traces);
  const rows = groups.map((group) =>
    group.reduce((sum, { trace: { plan, setting } }) => sum + countRows(plan, setting.options), 0),
  );
  const progress = onProgress === undefined ? undefined : new ProgressSum(rows, onProgress);
  const flows = new Array<HiddenFlow>(traces.length);
  for (const [i, group] of groups.entries()) {
    // What fails while several traces share the engine is the fault of none in particular.
    let current = group.length === 1 ? group[0]?.index : undefined;
    try {
      const requests = group.map(({ trace: { plan, setting } }) => toNativeRequest(plan, setting));
      const results = await model.traceMany(requests, { signal, onProgress: progress?.part(i) });
      for (const [j, { index, trace }] of group.entries()) {
        current = index;
        const result = results[j];
        if (result === undefined) throw new Error('a trace gave no result');
        if (result.reducedBatchSize > 0) warnOfReducedBatch(trace.plan.prompt.text, result.reducedBatchSize);
        flows[index] = toHiddenFlow(trace.plan, trace.setting, result);
      }
    } catch (error) {
      throw current === undefined ? error : describe(current, error);
    }
    progress?.end(i);
  }
  return flows;
}

/** Code of the process warning that memory ran out and fewer rows were run at once. */
export const REDUCED_BATCH_CODE = 'BATCH_REDUCED';

function warnOfReducedBatch(prompt: string, rows: number): void {
  process.emitWarning(
    `Memory ran out while ${JSON.stringify(prompt)} was traced: the trace went on with ${rows} rows at once. The ` +
      `result is the same. Give batchSize ${rows} to begin with that.`,
    { type: WARNING_TYPE, code: REDUCED_BATCH_CODE },
  );
}

interface IndexedTrace {
  readonly index: number;
  readonly trace: PlannedTrace;
}

/** Traces of equal token ids, each with its place in the list; groups are in the order of their first traces. */
function groupByPrompt(traces: readonly PlannedTrace[]): IndexedTrace[][] {
  const groups = new Map<string, IndexedTrace[]>();
  for (const [index, trace] of traces.entries()) {
    const key = trace.plan.prompt.ids.join(' ');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [{ index, trace }]);
    else group.push({ index, trace });
  }
  return [...groups.values()];
}
