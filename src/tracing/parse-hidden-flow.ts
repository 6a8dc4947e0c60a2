import { z } from 'zod';
import { CausalTracerError } from '../errors.js';
import { LAYER_KINDS, type HiddenFlow } from './hidden-flow.js';

// A softmax in float32 can end a rounding error above 1.
const probability = z
  .number()
  .min(0)
  .max(1 + 1e-5);
const count = z.number().int().positive();
const index = z.number().int().nonnegative();

const provenanceSchema = z.object({
  prompt: z.string(),
  subject: z.string(),
  samples: count,
  patchSeed: index,
  noise: z.number().nonnegative(),
  startLayer: index,
  endLayer: count,
  patchSubjectTokensOnly: z.boolean(),
  engine: z.string(),
  // Results of earlier versions do not have it.
  engineReason: z.string().nullable().default(null),
  device: z.string(),
  dtype: z.string(),
  family: z.string().nullable(),
  modelSha256: z.string(),
  versions: z.object({ causalTracer: z.string(), libtorch: z.string() }),
});

const hiddenFlowSchema = z.object({
  scores: z.array(z.array(probability).min(1)).min(1),
  lowScore: probability,
  highScore: probability,
  inputIds: z.array(index),
  inputTokens: z.array(z.string()),
  subjectRange: z.tuple([index, index]),
  answer: z.string(),
  answerId: index,
  kind: z.enum(LAYER_KINDS),
  window: count,
  layerOutputs: z.record(z.string(), z.array(z.array(z.number()))).optional(),
  provenance: provenanceSchema,
});

/**
 * Checks that a value, such as parsed JSON, is a {@link HiddenFlow}, with lists of fitting lengths.
 *
 * @throws CausalTracerError `FLOW_INVALID`, naming the part that is wrong.
 */
export function parseHiddenFlow(value: unknown): HiddenFlow {
  const parsed = hiddenFlowSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? 'the whole' : issue.path.join('.');
    throw flowInvalid(`${where}: ${issue?.message ?? 'unreadable'}`);
  }
  const { layerOutputs, ...flow } = parsed.data;
  const length = flow.scores.length;
  const layers = flow.scores[0]?.length ?? 0;
  if (flow.scores.some((row) => row.length !== layers))
    throw flowInvalid('scores: its rows differ in length');
  for (const list of ['inputIds', 'inputTokens'] as const) {
    if (flow[list].length !== length) {
      throw flowInvalid(`${list}: it has ${flow[list].length} entries, but scores has ${length} rows`);
    }
  }
  const [start, end] = flow.subjectRange;
  if (start >= end || end > length) {
    throw flowInvalid(`subjectRange: [${start}, ${end}) is no range of the ${length} tokens`);
  }
  return layerOutputs === undefined ? flow : { ...flow, layerOutputs };
}

function flowInvalid(problem: string): CausalTracerError {
  return new CausalTracerError(
    'FLOW_INVALID',
    `This is not a hidden flow as calculateHiddenFlow gives it; ${problem}.`,
  );
}
