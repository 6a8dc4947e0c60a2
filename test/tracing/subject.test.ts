import { expect } from 'chai';
import { Tokenizer } from '../../src/model/tokenizer.js';
import { findAnswerId } from '../../src/tracing/answer.js';
import { findTokenRange, guessSubject } from '../../src/tracing/subject.js';
import { expectError } from '../support/errors.js';
import { expectations, tokenizerFolder } from '../support/tokenizers.js';

describe('guessSubject', () => {
  for (const { prompt, subject } of expectations.guesses) {
    it(`guesses ${JSON.stringify(subject)} in ${JSON.stringify(prompt)}`, async () => {
      if (subject !== null) expect(guessSubject(prompt)).to.equal(subject);
      else
        await expectError(
          () => guessSubject(prompt),
          'SUBJECT_NOT_GUESSABLE',
          JSON.stringify(prompt),
          'Give the subject',
        );
    });
  }
});

for (const [name, { cases, answers }] of Object.entries(expectations.tokenizers)) {
  describe(`with the ${name} tokenizer`, () => {
    let tokenizer: Tokenizer;
    before(async () => {
      tokenizer = await Tokenizer.load(tokenizerFolder(name));
    });

    for (const { prompt, subject, ids, range } of cases) {
      const found = range === null ? 'nowhere' : `at [${range.join(', ')})`;
      it(`finds ${JSON.stringify(subject)} ${found} in ${JSON.stringify(prompt)}`, async () => {
        if (range !== null) expect(findTokenRange(tokenizer, ids, subject)).to.deep.equal(range);
        else
          await expectError(
            () => findTokenRange(tokenizer, ids, subject),
            'SUBJECT_NOT_FOUND',
            JSON.stringify(subject),
          );
      });
    }

    for (const { text, ids } of answers) {
      it(`takes the answer ${JSON.stringify(text)} for ${ids.length} tokens`, async () => {
        if (ids.length === 1) {
          expect(findAnswerId(tokenizer, text)).to.equal(ids[0]);
          return;
        }
        const named = ids.map((id) => `${JSON.stringify(tokenizer.decodeToken(id))} (id ${id})`).join(', ');
        await expectError(
          () => findAnswerId(tokenizer, text),
          'ANSWER_NOT_ONE_TOKEN',
          `${ids.length} tokens`,
          named,
        );
      });
    }

    it('finds no empty subject', async () => {
      const ids = tokenizer.encode('The tower of Pisa ');
      await expectError(() => findTokenRange(tokenizer, ids, ''), 'SUBJECT_NOT_FOUND', 'The subject ""');
    });

    it('shows the decoded prompt when the subject is not in it', async () => {
      const ids = tokenizer.encode('The tower of Pisa leans');
      await expectError(() => findTokenRange(tokenizer, ids, 'Rome'), 'SUBJECT_NOT_FOUND', '"Rome"', 'Pisa');
    });

    it('refuses a blank answer', async () => {
      await expectError(() => findAnswerId(tokenizer, ''), 'ANSWER_NOT_ONE_TOKEN', 'blank');
    });
  });
}
