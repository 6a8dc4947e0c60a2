import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { projectRoot } from '../../scripts/setup/paths.mjs';

describe('the reference', () => {
  it('is written without warnings: every public type is exported, every link leads somewhere', async function () {
    this.timeout(180_000);
    const out = await mkdtemp(path.join(tmpdir(), 'causal-tracer-reference-'));
    try {
      const typedoc = path.join(projectRoot, 'node_modules', 'typedoc', 'bin', 'typedoc');
      const { status, stdout, stderr } = spawnSync(process.execPath, [typedoc, '--out', out], {
        cwd: projectRoot,
        encoding: 'utf8',
      });
      expect(status, `${stdout}${stderr}`).to.equal(0);
      expect(`${stdout}${stderr}`).to.not.match(/warning/i);
      for (const page of ['classes/causal-tracer.CausalTracer.html', 'documents/hooks.html']) {
        expect(existsSync(path.join(out, page)), page).to.equal(true);
      }
    } finally {
      await rm(out, { recursive: true });
    }
  });
});
