import { expect } from 'chai';
import { loadAddon } from '../../src/native/addon.js';
import { readGolden } from './golden.js';

/** What mathematical libraries of different systems may differ by in a logarithm: two units in the last place. */
const ROUNDING = 2 ** -51;

describe("standard normal numbers equal those of numpy's RandomState", () => {
  const { cases } = readGolden('random-state');
  for (const seed of new Set(cases.map((golden) => golden.seed))) {
    it(`seed ${seed}`, () => {
      const { addon } = loadAddon();
      for (const golden of cases.filter((candidate) => candidate.seed === seed)) {
        const found = new Float64Array(golden.count);
        addon.standardNormal(seed, found);
        const shown = golden.first.length;
        const pairs = [
          ...golden.first.map((text, i) => [found[i]!, Number(text)] as const),
          ...golden.last.map((text, i) => [found[golden.count - shown + i]!, Number(text)] as const),
        ];
        for (const [number, expected] of pairs) {
          expect(Math.abs(number - expected)).to.be.at.most(ROUNDING * Math.abs(expected));
        }
        const sum = found.reduce((total, value) => total + value, 0);
        expect(Math.abs(sum - Number(golden.sum))).to.be.below(1e-12 * golden.count);
      }
    });
  }
});
