import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { LIBTORCH_VERSION, libtorchLibrary } from '../../src/native/libtorch.js';
import { runCli, withFolder } from '../support/cli.js';
import { modelFolder } from '../support/models.js';

const project = fileURLToPath(new URL('../..', import.meta.url));
const parameters = ['inspect', modelFolder('tiny-gpt2')];

/** What opening a model says, with status 1, where `CAUSAL_TRACER_LIBTORCH` is `libtorch`. */
async function failureWith(libtorch: string): Promise<string> {
  const { code, stdout, stderr } = await runCli(parameters, { env: { CAUSAL_TRACER_LIBTORCH: libtorch } });
  expect([code, stdout], stderr).to.deep.equal([1, '']);
  return stderr;
}

describe('the addon is not opened without', () => {
  it('libtorch', async () => {
    await withFolder(async (folder) => {
      const nowhere = path.join(folder, 'nowhere');
      const message = await failureWith(nowhere);
      expect(message).to.match(/^error \[LIBTORCH_NOT_FOUND\]: /);
      expect(message).to.include(`No usable libtorch ${LIBTORCH_VERSION} was found`);
      expect(message).to.include(`${nowhere}: the folder does not exist`);
      expect(message).to.include('"npm run setup"').and.to.include('CAUSAL_TRACER_LIBTORCH');
    });
  });

  it('libtorch of its version', async () => {
    await withFolder(async (folder) => {
      await mkdir(path.join(folder, 'lib'));
      await writeFile(libtorchLibrary(folder), '');
      await writeFile(path.join(folder, 'version.py'), "__version__ = '2.12.1+cpu'\n");
      const message = await failureWith(folder);
      expect(message).to.match(/^error \[LIBTORCH_VERSION_MISMATCH\]: /);
      expect(message).to.include(`${folder}: version 2.12.1+cpu, but ${LIBTORCH_VERSION} is needed`);
      expect(message).to.include('"npm run setup"');
    });
  });

  it('a libtorch that is a library', async () => {
    await withFolder(async (folder) => {
      await mkdir(path.join(folder, 'lib'));
      await writeFile(libtorchLibrary(folder), 'cut off');
      await writeFile(path.join(folder, 'version.py'), `__version__ = '${LIBTORCH_VERSION}'\n`);
      const message = await failureWith(folder);
      expect(message).to.match(/^error \[LIBTORCH_NOT_FOUND\]: /);
      expect(message).to.include(`${libtorchLibrary(folder)} cannot be opened`);
      expect(message).to.include('"npm run setup"');
    });
  });

  it('having been built', async () => {
    await withFolder(async (folder) => {
      await cp(path.join(project, 'src'), path.join(folder, 'src'), { recursive: true });
      await cp(path.join(project, 'package.json'), path.join(folder, 'package.json'));
      await symlink(path.join(project, 'node_modules'), path.join(folder, 'node_modules'), 'junction');
      const main = path.join(folder, 'src', 'cli', 'main.ts');
      const { code, stdout, stderr } = await runCli(parameters, { main });
      expect([code, stdout], stderr).to.deep.equal([1, '']);
      expect(stderr).to.match(/^error \[ADDON_NOT_FOUND\]: /);
      expect(stderr)
        .to.include(path.join(folder, 'build', 'Release'))
        .and.to.include('"npm run setup"');
    });
  });
});
