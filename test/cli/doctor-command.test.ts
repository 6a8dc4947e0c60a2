import { expect } from 'chai';
import type { Check } from '../../src/cli/doctor-checks.js';
import { writeBrokenCuda } from '../support/broken-cuda.js';
import { runCli, withFolder } from '../support/cli.js';
import { writeFakePython } from '../support/fake-python.js';

interface Report {
  readonly ready: boolean;
  readonly checks: readonly Check[];
}

function namesOf({ checks }: Report, state: Check['state']): string[] {
  return checks.filter((check) => check.state === state).map(({ name }) => name);
}

describe('causal-tracer doctor', () => {
  it('finds everything that tracing needs here, without Python', async () => {
    const { code, stdout } = await runCli(['doctor', '--json', '--python', 'no-such-python']);
    const report = JSON.parse(stdout) as Report;
    expect(code, stdout).to.equal(0);
    expect(report.ready).to.equal(true);
    expect(namesOf(report, 'ok')).to.include.members(['Node', 'libtorch', 'addon', 'pictures']);
    expect(namesOf(report, 'missing')).to.include('Python (only to export models)');
  });

  it('says what is missing, what was looked at, and the remedy, with status 1', async () => {
    await withFolder(async (folder) => {
      const env = { CAUSAL_TRACER_LIBTORCH: folder };
      const { code, stdout, stderr } = await runCli(['doctor', '--python', 'no-such-python'], { env });
      expect([code, stderr]).to.deep.equal([1, '']);
      expect(stdout).to.match(
        /^missing {2}libtorch: no usable 2\.13\.0\n {9}not .*: there is no lib.libtorch_cpu/m,
      );
      expect(stdout).to.match(/^ {9}→ Run "npm run setup"/m);
      expect(stdout).to.match(/^missing {2}addon: .* needs libtorch\n/m);
      expect(stdout).to.match(/^missing {2}Python .*\n {9}not no-such-python \(--python\): not found\n/m);
      expect(stdout).to.match(/^ok {7}Node: /m);
      expect(stdout).to.include('\n\nNot ready to trace');
    });
  });

  it('asks the libtorch for CUDA what it finds, not that for the CPU', async function () {
    if (process.platform !== 'linux') this.skip();
    await withFolder(async (cache) => {
      const libtorch = await writeBrokenCuda(cache);
      const { code, stdout } = await runCli(['doctor'], { env: { CAUSAL_TRACER_CACHE: cache } });
      expect(code, stdout).to.equal(0);
      const [row] = /^missing {2}CUDA .*$/m.exec(stdout) ?? [''];
      expect(row).to.include(`libtorch in ${libtorch}: error [DEVICE_NOT_AVAILABLE]: The CUDA libraries at`);
      expect(row).to.include('cannot be opened');
    });
  });

  it('names the Python that exports', async function () {
    if (process.platform === 'win32') this.skip();
    await withFolder(async (folder) => {
      const python = await writeFakePython(folder);
      const { stdout } = await runCli(['doctor'], { env: { CAUSAL_TRACER_PYTHON: python } });
      expect(stdout).to.include(
        `Python (only to export models): 3.12.1, torch 2.13.0+cpu, transformers 5.18.0: ${python} (CAUSAL_TRACER_PYTHON)`,
      );
    });
  });
});
