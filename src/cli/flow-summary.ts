import { tokenLabel } from '../plotting/token-labels.js';
import type { HiddenFlow } from '../tracing/hidden-flow.js';

/** One cell of a flow's scores. */
export interface Cell {
  readonly token: number;
  readonly layer: number;
  readonly score: number;
}

/** The cell with the highest score; the first of equal ones. */
export function bestCell({ scores }: HiddenFlow): Cell {
  let best: Cell = { token: 0, layer: 0, score: -Infinity };
  for (const [token, row] of scores.entries()) {
    for (const [layer, score] of row.entries()) {
      if (score > best.score) best = { token, layer, score };
    }
  }
  return best;
}

/** A token of a flow as it is shown, with `*` if it belongs to the subject. */
export function markedToken({ inputTokens, subjectRange: [start, end] }: HiddenFlow, token: number): string {
  return tokenLabel(inputTokens[token] ?? '') + (token >= start && token < end ? '*' : '');
}

/** An answer as it is shown: without the spaces around it, unless there is nothing else. */
export function answerLabel({ answer }: HiddenFlow): string {
  return tokenLabel(answer.trim() === '' ? answer : answer.trim());
}

/** A probability with three decimals, or two significant digits where those would be zeros. */
export function formatProbability(probability: number): string {
  return probability === 0 || probability >= 0.001 ? probability.toFixed(3) : probability.toExponential(1);
}

/** One line: the answer, its clean and corrupted probability, and the best cell. */
export function summarize(flow: HiddenFlow): string {
  const { token, layer, score } = bestCell(flow);
  return (
    `p(${answerLabel(flow)}): ${formatProbability(flow.highScore)} clean, ${formatProbability(flow.lowScore)} corrupted; ` +
    `highest ${formatProbability(score)}, restored at token ${token} (${markedToken(flow, token)}), layer ${layer}`
  );
}
