import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { installCuda, uninstallCuda, type CudaInstallOptions } from '../../../src/cli/cuda/install-cuda.js';
import type { Wheel } from '../../../src/cli/cuda/wheels.js';
import { searchLibtorch } from '../../../src/native/libtorch.js';
import { LIBTORCH_VERSION } from '../../../src/native/libtorch-folder.js';
import { cudaCacheFolder } from '../../../src/native/libtorch-places.js';
import { expectError } from '../../support/errors.js';
import { storedZip } from '../../support/stored-zip.js';
import { serveWheels, type WheelIndex } from '../../support/wheel-index.js';

const contents = {
  torch: storedZip({
    'torch/lib/libtorch_cpu.so': 'x'.repeat(100_000),
    'torch/lib/libtorch_python.so': 'python',
    'torch/include/torch/library.h': 'header',
    'torch/version.py': `__version__ = '${LIBTORCH_VERSION}+cu130'\n`,
    'torch-1.dist-info/licenses/': '',
    'torch-1.dist-info/licenses/LICENSE': 'license',
  }),
  'nvidia-cublas': storedZip({
    'nvidia/cu13/lib/libcublas.so.13': 'cublas',
    'nvidia/cu13/include/cublas.h': 'header',
  }),
};
const wheels: readonly Wheel[] = Object.entries(contents).map(([project, bytes]) => ({
  project,
  file: `${project}-1.whl`,
  sha256: createHash('sha256').update(bytes).digest('hex'),
}));
const served = Object.fromEntries(
  Object.entries(contents).map(([project, bytes]) => [`${project}-1.whl`, { project, bytes }]),
);

