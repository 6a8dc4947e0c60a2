import { execFile } from 'node:child_process';
import { cp, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { LIBTORCH_VERSION, libtorchLibrary } from '../../src/native/libtorch-folder.js';
import { addonPackage, libtorchPackage, platformName } from '../../src/native/platforms.js';
import { causalTracerVersion } from '../../src/version.js';
import { writeBrokenCuda } from '../support/broken-cuda.js';
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

  it('a libtorch that is what its folder says', async () => {
    await withFolder(async (folder) => {
      await mkdir(path.join(folder, 'lib'));
      await cp(path.join(project, 'build', 'Release', 'causal_tracer_preload.node'), libtorchLibrary(folder));
      await writeFile(path.join(folder, 'version.py'), `__version__ = '${LIBTORCH_VERSION}'\n`);
      const message = await failureWith(folder);
      expect(message).to.match(/^error \[LIBTORCH_VERSION_MISMATCH\]: /);
      expect(message).to.include(
        `${libtorchLibrary(folder)} is version unknown, but ${LIBTORCH_VERSION} is needed`,
      );
    });
  });

  it('having been built, in a checkout', async () => {
    await withPackage(async ({ root, run }) => {
      await mkdir(path.join(root, 'scripts'));
      await writeFile(path.join(root, 'scripts', 'setup.mjs'), '');
      const message = await run();
      expect(message).to.match(/^error \[ADDON_NOT_FOUND\]: /);
      expect(message)
        .to.include(path.join(root, 'build', 'Release'))
        .and.to.include('Run "npm run setup"');
    });
  });
});

describe('a libtorch whose CUDA half cannot be opened', () => {
  it('stays the libtorch of the process', async function () {
    if (process.platform !== 'linux') this.skip();
    await withFolder(async (cache) => {
      await writeBrokenCuda(cache);
      const script = path.join(project, 'test', 'support', 'load-on-cuda-then-cpu.ts');
      const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script], {
        cwd: project,
        env: { ...process.env, CAUSAL_TRACER_CACHE: cache },
      });
      expect(stdout.trim()).to.equal(`DEVICE_NOT_AVAILABLE ${LIBTORCH_VERSION}+cu130`);
    });
  });
});

describe('an installed package is not opened', () => {
  it('without the platform packages, and says how to install them', async () => {
    await withPackage(async ({ run }) => {
      const message = await run();
      expect(message).to.match(/^error \[ADDON_NOT_FOUND\]: /);
      expect(message)
        .to.include(`${addonPackage(platformName)} is not installed`)
        .and.to.include('npm install --include=optional causal-tracer')
        .and.to.include(`--os=${process.platform} --cpu=${process.arch}`)
        .and.not.to.include('npm run setup');
    });
  });

  for (const { what, version, libtorch } of [
    { what: 'another release', version: '0.0.9', libtorch: LIBTORCH_VERSION },
    { what: 'another libtorch', version: causalTracerVersion, libtorch: '2.12.1' },
  ]) {
    it(`with the addon of ${what}, of which nothing is loaded`, async () => {
      await withPackage(async ({ install, run }) => {
        await install(addonPackage(platformName), { version, libtorch }, ['causal_tracer_preload.node']);
        const message = await run();
        expect(message).to.match(/^error \[ADDON_VERSION_MISMATCH\]: /);
        expect(message)
          .to.include(`is version ${version} for libtorch ${libtorch}`)
          .and.to.include(`needs ${causalTracerVersion} for libtorch ${LIBTORCH_VERSION}`)
          .and.to.include('npm install');
      });
    });
  }

  it('without libtorch, and says everywhere that was looked', async () => {
    await withPackage(async ({ root, install, run }) => {
      await install(addonPackage(platformName), { version: causalTracerVersion, libtorch: LIBTORCH_VERSION });
      const message = await run();
      expect(message).to.match(/^error \[LIBTORCH_NOT_FOUND\]: /);
      expect(message)
        .to.include(`  ${libtorchPackage(platformName)}: the package is not installed\n`)
        .and.to.match(
          new RegExp(`  ${root}.*${LIBTORCH_VERSION}-cpu-${platformName}: the folder does not exist`),
        )
        .and.to.include('  python3: no such Python\n')
        .and.to.include('npm install --include=optional causal-tracer');
    });
  });

  it('with libtorch of another version', async () => {
    await withPackage(async ({ install, run }) => {
      await install(addonPackage(platformName), { version: causalTracerVersion, libtorch: LIBTORCH_VERSION });
      const folder = await install(libtorchPackage(platformName), { version: '2.12.1-r.1' });
      await mkdir(path.join(folder, 'lib'));
      await writeFile(libtorchLibrary(folder), '');
      await writeFile(path.join(folder, 'build-version'), '2.12.1+cpu\n');
      const message = await run();
      expect(message).to.match(/^error \[LIBTORCH_VERSION_MISMATCH\]: /);
      expect(message).to.include(`${folder}: version 2.12.1+cpu, but ${LIBTORCH_VERSION} is needed`);
    });
  });
});

interface InstalledPackage {
  /** The package's folder. */
  readonly root: string;
  /** Installs a package with a manifest beside it and some empty files, and gives its folder. */
  readonly install: (name: string, manifest: object, files?: readonly string[]) => Promise<string>;
  /** What opening a model says, with status 1. */
  readonly run: () => Promise<string>;
}

/** The sources as an installed package, where neither binaries nor Python are at hand. */
async function withPackage(test: (installed: InstalledPackage) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const root = path.join(await realpath(folder), 'node_modules', 'causal-tracer');
    await cp(path.join(project, 'src'), path.join(root, 'src'), { recursive: true });
    await cp(path.join(project, 'package.json'), path.join(root, 'package.json'));
    await symlink(path.join(project, 'node_modules'), path.join(root, 'node_modules'), 'junction');
    await test({
      root,
      install: async (name, manifest, files = []) => {
        const place = path.join(path.dirname(root), name);
        await mkdir(place, { recursive: true });
        await writeFile(path.join(place, 'package.json'), JSON.stringify({ name, ...manifest }));
        for (const file of files) await writeFile(path.join(place, file), '');
        return place;
      },
      run: async () => {
        const main = path.join(root, 'src', 'cli', 'main.ts');
        const env = { PATH: folder, CAUSAL_TRACER_CACHE: path.join(root, 'cache') };
        const { code, stdout, stderr } = await runCli(parameters, { main, env });
        expect([code, stdout], stderr).to.deep.equal([1, '']);
        return stderr;
      },
    });
  });
}
