import { CausalTracerError } from '../errors.js';
import type { Tensor } from '../model/tensor.js';
import type { TracedModel } from '../model/traced-model.js';
import { requireAnswerId } from './answer.js';
import { resolveRunOptions, type RunOptions } from './options.js';
import { ProgressSum } from './progress.js';
import { encodePrompt, type EncodedPrompt } from '../model/prompt.js';
import { atIndex } from './at-index.js';

export interface BaseOutputsOptions extends RunOptions {
  /** Answers to measure instead of the most probable ones, each for the prompt with that index. */
  readonly answerIdOverrides?: readonly (readonly [promptIndex: number, answerId: number])[] | undefined;
}

/** What the model answers to prompts as they are; every list has one entry a prompt, in order. */
export interface BaseOutputs {
  readonly answerIds: readonly number[];
  /** The answers' tokens, decoded. */
  readonly answers: readonly string[];
  /** Probability of each answer, in [0, 1]. */
  readonly baseScores: readonly number[];
  readonly inputIds: readonly (readonly number[])[];
  /** Outputs of the traced kind's modules by name, each a row-major `[position, hidden]` tensor. */
  readonly layerOutputs: readonly Readonly<Record<string, Tensor>>[];
}

/** Prompts of one forward pass unless asked otherwise. */
const AUTO_BATCH_SIZE = 32;

interface Job {
  readonly index: number;
  readonly prompt: EncodedPrompt;
  /** -1 for the most probable token. */
  readonly answerId: number;
}

interface Answered {
  readonly answerId: number;
  readonly score: number;
  readonly layerOutputs: Readonly<Record<string, Tensor>>;
}

/** All checks of a call, before any of it is run; gives what runs it. See `CausalTracer.calculateBaseOutputs`. */
export function planBaseOutputs(
  model: TracedModel,
  prompts: readonly string[],
  options: BaseOutputsOptions,
): () => Promise<BaseOutputs> {
  const { kind, batchSize } = resolveRunOptions(options);
  const modules = model.layerModuleNames(kind);
  const overrides = collectOverrides(model, prompts.length, options.answerIdOverrides ?? []);
  const jobs = prompts.map((text, index): Job => {
    const prompt = atIndex('prompts', index, () => encodePrompt(text, model));
    return { index, prompt, answerId: overrides.get(index) ?? -1 };
  });
  const batches = batchByLength(jobs, batchSize === 'auto' ? AUTO_BATCH_SIZE : batchSize);
  const progress = new ProgressSum(
    batches.map((batch) => batch.length),
    options.onProgress ?? (() => undefined),
  );
  return async () => {
    const answered = new Array<Answered>(jobs.length);
    for (const [i, batch] of batches.entries()) {
      const results = await answerBatch(model, batch, modules, options.signal);
      batch.forEach(({ index }, row) => {
        const result = results[row];
        if (result !== undefined) answered[index] = result;
      });
      progress.end(i);
    }
    return {
      answerIds: answered.map(({ answerId }) => answerId),
      answers: answered.map(({ answerId }) => model.tokenizer.decodeToken(answerId)),
      baseScores: answered.map(({ score }) => score),
      inputIds: jobs.map(({ prompt }) => prompt.ids),
      layerOutputs: answered.map(({ layerOutputs }) => layerOutputs),
    };
  };
}

function collectOverrides(
  model: TracedModel,
  promptCount: number,
  given: NonNullable<BaseOutputsOptions['answerIdOverrides']>,
): ReadonlyMap<number, number> {
  const overrides = new Map<number, number>();
  // Callers without types can hand over anything.
  const pairs: unknown = given;
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) {
    throw new CausalTracerError(
      'INVALID_OPTION',
      'answerIdOverrides must be a list of pairs [index of the prompt, answer id].',
    );
  }
  for (const [promptIndex, answerId] of given) {
    if (!(Number.isInteger(promptIndex) && promptIndex >= 0 && promptIndex < promptCount)) {
      throw new CausalTracerError(
        'INVALID_OPTION',
        `answerIdOverrides names the prompt ${String(promptIndex)}, but there are ${promptCount} prompts, counted from 0.`,
      );
    }
    overrides.set(
      promptIndex,
      atIndex('prompts', promptIndex, () => requireAnswerId(answerId, model.vocabularySize)),
    );
  }
  return overrides;
}

/** Batches of prompts of one length, so that no row needs padding. */
function batchByLength(jobs: readonly Job[], batchSize: number): Job[][] {
  const byLength = new Map<number, Job[]>();
  for (const job of jobs) {
    const same = byLength.get(job.prompt.ids.length);
    if (same === undefined) byLength.set(job.prompt.ids.length, [job]);
    else same.push(job);
  }
  return [...byLength.values()].flatMap((same) =>
    Array.from({ length: Math.ceil(same.length / batchSize) }, (_, i) =>
      same.slice(i * batchSize, (i + 1) * batchSize),
    ),
  );
}

async function answerBatch(
  model: TracedModel,
  batch: readonly Job[],
  modules: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Answered[]> {
  const { answerIds, probabilities, captured } = await model.predict(
    {
      inputIds: Int32Array.from(batch.flatMap(({ prompt }) => prompt.ids)),
      batch: batch.length,
      capture: modules.map((module) => ({ module, at: 'output' })),
      answerIds: Int32Array.from(batch, ({ answerId }) => answerId),
    },
    { signal },
  );
  return batch.map((_, row) => ({
    answerId: answerIds[row] ?? -1,
    score: probabilities[row] ?? Number.NaN,
    layerOutputs: Object.fromEntries(
      modules.flatMap((module, i) => {
        const output = captured[i];
        return output === undefined ? [] : [[module, rowOf(output, row)]];
      }),
    ),
  }));
}

/** A copy of `tensor[row]`, so that one prompt's result does not hold the whole batch in memory. */
function rowOf({ data, shape: [, ...shape] }: Tensor, row: number): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return { data: data.slice(row * size, (row + 1) * size), shape };
}
