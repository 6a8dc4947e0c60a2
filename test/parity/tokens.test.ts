import { CausalTracerError, findTokenRange, guessSubject, Tokenizer } from '../../src/index.js';
import { Comparison } from './comparison.js';
import { FLOW_MODELS, goldenModelFolder, readGolden } from './golden.js';

/** What `attempt` gives, or null where it fails with `code`. */
function orNull<Result>(code: string, attempt: () => Result): Result | null {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof CausalTracerError && error.code === code) return null;
    throw error;
  }
}

for (const model of FLOW_MODELS) {
  describe(`tokens of ${model} equal those of the Python package`, () => {
    const golden = readGolden('tokens', model);
    let tokenizer: Tokenizer;
    before(async () => {
      tokenizer = await Tokenizer.load(goldenModelFolder(model));
    });

    it(`ids and tokens of ${golden.texts.length} texts`, () => {
      const comparison = new Comparison();
      for (const { text, ids, tokens } of golden.texts) {
        comparison.equal(`ids of ${JSON.stringify(text)}`, tokenizer.encode(text), ids);
        comparison.equal(`tokens of ${JSON.stringify(text)}`, tokenizer.decodeTokens(ids), tokens);
      }
      comparison.requireNone();
    });

    it(`ranges of ${golden.ranges.length} subjects`, () => {
      const comparison = new Comparison();
      for (const { prompt, subject, range } of golden.ranges) {
        const ids = tokenizer.encode(prompt);
        const found = orNull('SUBJECT_NOT_FOUND', () => findTokenRange(tokenizer, ids, subject));
        comparison.equal(`range of ${JSON.stringify(subject)} in ${JSON.stringify(prompt)}`, found, range);
      }
      comparison.requireNone();
    });
  });
}

it('guessed subjects equal those of the Python package', () => {
  const comparison = new Comparison();
  for (const { prompt, guess } of readGolden('guesses').guesses) {
    const found = orNull('SUBJECT_NOT_GUESSABLE', () => guessSubject(prompt));
    comparison.equal(JSON.stringify(prompt), found, guess);
  }
  comparison.requireNone();
});
