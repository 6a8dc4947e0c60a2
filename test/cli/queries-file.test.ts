import { expect } from 'chai';
import { parseQueries, readQueries } from '../../src/cli/queries-file.js';
import { expectError } from '../support/errors.js';

describe('a queries file', () => {
  it('has a query a line, under either name of a field', () => {
    const content = [
      '{"prompt": "The Louvre is in", "subject": "Louvre", "answer": "Paris"}',
      '',
      '{"text": "Rome is", "answerId": 5}\r',
      '{"prompt": "Rome is", "overrideAnswerId": 6, "subject": null}',
    ].join('\n');
    expect(parseQueries(`\uFEFF${content}\n`, 'facts.jsonl')).to.deep.equal([
      {
        place: 'facts.jsonl, line 1',
        text: 'The Louvre is in',
        subject: 'Louvre',
        answer: 'Paris',
        answerId: undefined,
      },
      { place: 'facts.jsonl, line 3', text: 'Rome is', subject: undefined, answer: undefined, answerId: 5 },
      { place: 'facts.jsonl, line 4', text: 'Rome is', subject: undefined, answer: undefined, answerId: 6 },
    ]);
  });

  const bad: readonly (readonly [line: string, ...parts: string[]])[] = [
    ['{"prompt": ', 'not JSON'],
    ['["The"]', 'must be an object', '["The"]'],
    ['{"subject": "x"}', 'the prompt must be text, not missing'],
    ['{"prompt": 3}', 'the prompt must be text, not 3'],
    ['{"prompt": "x", "subject": ["x"]}', 'the subject must be text'],
    ['{"prompt": "x", "subjct": "x"}', 'no field "subjct"', 'did you mean "subject"?'],
    ['{"prompt": "x", "text": "x"}', 'prompt and text mean the same'],
    ['{"prompt": "x", "answerId": 1.5}', 'the answer id must be a whole number, not 1.5'],
    ['{"prompt": "x", "answerId": "5"}', 'the answer id must be a whole number, not "5"'],
    ['{"prompt": "x", "answerId": 1, "answer": "y"}', 'give one of them'],
    ['{"prompt": "x", "answerId": 1, "overrideAnswerId": 1}', 'mean the same'],
  ];
  for (const [line, ...parts] of bad) {
    it(`is refused with the line's number: ${line}`, async () => {
      await expectError(
        () => parseQueries(`{"prompt": "x"}\n${line}\n`, 'facts.jsonl'),
        'QUERIES_FILE_INVALID',
        'facts.jsonl, line 2',
        ...parts,
      );
    });
  }

  it('must have a query, and be there', async () => {
    await expectError(() => parseQueries('\n \n', 'facts.jsonl'), 'QUERIES_FILE_INVALID', 'has no queries');
    await expectError(
      () => readQueries('no/such.jsonl'),
      'QUERIES_FILE_INVALID',
      'no/such.jsonl',
      'no such file',
    );
  });
});
