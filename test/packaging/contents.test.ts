import { expect } from 'chai';
import { compareContents } from '../../scripts/packaging/contents.mjs';

const list = `
# Code
dist/*.js
models/**/model.pt
package.json
`;

describe('the contents of a package', () => {
  it('are those of its list', () => {
    const files = ['dist/index.js', 'models/a/model.pt', 'models/b/c/model.pt', 'package.json'];
    expect(compareContents(files, list)).to.deep.equal({ unexpected: [], absent: [] });
  });

  it('differ from it by a file that no line allows, and by a line that no file is there for', () => {
    const files = ['dist/cli/main.js', 'dist/index.js', 'dist/indexXjs', 'xpackage.json', 'models/model.pt'];
    expect(compareContents(files, list)).to.deep.equal({
      unexpected: ['dist/cli/main.js', 'dist/indexXjs', 'xpackage.json'],
      absent: ['package.json'],
    });
  });
});