describe('libtorch for CUDA', () => {
  let cache: string;
  let index: WheelIndex;
  const before = process.env['CAUSAL_TRACER_CACHE'];

  beforeEach(async () => {
    cache = mkdtempSync(path.join(tmpdir(), 'cuda-install-'));
    process.env['CAUSAL_TRACER_CACHE'] = cache;
    index = await serveWheels(served);
  });
  afterEach(() => {
    index.close();
    if (before === undefined) delete process.env['CAUSAL_TRACER_CACHE'];
    else process.env['CAUSAL_TRACER_CACHE'] = before;
    rmSync(cache, { recursive: true });
  });

  async function install(
    options: Partial<CudaInstallOptions> = {},
  ): Promise<{ folder: string; isNew: boolean }> {
    const { signal } = new AbortController();
    return await installCuda({
      index: index.address,
      signal,
      wheels,
      onProgress: () => undefined,
      ...options,
    });
  }

  function wheelRequests(): string[] {
    return index.requests.filter((request) => request.includes('/files/'));
  }

  it('is fetched and unpacked in the folders of the wheels, and then found where CUDA is asked for', async () => {
    let last: readonly number[] = [];
    const { folder, isNew } = await install({ onProgress: (done, total) => (last = [done, total]) });
    const total = Object.values(contents).reduce((sum, { length }) => sum + length, 0);
    expect([isNew, last]).to.deep.equal([true, [total, total]]);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const names = files.map(({ parentPath, name }) => path.relative(folder, path.join(parentPath, name)));
    expect(names.map((name) => name.replaceAll(path.sep, '/'))).to.have.members([
      'torch/lib/libtorch_cpu.so',
      'torch/version.py',
      'torch-1.dist-info/licenses/LICENSE',
      'nvidia/cu13/lib/libcublas.so.13',
    ]);
    expect(readdirSync(path.dirname(folder))).to.deep.equal([path.basename(folder)]);
    if (process.platform === 'linux') {
      const { chosen } = searchLibtorch({ cuda: true });
      expect(chosen).to.deep.equal({
        source: 'cuda',
        path: path.join(folder, 'torch'),
        version: `${LIBTORCH_VERSION}+cu130`,
      });
      expect(searchLibtorch().chosen?.source).not.to.equal('cuda');
    }
  });

  it('is not fetched again', async () => {
    await install();
    const requests = index.requests.length;
    expect((await install()).isNew).to.equal(false);
    expect(index.requests).to.have.lengthOf(requests);
  });

  it('is fetched on from where a download broke off', async () => {
    index.answer = 'cut off';
    const error = await expectError(() => install(), 'DOWNLOAD_FAILED');
    expect(error.message).to.include('broke off').and.to.include('Run the command again');
    expect(existsSync(cudaCacheFolder())).to.equal(false);
    index.answer = 'part';
    await install();
    const half = Math.floor(contents.torch.length / 2);
    expect(wheelRequests()).to.deep.equal([
      '/files/torch-1.whl',
      `/files/torch-1.whl bytes=${half}-`,
      '/files/nvidia-cublas-1.whl',
    ]);
  });

  it('is fetched anew from a server that gives no parts', async () => {
    index.answer = 'cut off';
    await expectError(() => install(), 'DOWNLOAD_FAILED');
    index.answer = 'whole';
    const { folder } = await install();
    expect(readFileSync(path.join(folder, 'torch', 'lib', 'libtorch_cpu.so'), 'utf8')).to.equal(
      'x'.repeat(100_000),
    );
  });

  it('is refused if a wheel is not the one that is expected, of which nothing is kept', async () => {
    index.answer = 'wrong';
    const error = await expectError(() => install(), 'DOWNLOAD_HASH_MISMATCH');
    expect(error.message).to.include(wheels[0]?.sha256);
    expect(existsSync(cudaCacheFolder())).to.equal(false);
    expect(readdirSync(`${cudaCacheFolder()}.partial`)).to.deep.equal([]);
    index.answer = 'part';
    expect((await install()).isNew).to.equal(true);
  });

  it('stops when it is aborted, and goes on later without what is done', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = (_done: number, _total: number, file: string): void => {
      if (file.startsWith('nvidia')) controller.abort(reason);
    };
    const thrown: unknown = await install({ signal: controller.signal, onProgress }).catch(
      (error: unknown) => error,
    );
    expect(thrown).to.equal(reason);
    expect(existsSync(cudaCacheFolder())).to.equal(false);
    index.requests.length = 0;
    await install();
    expect(wheelRequests().every((request) => request.startsWith('/files/nvidia-cublas-1.whl'))).to.equal(
      true,
    );
  });

  it('is found on an index without JSON', async () => {
    index.close();
    index = await serveWheels(served, 'html');
    expect((await install()).isNew).to.equal(true);
  });

  it('is not there on an index without its wheels, or without the project', async () => {
    const [wheel] = wheels;
    if (wheel === undefined) throw new Error('there are no wheels');
    const other = await expectError(
      () => install({ wheels: [{ ...wheel, file: 'torch-2.whl' }] }),
      'DOWNLOAD_FAILED',
    );
    expect(other.message).to.include(`${index.address}/torch/ has no torch-2.whl`);
    const none = await expectError(
      () => install({ wheels: [{ ...wheel, project: 'none' }] }),
      'DOWNLOAD_FAILED',
    );
    expect(none.message).to.include('/none/ answers with status 404');
  });

  it('says that an index cannot be reached', async () => {
    const { address } = index;
    index.close();
    const error = await expectError(() => install({ index: address }), 'DOWNLOAD_FAILED');
    expect(error.message).to.include('cannot be reached').and.to.include('--from');
  });

  it('is taken from a folder, where only the right files are', async () => {
    const from = path.join(cache, 'wheels');
    mkdirSync(from);
    for (const [file, { bytes }] of Object.entries(served)) writeFileSync(path.join(from, file), bytes);
    writeFileSync(path.join(from, 'nvidia-cublas-1.whl'), 'other');
    await expectError(() => install({ from }), 'DOWNLOAD_HASH_MISMATCH');
    writeFileSync(path.join(from, 'nvidia-cublas-1.whl'), contents['nvidia-cublas']);
    expect((await install({ from })).isNew).to.equal(true);
    expect(index.requests).to.deep.equal([]);
    expect(readdirSync(from)).to.have.members(Object.keys(served));
  });

  it('keeps out a second installation, but not for a process that has ended', async () => {
    const partial = `${cudaCacheFolder()}.partial`;
    mkdirSync(partial, { recursive: true });
    writeFileSync(path.join(partial, 'lock'), String(process.pid));
    const error = await expectError(() => install(), 'INSTALL_BUSY');
    expect(error.message).to.include(String(process.pid));
    writeFileSync(path.join(partial, 'lock'), String(2 ** 30));
    expect((await install()).isNew).to.equal(true);
  });

  it('puts nothing outside its folder', async () => {
    const bytes = storedZip({ 'torch/lib/../../../../evil.so': 'evil' });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    index.close();
    index = await serveWheels({ 'evil-1.whl': { project: 'evil', bytes } });
    const thrown: unknown = await install({
      wheels: [{ project: 'evil', file: 'evil-1.whl', sha256 }],
    }).catch((error: unknown) => error);
    expect(String(thrown)).to.include('invalid relative path');
    const files = readdirSync(cache, { recursive: true, encoding: 'utf8' });
    expect(files.filter((file) => file.endsWith('evil.so'))).to.deep.equal([]);
  });

  it('is removed, also if it is not complete', async () => {
    await install();
    mkdirSync(`${cudaCacheFolder()}.partial`);
    expect(await uninstallCuda()).to.deep.equal([cudaCacheFolder(), `${cudaCacheFolder()}.partial`]);
    expect(readdirSync(path.dirname(cudaCacheFolder()))).to.deep.equal([]);
    expect(await uninstallCuda()).to.deep.equal([]);
  });
});
