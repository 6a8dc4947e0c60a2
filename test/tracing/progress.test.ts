import { expect } from 'chai';
import { ProgressSum } from '../../src/tracing/progress.js';

describe('ProgressSum', () => {
  it('adds up parts in rows, only rising, and ends at the total', () => {
    const seen: number[] = [];
    const progress = new ProgressSum([10, 5], ({ done, total }) => {
      expect(total).to.equal(15);
      seen.push(done);
    });
    const first = progress.part(0);
    for (const done of [1, 1, 4, 20]) first(done, 20);
    progress.end(0);
    const second = progress.part(1);
    for (const done of [50, 100]) second(done, 100);
    progress.end(1);
    expect(seen).to.deep.equal([0, 2, 9, 10, 12, 14, 15]);
  });
});
