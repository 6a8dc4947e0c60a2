import { expect } from 'chai';
import { vectorAt } from '../../src/model/tensor.js';
import { expectError } from '../support/errors.js';

describe('vectorAt', () => {
  const tensor = { data: Float32Array.from({ length: 24 }, (_, i) => i), shape: [2, 3, 4] };

  it('is the part at the given numbers, counted from the end if negative', () => {
    expect([...vectorAt(tensor, 1, 0)]).to.deep.equal([12, 13, 14, 15]);
    expect([...vectorAt(tensor, 0, -1)]).to.deep.equal([8, 9, 10, 11]);
    expect([...vectorAt(tensor, -1, -1, -1)]).to.deep.equal([23]);
    expect(vectorAt(tensor, 1)).to.have.length(12);
  });

  it('is a view', () => {
    expect(vectorAt(tensor, 1).buffer).to.equal(tensor.data.buffer);
  });

  it('refuses numbers outside the shape', async () => {
    for (const index of [[2], [0, -4], [0, 0, 0, 0], [0.5]]) {
      await expectError(
        async () => Promise.resolve(vectorAt(tensor, ...index)),
        'INVALID_OPTION',
        '[2, 3, 4]',
      );
    }
  });
});
