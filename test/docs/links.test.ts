import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { projectRoot } from '../../scripts/setup/paths.mjs';
import { anchorOf, headings, linkTargets, listPages, readPage, type Page } from './pages.js';

const OTHER_PAGES = [
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'examples/README.md',
  'models/README.md',
];

/** What is wrong with the links of a page to files of the project. */
function brokenLinks(page: Page): string[] {
  return linkTargets(page)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [file = '', anchor] = target.split('#');
      const name = file === '' ? page.name : path.posix.join(path.posix.dirname(page.name), file);
      if (!existsSync(path.join(projectRoot, name))) return true;
      return (
        anchor !== undefined && !headings(readPage(name)).some((heading) => anchorOf(heading) === anchor)
      );
    });
}

describe('the links in the documentation', () => {
  for (const page of [...listPages(), ...OTHER_PAGES.map(readPage)]) {
    it(`lead somewhere: ${page.name}`, () => {
      expect(brokenLinks(page)).to.deep.equal([]);
    });
  }

  it('of the index name every page', () => {
    const linked = linkTargets(readPage('docs/README.md')).map((target) => `docs/${target}`);
    const pages = listPages().map(({ name }) => name);
    const missing = pages.filter((name) => name.startsWith('docs/') && !linked.includes(name));
    expect(missing, 'pages that docs/README.md does not link to').to.deep.equal(['docs/README.md']);
  });
});
