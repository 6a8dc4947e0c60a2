import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { numberedFiles, requireWritableFile } from '../../src/cli/output-files.js';
import { withFolder } from '../support/cli.js';
import { expectError } from '../support/errors.js';
import { asOrdinaryUser } from '../support/ordinary-user.js';

describe('output files', () => {
  it('are numbered when there are several', () => {
    expect(numberedFiles('out/a.png', 1)).to.deep.equal(['out/a.png']);
    expect(numberedFiles('out/a.png', 2)).to.deep.equal([
      path.join('out', 'a-1.png'),
      path.join('out', 'a-2.png'),
    ]);
    expect(numberedFiles('{n}/a-{n}.svg', 1)).to.deep.equal(['1/a-1.svg']);
    expect(numberedFiles('{n}.pdf', 10).slice(8)).to.deep.equal(['09.pdf', '10.pdf']);
  });

  it('are checked without leaving anything behind', async () => {
    await withFolder(async (folder) => {
      await requireWritableFile(path.join(folder, 'new', 'deep', 'a.png'), 'picture');
      await writeFile(path.join(folder, 'old.png'), 'kept');
      await requireWritableFile(path.join(folder, 'old.png'), 'picture');
      expect(await readdir(folder)).to.deep.equal(['old.png']);
    });
  });

  it('are refused where they cannot be made', async () => {
    await withFolder(async (folder) => {
      await writeFile(path.join(folder, 'file'), '');
      await mkdir(path.join(folder, 'sub'));
      const refused = async (file: string, ...parts: string[]): Promise<void> => {
        await expectError(
          () => requireWritableFile(path.join(folder, file), 'picture'),
          'OUTPUT_NOT_WRITABLE',
          'picture',
          ...parts,
        );
      };
      await refused('sub', 'a folder, not a file');
      await refused('file/a.png', 'is not a folder');
      await refused('file/b/a.png', 'is not a folder');
    });
  });

  it('are refused in a folder without permission', async function () {
    const tried = await withFolder(async (folder) => {
      await chmod(folder, 0o555);
      const file = path.join(folder, 'new', 'a.png');
      const done = await asOrdinaryUser(async () => {
        await expectError(
          () => requireWritableFile(file, 'picture'),
          'OUTPUT_NOT_WRITABLE',
          file,
          'permission denied',
        );
      });
      await chmod(folder, 0o700);
      return done;
    });
    if (!tried) this.skip();
  });

  it('are refused in a folder of the system', async function () {
    if (process.platform !== 'linux') this.skip();
    await expectError(
      () => requireWritableFile('/proc/causal-tracer/a.png', 'picture'),
      'OUTPUT_NOT_WRITABLE',
      '/proc',
    );
  });
});
