import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { listPythons, requirePython, searchPython } from '../../src/cli/python.js';
import { withFolder } from '../support/cli.js';
import { expectError } from '../support/errors.js';
import { writeFakePython } from '../support/fake-python.js';

describe('the Python that runs the exporter', () => {
  it('is the one that the user names', () => {
    const env = { CAUSAL_TRACER_PYTHON: '/env/python', VIRTUAL_ENV: '/venv' };
    expect(listPythons('mine', env)).to.deep.equal([{ command: 'mine', source: '--python' }]);
    expect(listPythons(undefined, env)).to.deep.equal([
      { command: '/env/python', source: 'CAUSAL_TRACER_PYTHON' },
    ]);
  });

  it('is looked for in virtual environments, then on the path', () => {
    const found = listPythons(undefined, { VIRTUAL_ENV: '/venv' }).map(({ source }) => source);
    expect(found.slice(-3)).to.deep.equal(['VIRTUAL_ENV', 'PATH', 'PATH']);
  });

  it('is the first that has what the exporter needs', async function () {
    if (process.platform === 'win32') this.skip();
    await withFolder(async (folder) => {
      const candidates = [];
      for (const [i, fake] of [
        { torch: null },
        { torch: '2.5.1' },
        { transformers: '4.40.0', torch: null },
        { version: '3.9.2' },
        {},
      ].entries()) {
        const own = path.join(folder, String(i));
        await mkdir(own);
        candidates.push({ command: await writeFakePython(own, fake), source: 'PATH' as const });
      }
      await writeFile(path.join(folder, 'text'), 'no program');
      const odd = ['no-such-python', process.execPath, path.join(folder, 'text')];
      const all = [...odd.map((command) => ({ command, source: 'PATH' as const })), ...candidates];
      const { chosen, rejected } = await searchPython(all);
      expect(chosen).to.deep.include({ ...candidates[4], version: '3.12.1', torch: '2.13.0+cpu' });
      expect(rejected.map(({ reason }) => reason.replace(/ \(exit.*/, ''))).to.deep.equal([
        'not found',
        'it does not work',
        `spawn ${folder}/text EACCES`,
        'Python 3.12.1: no torch',
        'Python 3.12.1: torch 2.5.1, but 2.13 is needed',
        'Python 3.12.1: no torch; transformers 4.40.0, but 5 is needed',
        'Python 3.9.2, but 3.10 or newer is needed',
      ]);
    });
  });

  it('is asked for, with the command that installs it, when there is none', async () => {
    await expectError(
      () => requirePython('no-such-python'),
      'PYTHON_NOT_FOUND',
      'no-such-python (--python): not found',
      'pip install -r',
      'requirements.txt',
    );
  });
});
