import { tokenLabel } from '../plotting/token-labels.js';
import type { HiddenFlow } from '../tracing/hidden-flow.js';

/** One cell of a flow's scores. */
export interface Cell {
  readonly token: number;
  readonly layer: number;
  readonly score: number;
}

/** The cell with the highest score among the tokens `[start, end)`; the first of equal ones. */
export function bestCell({ scores }: HiddenFlow, tokens?: readonly [number, number]): Cell {
  const [start, end] = tokens ?? [0, scores.length];
  let best: Cell = { token: start, layer: 0, score: -Infinity };
  for (const [i, row] of scores.slice(start, end).entries()) {
    for (const [layer, score] of row.entries()) {
      if (score > best.score) best = { token: start + i, layer, score };
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

/** One line: the answer, its clean and corrupted probability, and the best cell, which is often trivial outside the subject. */
export function summarize(flow: HiddenFlow): string {
  const best = bestCell(flow);
  const atSubject = bestCell(flow, flow.subjectRange);
  const place = ({ token, layer }: Cell): string =>
    `token ${token} (${markedToken(flow, token)}), layer ${layer}`;
  return (
    `p(${answerLabel(flow)}): ${formatProbability(flow.highScore)} clean, ${formatProbability(flow.lowScore)} corrupted; ` +
    `highest ${formatProbability(best.score)}, restored at ${place(best)}` +
    (best.token === atSubject.token
      ? ''
      : `; at the subject ${formatProbability(atSubject.score)}, ${place(atSubject)}`)
  );
}

/** The corrupted run still gives the answer this share of its clean probability: there is next to nothing to restore. */
const WEAK_CORRUPTION = 0.9;

/** What to say of a flow whose noise did not take the answer away, so that its map shows next to nothing; null for others. */
export function describeWeakCorruption(flow: HiddenFlow): string | null {
  const { lowScore, highScore, provenance } = flow;
  if (lowScore < WEAK_CORRUPTION * highScore) return null;
  return (
    `Corrupting the subject ${JSON.stringify(provenance.subject)} hardly lowers p(${answerLabel(flow)}): ` +
    `${formatProbability(lowScore)}, clean ${formatProbability(highScore)}. The map says little about the answer; ` +
    'name another subject (--subject) or more noise (--noise).'
  );
}
