import { CausalTracerError } from '../errors.js';
import { LAYER_KINDS, type HiddenFlow } from '../tracing/hidden-flow.js';

/** The parts of a result that a picture shows. */
export type PlottedFlow = Pick<
  HiddenFlow,
  'scores' | 'lowScore' | 'inputTokens' | 'subjectRange' | 'answer' | 'kind'
>;

/**
 * Checks that a value, perhaps read from a JSON file, has everything that a picture needs.
 *
 * @param name - What to call the value in an error message.
 * @throws CausalTracerError `FLOW_INVALID` naming the part that is wrong.
 */
export function checkFlow(value: unknown, name: string): PlottedFlow {
  const fail = (problem: string): never => {
    throw new CausalTracerError(
      'FLOW_INVALID',
      `${name} is not a result of calculateHiddenFlow that can be drawn: ${problem}. ` +
        'Give the result itself, or what JSON.parse makes of its JSON.',
    );
  };
  if (typeof value !== 'object' || value === null) {
    return fail(`it is ${value === null ? 'null' : `of type ${typeof value}`}`);
  }
  const flow = value as Partial<Record<keyof PlottedFlow, unknown>>;
  const { scores, lowScore, inputTokens, subjectRange, answer, kind } = flow;
  if (!LAYER_KINDS.some((known) => known === kind)) {
    fail(`kind is ${JSON.stringify(kind)}, not one of ${LAYER_KINDS.join(', ')}`);
  }
  if (!isFiniteNumber(lowScore)) {
    fail(`lowScore is ${JSON.stringify(lowScore)}, not a number`);
  }
  if (typeof answer !== 'string') {
    fail(`answer is ${JSON.stringify(answer)}, not a text`);
  }
  const tokens: readonly unknown[] = Array.isArray(inputTokens)
    ? inputTokens
    : fail('inputTokens is not a list');
  const badToken = tokens.findIndex((token) => typeof token !== 'string');
  if (badToken >= 0) {
    fail(`inputTokens[${badToken}] is ${JSON.stringify(tokens[badToken])}, not a text`);
  }
  const problem = scoresProblem(scores, tokens.length) ?? rangeProblem(subjectRange, tokens.length);
  return problem === undefined ? (value as PlottedFlow) : fail(problem);
}

function scoresProblem(scores: unknown, tokenCount: number): string | undefined {
  if (!Array.isArray(scores)) {
    return 'scores is not a list of rows';
  }
  if (scores.length !== tokenCount) {
    return `scores has ${scores.length} rows, but there are ${tokenCount} inputTokens`;
  }
  if (tokenCount === 0) {
    return 'it has no tokens';
  }
  let layerCount: number | undefined;
  for (const [token, row] of (scores as readonly unknown[]).entries()) {
    if (!Array.isArray(row) || row.length === 0) {
      return `scores[${token}] is not a list of numbers`;
    }
    layerCount ??= row.length;
    if (row.length !== layerCount) {
      return `scores[${token}] has ${row.length} layers, but scores[0] has ${layerCount}`;
    }
    const layer = row.findIndex((score) => !isFiniteNumber(score));
    if (layer >= 0) {
      return `scores[${token}][${layer}] is ${String(row[layer])}, not a number`;
    }
  }
  return undefined;
}

function rangeProblem(range: unknown, tokenCount: number): string | undefined {
  const isRange =
    Array.isArray(range) &&
    range.length === 2 &&
    range.every((end) => Number.isInteger(end)) &&
    range[0] >= 0 &&
    range[0] <= range[1] &&
    range[1] <= tokenCount;
  return isRange
    ? undefined
    : `subjectRange is ${JSON.stringify(range)}, not [start, end) within the ${tokenCount} tokens`;
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
