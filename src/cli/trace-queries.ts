import { CausalTracerError } from '../errors.js';
import type { CausalTracer, HiddenFlowKindsOptions } from '../tracing/causal-tracer.js';
import type { HiddenFlow, LayerKind } from '../tracing/hidden-flow.js';
import { resolveTraceOptions, type TraceOptions } from '../tracing/options.js';
import { countRows, planTrace } from '../tracing/trace-plan.js';
import { describeWeakCorruption } from './flow-summary.js';
import { say, sayOnTerminal } from './messages.js';
import { createProgressBar } from './progress-bar.js';
import type { Query } from './queries-file.js';

/** What is traced for every query. */
export interface QuerySetting {
  readonly kinds: readonly LayerKind[];
  readonly windowOf: (kind: LayerKind) => number;
  readonly options: Omit<TraceOptions, 'kind' | 'window' | 'signal' | 'onProgress'>;
  readonly signal: AbortSignal;
}

/**
 * Traces queries one after the other, each in all kinds at once, with a progress bar over all of them.
 *
 * All of them are checked before the first is run, so that a mistake in the last line of a long file does not cost hours.
 *
 * @param onResult gets the results of a query, one a kind.
 * @throws CausalTracerError as `calculateHiddenFlow` does; for a query of a file the message says which line.
 */
export async function traceQueries(
  tracer: CausalTracer,
  queries: readonly Query[],
  setting: QuerySetting,
  onResult: (flows: readonly HiddenFlow[], index: number) => Promise<void>,
): Promise<void> {
  const { signal } = setting;
  const jobs = queries.map((query) => {
    return atPlace(query.place, () => planJob(tracer, query, setting));
  });
  const [job] = jobs;
  if (job !== undefined && jobs.length === 1 && !job.query.subject) {
    sayOnTerminal(`Subject: ${JSON.stringify(job.subject)}, guessed; --subject names another.`);
  }
  const kinds = setting.kinds.map((kind) => ({ kind, window: setting.windowOf(kind) }));
  const total = jobs.reduce((sum, { rows }) => sum + rows, 0);
  const bar = createProgressBar(process.stderr);
  let done = 0;
  try {
    for (const [i, { query, answerId, rows }] of jobs.entries()) {
      const label = queries.length === 1 ? setting.kinds.join(', ') : `[${i + 1}/${queries.length}]`;
      const options: HiddenFlowKindsOptions = {
        ...setting.options,
        subject: query.subject,
        answerIdOverride: answerId,
        signal,
        onProgress: (progress) => {
          bar.update(done + progress.done, total, label);
        },
      };
      const flows = await atPlaceAsync(query.place, () =>
        tracer.calculateHiddenFlowKinds(query.text, kinds, options),
      );
      done += rows;
      bar.stop();
      await onResult(flows, i);
      sayIfCorruptionIsWeak(flows, query.place);
    }
  } finally {
    bar.stop();
  }
}

/** A query, checked. */
interface Job {
  readonly query: Query;
  readonly answerId: number | undefined;
  /** Given, or guessed. */
  readonly subject: string;
  /** Rows of forward passes for all kinds, the unit of progress. */
  readonly rows: number;
}

function planJob(tracer: CausalTracer, query: Query, { kinds, windowOf, options }: QuerySetting): Job {
  const answerId = query.answer === undefined ? query.answerId : tracer.getAnswerId(query.answer);
  let [subject, rows] = ['', 0];
  for (const kind of kinds) {
    const resolved = resolveTraceOptions({ ...options, kind, window: windowOf(kind) }, tracer.layerCount);
    const plan = planTrace(
      { text: query.text, subject: query.subject, overrideAnswerId: answerId },
      { model: tracer.model, options: resolved },
    );
    tracer.model.layerModuleNames(kind);
    subject = plan.subject;
    rows += countRows(plan, resolved);
  }
  return { query, answerId, subject, rows };
}

/** All kinds of a query have the same corrupted run. */
function sayIfCorruptionIsWeak([flow]: readonly HiddenFlow[], place: string | null): void {
  const description = flow === undefined ? null : describeWeakCorruption(flow);
  if (description !== null) say(place === null ? description : `${place}: ${description}`);
}

function atPlace<Result>(place: string | null, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw namePlace(place, error);
  }
}

async function atPlaceAsync<Result>(place: string | null, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw namePlace(place, error);
  }
}

function namePlace(place: string | null, error: unknown): unknown {
  if (place === null || !(error instanceof CausalTracerError)) return error;
  return new CausalTracerError(error.code, `${place}: ${error.message}`, { cause: error });
}
