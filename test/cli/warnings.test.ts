import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

describe('warnings on the command line', () => {
  it('are printed once: its own as messages, others as Node.js does', () => {
    const script = fileURLToPath(new URL('../support/print-warnings.ts', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script], {
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, NODE_OPTIONS: undefined },
    });
    expect([status, stdout]).to.deep.equal([0, '']);
    const [first, ...others] = stderr.split('\n');
    expect(first).to.equal('warning [ENGINE_STEPPED_DOWN]: a slower engine is used');
    expect(others.join('\n')).to.match(/^\(node:\d+\) \[OTHER\] Warning: something else\n/);
    expect(stderr.match(/a slower engine/g)).to.have.length(1);
  });
});
