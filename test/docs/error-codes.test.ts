import { expect } from 'chai';
import { ERROR_CODES } from '../../src/errors.js';
import { headings, readPage } from './pages.js';

const PAGE = 'docs/troubleshooting.md';

describe('the error codes in the documentation', () => {
  it('are those of src/errors.ts, one section each', () => {
    const documented = headings(readPage(PAGE)).flatMap((heading) => /^[A-Z_]+$/.exec(heading)?.[0] ?? []);
    const codes: readonly string[] = ERROR_CODES;
    const missing = codes.filter((code) => !documented.includes(code));
    const unknown = documented.filter((code) => !codes.includes(code));
    expect(missing, `codes without a section "### CODE" in ${PAGE}`).to.deep.equal([]);
    expect(unknown, `sections of ${PAGE} about codes that src/errors.ts does not have`).to.deep.equal([]);
    expect(documented, 'sections').to.have.length(codes.length);
  });
});
