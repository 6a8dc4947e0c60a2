import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { DEMO_FACTS } from '../../src/cli/demo-facts.js';
import { runCli, withFolder } from '../support/cli.js';

describe('causal-tracer demo', () => {
  it('draws each fact in three kinds and all together, and prints a table', async function () {
    this.timeout(300_000);
    await withFolder(async (folder) => {
      const { code, stdout, stderr } = await runCli(['demo', '--output', 'pictures'], { cwd: folder });
      // A model that answers otherwise would be told on standard error.
      expect([code, stderr]).to.deep.equal([0, '']);
      const expected = DEMO_FACTS.flatMap(({ name }) => [
        `${name}-attention.png`,
        `${name}-hidden.png`,
        `${name}-mlp.png`,
        `${name}.png`,
      ]);
      expect((await readdir(path.join(folder, 'pictures'))).sort()).to.deep.equal([...expected].sort());
      for (const picture of expected) {
        const bytes = await readFile(path.join(folder, 'pictures', picture));
        expect(bytes.subarray(1, 4).toString()).to.equal('PNG');
        expect(bytes.length).to.be.greaterThan(10_000);
        expect(stdout).to.include(`  ${path.join('pictures', picture)}\n`);
      }
      const rows = stdout
        .split('\n')
        .filter((line) => / {2}(hidden|mlp, window 3|attention, window 3) {2}/.test(line));
      expect(rows).to.have.length(3 * DEMO_FACTS.length);
      // The pattern that causal tracing is known for: the fact at the subject's last token, and at the prompt's last.
      expect(rows[0]).to.match(/ 0\.99\d, Tower\*, layer [1-5] +0\.99\d, of, layer \d$/);
      for (const { name, model, answer, prompt } of DEMO_FACTS) {
        const heading = stdout.split('\n').find((line) => line.startsWith(`${name}: `));
        expect(heading?.replace(/\d+\.\d/, 'N')).to.equal(
          `${name}: ${model}, "${prompt} …", traced in N seconds`,
        );
        expect(
          rows.filter((row) => row.startsWith(`${name} `) && row.includes(model) && row.includes(answer)),
        ).to.have.length(3);
      }
    });
  });

  it('fails before it traces when the folder cannot be made', async () => {
    await withFolder(async (folder) => {
      const { code, stdout, stderr } = await runCli(['demo', '-o', path.join(process.execPath, 'out')], {
        cwd: folder,
      });
      expect([code, stdout]).to.deep.equal([1, '']);
      expect(stderr).to.match(/^error \[OUTPUT_NOT_WRITABLE\]: /);
    });
  });
});
