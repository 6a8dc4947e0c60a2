import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { Tokenizer, type TokenizerExample } from '../../src/model/tokenizer.js';
import { Comparison } from '../parity/comparison.js';
import { conformanceFolder, runConformanceScript } from './conformance-models.js';

const LEAST_TEXTS = 300;
/** A byte order mark is a space for JavaScript, but not for Python, where a token takes the spaces behind it. */
const BYTE_ORDER_MARK_AFTER_TOKEN = /<\|(user|both)\|>\s*\ufeff/;
const folder = path.join(conformanceFolder, 'tokenizers');
const problem = await runConformanceScript('make_tokenizers.py', ['--out', folder]);
const shapes =
  problem === ''
    ? (JSON.parse(readFileSync(path.join(folder, 'index.json'), 'utf8')) as { shapes: string[] }).shapes
    : [];

describe("texts become the tokens that Python's tokenizer gives", () => {
  it('the tokenizers of the conformance suite can be made', () => {
    expect(problem).to.equal('');
  });

  for (const shape of shapes) {
    it(shape, async () => {
      const examples = readExamples(shape);
      expect(examples).to.have.length.of.at.least(LEAST_TEXTS);
      const tokenizer = await Tokenizer.load(path.join(folder, shape));
      const comparison = new Comparison();
      for (const { text, ids, tokens } of examples) {
        if (shape === 'added-tokens' && BYTE_ORDER_MARK_AFTER_TOKEN.test(text)) continue;
        comparison.equal(`ids of ${JSON.stringify(text)}`, tokenizer.encode(text), ids);
        comparison.equal(`tokens of ${JSON.stringify(text)}`, tokenizer.decodeTokens(ids), tokens);
      }
      comparison.requireNone();
    });
  }

  it('except for a byte order mark behind a token that takes the spaces behind it', async () => {
    const examples = readExamples('added-tokens').filter(({ text }) =>
      BYTE_ORDER_MARK_AFTER_TOKEN.test(text),
    );
    expect(examples).to.have.length.of.at.least(1);
    const tokenizer = await Tokenizer.load(path.join(folder, 'added-tokens'));
    for (const { text, ids } of examples) {
      expect(tokenizer.encode(text)).to.not.deep.equal(ids);
      expect(tokenizer.encode(text)).to.deep.equal(
        tokenizer.encode(text.replace(BYTE_ORDER_MARK_AFTER_TOKEN, '<|$1|>')),
      );
    }
  });
});

function readExamples(shape: string): TokenizerExample[] {
  return JSON.parse(readFileSync(path.join(folder, `${shape}.json`), 'utf8')) as TokenizerExample[];
}
