// @ts-check
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../setup/paths.mjs';
import { licensesOfLibtorch, neededLibraries, readLibtorch } from './libtorch-source.mjs';
import { libtorchManifest, loadCurrentPlatform, loadPlatforms } from './packages.mjs';
import { emptyStage, stripBinary } from './stage.mjs';

/** Puts the package with libtorch for the CPU of this machine together. */
export async function stageLibtorch() {
  const platform = await loadCurrentPlatform();
  const { libtorchPackage } = await loadPlatforms();
  const manifest = libtorchManifest(platform, libtorchPackage(platform.name));
  const folder = emptyStage(manifest);
  const libtorch = readLibtorch();
  const libraries = path.join(libtorch.path, 'lib');
  mkdirSync(path.join(folder, 'lib'));
  for (const name of neededLibraries(libraries, platform.library)) {
    const target = path.join(folder, 'lib', name);
    cpSync(path.join(libraries, name), target, { dereference: true });
    stripBinary(target);
  }
  writeFileSync(path.join(folder, 'build-version'), `${libtorch.version}\n`);
  cpSync(licensesOfLibtorch(libtorch.path), path.join(folder, 'licenses', 'pytorch'), { recursive: true });
  for (const name of ['gcc-runtime', 'intel-mkl']) {
    const source = path.join(projectRoot, 'scripts', 'packaging', 'licenses', name);
    if (appliesTo(name, platform.name)) {
      cpSync(source, path.join(folder, 'licenses', name), { recursive: true });
    }
  }
  writeFileSync(path.join(folder, 'NOTICE.md'), notice(libtorch.version, platform.name));
  writeFileSync(
    path.join(folder, 'README.md'),
    `# ${manifest.name}\n\nThe libraries of libtorch ${libtorch.version} for ${platform.name} that inference on the CPU ` +
      'needs, for `causal-tracer`. Install `causal-tracer`, which depends on it.\n',
  );
  return { folder, manifest };
}

/**
 * @param {string} license
 * @param {string} platform
 */
function appliesTo(license, platform) {
  return license === 'gcc-runtime' ? platform.startsWith('linux-') : platform.endsWith('-x64');
}

/**
 * @param {string} version
 * @param {string} platform
 */
function notice(version, platform) {
  const parts = [
    `- PyTorch ${version}, with what is compiled into it: \`licenses/pytorch/\`. The libraries are those of the wheel ` +
      'that the PyTorch project publishes, without symbols for debugging.',
  ];
  if (appliesTo('intel-mkl', platform)) {
    parts.push('- Intel oneAPI Math Kernel Library, linked into libtorch: `licenses/intel-mkl/`.');
  }
  if (appliesTo('gcc-runtime', platform)) {
    parts.push(
      '- libgomp of the GNU Compiler Collection, as it is in the wheel: GPL 3 with the GCC Runtime Library Exception, ' +
        '`licenses/gcc-runtime/`. Its source is in the releases of GCC at https://gcc.gnu.org.',
    );
  }
  return `# What is in this package\n\n${parts.join('\n')}\n`;
}
