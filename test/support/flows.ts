import { expect } from 'chai';
import type { HiddenFlow } from '../../src/index.js';

/** Asserts that two traces of the same found the same, up to float rounding. */
export function requireEqualScores(a: HiddenFlow, b: HiddenFlow): void {
  expect(a.answerId).to.equal(b.answerId);
  for (const [token, row] of a.scores.entries()) {
    for (const [layer, score] of row.entries()) {
      expect(score, `${token}, ${layer}`).to.be.closeTo(b.scores[token]![layer]!, 1e-6);
    }
  }
  expect(a.lowScore).to.be.closeTo(b.lowScore, 1e-6);
  expect(a.highScore).to.be.closeTo(b.highScore, 1e-6);
}
