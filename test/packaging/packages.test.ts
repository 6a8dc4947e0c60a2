import { expect } from 'chai';
import {
  addonManifest,
  libtorchManifest,
  libtorchPackageVersion,
  mainManifest,
  readOwnManifest,
} from '../../scripts/packaging/packages.mjs';
import { LIBTORCH_VERSION } from '../../src/native/libtorch-folder.js';
import * as platforms from '../../src/native/platforms.js';
import { causalTracerVersion } from '../../src/version.js';

interface OwnManifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

describe('the packages', () => {
  it('of binaries are optional dependencies at exact versions, for every platform', () => {
    expect(mainManifest(platforms)['optionalDependencies']).to.deep.equal(
      Object.fromEntries(
        ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64'].flatMap((name) => [
          [`@causal-tracer/addon-${name}`, causalTracerVersion],
          [`@causal-tracer/libtorch-cpu-${name}`, `${LIBTORCH_VERSION}-r.1`],
        ]),
      ),
    );
  });

  it('have what the library depends on, but not the canvas that has to be compiled, and nothing of a checkout', () => {
    const { dependencies, ...manifest } = mainManifest(platforms) as ReturnType<typeof mainManifest> &
      OwnManifest;
    const own = readOwnManifest() as OwnManifest;
    expect({ ...dependencies, 'chartjs-node-canvas': '5.0.0' }).to.deep.equal(own.dependencies);
    expect(manifest).not.to.have.any.keys(['scripts', 'devDependencies', 'overrides']);
    expect(manifest['imports']).to.deep.equal({
      '#chartjs-node-canvas': './dist/vendor/chartjs-node-canvas.js',
    });
  });

  it('are limited to their platform, and say their libtorch', () => {
    for (const platform of platforms.PLATFORMS) {
      const { os, cpu, libc, name } = platform;
      const addon = addonManifest(platform, platforms.addonPackage(name));
      const libtorch = libtorchManifest(platform, platforms.libtorchPackage(name));
      expect(addon.version).to.equal(causalTracerVersion);
      expect(libtorch.version).to.equal(libtorchPackageVersion);
      for (const manifest of [addon, libtorch]) {
        expect(manifest).to.deep.include({ os: [os], cpu: [cpu], libtorch: LIBTORCH_VERSION });
        expect(manifest['libc']).to.deep.equal(libc === null ? undefined : [libc]);
        expect(manifest).not.to.have.any.keys('scripts', 'dependencies');
      }
    }
  });
});
