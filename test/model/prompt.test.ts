import { expect } from 'chai';
import { Tokenizer } from '../../src/model/tokenizer.js';
import { encodePrompt, type PromptLimits } from '../../src/model/prompt.js';
import { expectError } from '../support/errors.js';
import { tokenizerFolder } from '../support/tokenizers.js';

describe('encodePrompt', () => {
  let limits: PromptLimits & { readonly tokenizer: Tokenizer };
  before(async () => {
    const tokenizer = await Tokenizer.load(tokenizerFolder('llama'));
    limits = { tokenizer, vocabularySize: 600, maximumPositions: 8 };
  });

  it('counts BOS among the tokens', () => {
    const { ids, tokens, text } = encodePrompt('Paris is', limits);
    expect(text).to.equal('Paris is');
    expect(tokens).to.deep.equal(['<s>', 'Paris', 'is']);
    expect(ids).to.deep.equal(limits.tokenizer.encode('Paris is'));
  });

  it('refuses a prompt of special tokens alone', async () => {
    await expectError(() => encodePrompt('', limits), 'EMPTY_PROMPT', 'Give some text');
  });

  it('takes a prompt as long as the positions, and none longer', async () => {
    const fitting = 'Paris is is is is is is';
    expect(encodePrompt(fitting, limits).ids).to.have.length(8);
    await expectError(
      () => encodePrompt(`${fitting} is`, limits),
      'PROMPT_TOO_LONG',
      '9 tokens',
      'only 8 positions',
    );
    expect(encodePrompt(`${fitting} is`, { ...limits, maximumPositions: null }).ids).to.have.length(9);
  });

  it('refuses a token that the model does not know', async () => {
    const [, id] = limits.tokenizer.encode('Paris');
    const small = { ...limits, vocabularySize: id! };
    await expectError(
      () => encodePrompt('Paris', small),
      'TOKENIZER_MISMATCH',
      `${id!}`,
      '"Paris"',
      `${id! - 1}`,
    );
  });
});
