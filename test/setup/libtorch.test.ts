import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { cachedLibtorch, findInstalledLibtorch, inspectLibtorch } from '../../scripts/setup/libtorch.mjs';
import { libtorchVersion } from '../../scripts/setup/paths.mjs';
import { listTorchRequirements } from '../../scripts/setup/pip.mjs';
import { LIBTORCH_VERSION, isSupportedLibtorch, libtorchLibrary } from '../../src/native/libtorch-folder.js';

describe('libtorch search', () => {
  let folder: string;
  let environment: Record<string, string>;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'libtorch-search-'));
    environment = { CAUSAL_TRACER_CACHE: path.join(folder, 'cache') };
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A folder that looks like libtorch of a version. */
  function fakeLibtorch(name: string, version: string | null) {
    const place = path.resolve(folder, name);
    for (const file of [libtorchLibrary(place), path.join(place, 'include', 'torch', 'library.h')]) {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, '');
    }
    if (version !== null) writeFileSync(path.join(place, 'version.py'), `__version__ = '${version}'\n`);
    return place;
  }

  /** Pythons that know where their torch package is. */
  function search(pythons: Readonly<Record<string, string>>, options: object = {}) {
    const ask = (python: string) => pythons[python] ?? null;
    return findInstalledLibtorch({ environment, pythons: Object.keys(pythons), ask, ...options });
  }

  it('takes CAUSAL_TRACER_LIBTORCH first', () => {
    const named = fakeLibtorch('named', '2.13.0+cpu');
    fakeLibtorch(cachedLibtorch(environment), '2.13.0+cpu');
    environment['CAUSAL_TRACER_LIBTORCH'] = named;
    expect(search({ python3: fakeLibtorch('python', '2.13.0+cpu') }).found).to.deep.equal({
      path: named,
      version: '2.13.0+cpu',
      source: 'environment',
    });
  });

  it('takes the cache before a Python environment', () => {
    const cached = fakeLibtorch(cachedLibtorch(environment), '2.13.0+cpu');
    expect(search({ python3: fakeLibtorch('python', '2.13.0+cpu') }).found).to.deep.equal({
      path: cached,
      version: '2.13.0+cpu',
      source: 'cache',
    });
  });

  it('takes the first Python environment that has the version, and lists the others that it met', () => {
    const old = fakeLibtorch('old', '2.12.1');
    const right = fakeLibtorch('right', '2.13.0+cu130');
    expect(search({ first: old, second: right, third: fakeLibtorch('third', '2.13.0+cpu') })).to.deep.equal({
      found: { path: right, version: '2.13.0+cu130', source: 'python' },
      others: [{ path: old, version: '2.12.1' }],
    });
  });

  it('finds nothing where there is only another version', () => {
    const newer = fakeLibtorch('newer', '2.14.0');
    expect(search({ first: newer, second: newer })).to.deep.equal({
      found: null,
      others: [{ path: newer, version: '2.14.0' }],
    });
  });

  it('keeps to the Python environment of the last set-up while it lasts', () => {
    const recorded = { path: fakeLibtorch('recorded', '2.13.0'), version: '2.13.0', source: 'python' };
    const other = fakeLibtorch('other', '2.13.0+cpu');
    expect(search({ python3: other }, { recorded }).found).to.deep.equal(recorded);
    rmSync(recorded.path, { recursive: true });
    expect(search({ python3: other }, { recorded }).found?.path).to.equal(other);
  });

  it('passes over a cache that is not complete', () => {
    mkdirSync(path.join(cachedLibtorch(environment), 'lib'), { recursive: true });
    expect(search({})).to.deep.equal({ found: null, others: [] });
  });

  it('refuses another version in CAUSAL_TRACER_LIBTORCH: says where, found, wanted, and what to do', () => {
    const named = fakeLibtorch('named', '2.14.1+cpu');
    environment['CAUSAL_TRACER_LIBTORCH'] = named;
    expect(() => search({})).to.throw(
      `CAUSAL_TRACER_LIBTORCH is ${named}, which cannot be used: it is version 2.14.1+cpu, but 2.13.0 is needed.\n` +
        'Point it at libtorch 2.13.0 (a folder with include/ and lib/, for example that of a Python torch), or unset it.',
    );
  });

  it('refuses a CAUSAL_TRACER_LIBTORCH that does not exist, even if there is a cache', () => {
    fakeLibtorch(cachedLibtorch(environment), '2.13.0+cpu');
    environment['CAUSAL_TRACER_LIBTORCH'] = path.join(folder, 'nowhere');
    expect(() => search({})).to.throw('which cannot be used: the folder does not exist');
  });

  it('says what a folder lacks', () => {
    const place = fakeLibtorch('place', null);
    expect(inspectLibtorch(place)).to.deep.equal({
      reason: 'it says no version in version.py or build-version',
    });
    writeFileSync(path.join(place, 'build-version'), '2.13.0+cpu\n');
    expect(inspectLibtorch(place)).to.deep.equal({ version: '2.13.0+cpu' });
    rmSync(path.join(place, 'include'), { recursive: true });
    expect(inspectLibtorch(place)).to.deep.equal({ reason: 'there are no headers in include/' });
    rmSync(path.join(place, 'lib'), { recursive: true });
    expect(inspectLibtorch(place)).to.deep.equal({
      reason: `there is no ${path.relative(place, libtorchLibrary(place))}`,
    });
  });

  it('looks for the version that the library loads', () => {
    expect(libtorchVersion).to.equal(LIBTORCH_VERSION);
    for (const version of ['2.13.0', '2.13.0+cpu', '2.13.1', '2.14.0+cpu', '2.130.0']) {
      expect('reason' in inspectLibtorch(fakeLibtorch(version, version)), version).to.equal(
        !isSupportedLibtorch(version),
      );
    }
  });
});

describe('requirements of torch', () => {
  it('are the CPU wheel, that of PyTorch’s own index, then the plain wheel', () => {
    expect(listTorchRequirements('linux').map(({ parameters }) => parameters.join(' '))).to.deep.equal([
      'torch==2.13.0+cpu',
      'torch==2.13.0+cpu --index-url https://download.pytorch.org/whl/cpu --retries 1',
      'torch==2.13.0',
    ]);
  });

  it('are the plain wheel alone on macOS, which has no other', () => {
    expect(listTorchRequirements('darwin').map(({ parameters }) => parameters)).to.deep.equal([
      ['torch==2.13.0'],
    ]);
  });
});
