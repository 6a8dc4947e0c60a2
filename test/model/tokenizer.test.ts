import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { Tokenizer } from '../../src/model/tokenizer.js';
import { expectError } from '../support/errors.js';
import { expectations, tokenizerFolder } from '../support/tokenizers.js';

describe('Tokenizer', () => {
  for (const [name, expected] of Object.entries(expectations.tokenizers)) {
    describe(`of the type ${name}`, () => {
      let tokenizer: Tokenizer;
      before(async () => {
        tokenizer = await Tokenizer.load(tokenizerFolder(name));
      });

      it('encodes prompts to the ids that Python gives', () => {
        for (const { prompt, ids } of expected.cases) {
          expect(tokenizer.encode(prompt), JSON.stringify(prompt)).to.deep.equal(ids);
        }
      });

      it('decodes every id of the vocabulary by itself as Python does', () => {
        const ids = expected.vocabulary.map((_, id) => id);
        expect(tokenizer.decodeTokens(ids)).to.deep.equal(expected.vocabulary);
      });

      it('knows its BOS token and where its vocabulary ends', () => {
        expect(tokenizer.bosToken).to.equal(expected.bosToken);
        expect(tokenizer.vocabularyEnd).to.equal(expected.vocabulary.length);
      });
    });
  }

  it('decodes an id without a token to nothing', async () => {
    const tokenizer = await Tokenizer.load(tokenizerFolder('metaspace'));
    expect(tokenizer.decodeToken(100_000)).to.equal('');
  });

  it('leaves spaces before punctuation alone, unless the tokenizer is told to take them out and is no BPE', () => {
    const config = { clean_up_tokenization_spaces: true };
    const bpe = { ...minimal(), model: { type: 'BPE', vocab: { ' ,': 0 }, merges: [] } };
    const wordPiece = {
      ...minimal(),
      model: { type: 'WordPiece', vocab: { ' ,': 0 }, unk_token: ' ,', continuing_subword_prefix: '##' },
    };
    expect(new Tokenizer(bpe, config).decodeToken(0)).to.equal(' ,');
    expect(new Tokenizer(wordPiece).decodeToken(0)).to.equal(' ,');
    expect(new Tokenizer(wordPiece, config).decodeToken(0)).to.equal(',');
  });

  it('takes BOS from special_tokens_map.json where only that has it, also when it is an object', () => {
    expect(new Tokenizer(minimal(), { bos_token: { content: '<s>' } }).bosToken).to.equal('<s>');
    expect(new Tokenizer(minimal(), {}).bosToken).to.equal(null);
  });

  it('accepts the examples of its own export and refuses others, showing both', async () => {
    const expected = expectations.tokenizers['llama'];
    const tokenizer = await Tokenizer.load(tokenizerFolder('llama'));
    const examples = (expected?.cases ?? []).map(({ prompt, ids, tokens }) => ({
      text: prompt,
      ids,
      tokens,
    }));
    tokenizer.requireEqual(examples);
    const other = await Tokenizer.load(tokenizerFolder('byte-level'));
    await expectError(
      () => other.requireEqual(examples),
      'TOKENIZER_MISMATCH',
      'The Eiffel Tower',
      'expected [1 "<s>"',
    );
    const changed = examples.map((example, i) => (i === 3 ? { ...example, tokens: ['other'] } : example));
    await expectError(() => tokenizer.requireEqual(changed), 'TOKENIZER_MISMATCH', '"other"');
  });

  it('refuses a vocabulary larger than that of the model', async () => {
    const tokenizer = await Tokenizer.load(tokenizerFolder('byte-level'));
    tokenizer.requireFits(500);
    await expectError(() => tokenizer.requireFits(499), 'TOKENIZER_MISMATCH', 'up to 499', 'only 499 tokens');
  });

  describe('with damaged files', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'tokenizer-'));
    });
    afterEach(() => rm(folder, { recursive: true }));

    it('names a missing tokenizer.json', async () => {
      await expectError(
        () => Tokenizer.load(folder),
        'TOKENIZER_INVALID',
        path.join(folder, 'tokenizer.json'),
        'export',
      );
    });

    it('names a file that is not JSON, or no object', async () => {
      const file = path.join(folder, 'tokenizer.json');
      await writeFile(file, '{"model":');
      await expectError(() => Tokenizer.load(file), 'TOKENIZER_INVALID', file, 'not valid JSON');
      await writeFile(file, '[]');
      await expectError(() => Tokenizer.load(file), 'TOKENIZER_INVALID', 'holds no object');
    });

    it('names what is missing or unknown inside', async () => {
      const file = path.join(folder, 'tokenizer.json');
      await writeFile(file, '{}');
      await expectError(() => Tokenizer.load(file), 'TOKENIZER_INVALID', file, '"model"');
      await writeFile(file, JSON.stringify({ ...minimal(), model: { type: 'Other' } }));
      await expectError(() => Tokenizer.load(file), 'TOKENIZER_INVALID', 'Other');
    });
  });
});

function minimal(): Record<string, unknown> {
  return {
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: { type: 'BPE', vocab: { a: 0 }, merges: [] },
  };
}
