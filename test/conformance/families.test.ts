import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import {
  formatFamilies,
  formatFamily,
  formatRefusal,
  tableCommand,
  type FamilyResult,
} from '../../scripts/conformance/families-table.mjs';
import { formatMarkdown } from '../../scripts/conformance/format-markdown.mjs';
import { projectRoot } from '../../scripts/setup/paths.mjs';
import { isQuick } from '../../scripts/setup/quick.mjs';
import { CausalTracer, type LayerKind } from '../../src/index.js';
import { Comparison } from '../parity/comparison.js';
import {
  conformanceFolder,
  conformanceModelFolder,
  makeConformanceModels,
  readRecord,
  type ConformanceFamily,
} from './conformance-models.js';

const KINDS: readonly LayerKind[] = ['hidden', 'mlp', 'attention'];
/** How many families must work, and on the incremental engine. */
const LEAST_WORKING = 45;
const LEAST_INCREMENTAL = 40;

const { families, problem } = await makeConformanceModels();
const exported = families.filter(({ refused }) => !refused);
const refused = families.filter((family) => family.refused);
const results = new Map<string, FamilyResult>();
const total = new Comparison();

it('the models of the conformance suite can be made', () => {
  expect(problem).to.equal('');
});

describe('families equal the Python package', () => {
  for (const family of exported) it(family.name, () => checkFamily(family));

  after(() => {
    process.stdout.write(`    Largest difference of scores: ${total.scores.toString()}\n`);
  });
});

describe('families that cannot be traced are refused', () => {
  for (const family of refused) {
    it(family.name, () => {
      const { refusal } = readRecord(family);
      expect(refusal?.code).to.equal('EXPORT_FAILED');
      expect(refusal?.message).to.match(/recurrence over positions|rotary scaling/);
      results.set(family.name, { ...noResult(family), refusal: refusal?.message ?? '' });
    });
  }
});

describe('the table of families', () => {
  it(`has at least ${LEAST_WORKING} that work, ${LEAST_INCREMENTAL} of them on the incremental engine`, function () {
    if (isQuick()) this.skip();
    const working = [...results.values()].filter(({ works }) => works);
    const incremental = working.filter(({ engines }) => engines.every((engine) => engine === 'incremental'));
    expect(working.length).to.be.at.least(LEAST_WORKING);
    expect(incremental.length).to.be.at.least(LEAST_INCREMENTAL);
  });

  it('in docs/families.md is what this suite finds', async () => {
    const found = families.map(({ name }) => results.get(name)!);
    if (!isQuick())
      writeFileSync(path.join(conformanceFolder, 'record.json'), JSON.stringify(found, null, 1));
    const committed = readFileSync(path.join(projectRoot, 'docs', 'families.md'), 'utf8');
    if (isQuick()) {
      const rows = committed.split('\n').map(withoutSpacing);
      for (const result of found) {
        const row = result.refusal === '' ? formatFamily(result) : formatRefusal(result);
        expect(rows).to.include(withoutSpacing(row));
      }
      return;
    }
    const fresh = await formatMarkdown(formatFamilies(found));
    expect(committed, `docs/families.md is out of date; run: ${tableCommand}`).to.equal(fresh);
  });
});

/** Compares every flow of one family, and records what is found. */
async function checkFamily(family: ConformanceFamily): Promise<void> {
  const { flows = [] } = readRecord(family);
  results.set(family.name, noResult(family));
  using tracer = await CausalTracer.load(conformanceModelFolder(family), { threads: 1 });
  const choices = KINDS.map((kind) => tracer.engines.get(kind));
  const result: FamilyResult = {
    ...noResult(family),
    attention: tracer.model.manifest?.attentionImplementation ?? '',
    engines: choices.map((choice) => choice?.engine ?? ''),
    reasons: choices.map((choice) => choice?.reason ?? ''),
  };
  results.set(family.name, result);
  expect(flows).to.have.length(12);
  const comparison = new Comparison();
  for (const { prompt, options, inputIds, subjectRange, answer, lowScore, highScore, scores } of flows) {
    const found = await tracer.calculateHiddenFlow(prompt, options);
    const what = `${options.kind}, window ${options.window}, ${JSON.stringify(prompt)}`;
    comparison.equal(`ids of ${what}`, found.inputIds, inputIds);
    comparison.equal(`subject of ${what}`, found.subjectRange, subjectRange);
    comparison.equal(`answer of ${what}`, found.answer, answer);
    comparison.equal(
      `engine of ${what}`,
      found.provenance.engine,
      result.engines[KINDS.indexOf(options.kind)],
    );
    comparison.score(`lowScore of ${what}`, found.lowScore, lowScore);
    comparison.score(`highScore of ${what}`, found.highScore, highScore);
    comparison.scoreRows(`scores of ${what}`, found.scores, scores);
  }
  total.include(comparison, family.name);
  comparison.requireNone();
  results.set(family.name, { ...result, works: true });
}

function noResult({ name, special }: ConformanceFamily): FamilyResult {
  return { name, special, works: false, attention: '', engines: [], reasons: [], refusal: '' };
}

/** A table row without what Prettier adds to align the columns. */
function withoutSpacing(row: string): string {
  return row.replace(/ +/g, ' ');
}
