import type { HiddenFlow } from '../../src/index.js';
import type { Comparison } from './comparison.js';
import type { GoldenOutcome, GoldenResult } from './golden.js';

/** Compares scores, answer and subject range. */
export function compareOutcome(comparison: Comparison, flow: HiddenFlow, golden: GoldenOutcome): void {
  comparison.equal('subjectRange', flow.subjectRange, golden.subjectRange);
  comparison.equal('answer', flow.answer, golden.answer);
  comparison.score('lowScore', flow.lowScore, golden.lowScore);
  comparison.score('highScore', flow.highScore, golden.highScore);
  comparison.scoreRows('scores', flow.scores, golden.scores);
}

/** Compares everything that a golden flow holds. */
export function compareFlow(comparison: Comparison, flow: HiddenFlow, golden: GoldenResult): void {
  comparison.equal('inputIds', flow.inputIds, golden.inputIds);
  comparison.equal('inputTokens', flow.inputTokens, golden.inputTokens);
  comparison.equal('answerId', flow.answerId, golden.answerId);
  compareOutcome(comparison, flow, golden);
  const found = flow.layerOutputs;
  comparison.equal('layers', Object.keys(found ?? {}), Object.keys(golden.layerOutputs ?? {}));
  for (const [module, tensor] of Object.entries(golden.layerOutputs ?? {})) {
    const rows = found?.[module] ?? [];
    comparison.tensor(module, { data: rows.flat(), shape: [rows.length, rows[0]?.length ?? 0] }, tensor);
  }
}

/** Cells outside the layers and tokens asked for; they hold exactly the low score. */
export function requireSkippedCells(
  flow: HiddenFlow,
  {
    startLayer,
    endLayer,
    tokens,
  }: { startLayer: number; endLayer: number; tokens: readonly [number, number] },
): number {
  let skipped = 0;
  flow.scores.forEach((row, token) => {
    row.forEach((score, layer) => {
      if (layer >= startLayer && layer < endLayer && token >= tokens[0] && token < tokens[1]) return;
      skipped += 1;
      if (score === flow.lowScore) return;
      throw new Error(
        `The skipped cell [${token}][${layer}] holds ${score}, not the low score ${flow.lowScore}.`,
      );
    });
  });
  return skipped;
}
