import { expect } from 'chai';
import { laterOf } from '../../scripts/packaging/glibc.mjs';

describe('versions of glibc', () => {
  it('are compared by number', () => {
    expect(laterOf('2.4', '2.28')).to.equal('2.28');
    expect(laterOf('2.34', '2.28')).to.equal('2.34');
    expect(laterOf('2.2.5', '2.2')).to.equal('2.2.5');
  });
});
