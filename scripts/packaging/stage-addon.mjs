// @ts-check
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildFolder, projectRoot } from '../setup/paths.mjs';
import { oldestGlibc } from './glibc.mjs';
import { licensesOfLibtorch, readLibtorch } from './libtorch-source.mjs';
import { addonManifest, loadCurrentPlatform, loadPlatforms } from './packages.mjs';
import { emptyStage, stripBinary } from './stage.mjs';

/** Puts the package with the addon of this machine together. */
export async function stageAddon() {
  const platform = await loadCurrentPlatform();
  const { addonPackage } = await loadPlatforms();
  const manifest = addonManifest(platform, addonPackage(platform.name));
  const folder = emptyStage(manifest);
  for (const file of ['causal_tracer.node', 'causal_tracer_preload.node']) {
    cpSync(path.join(buildFolder, 'Release', file), path.join(folder, file));
    stripBinary(path.join(folder, file));
  }
  cpSync(path.join(projectRoot, 'LICENSE'), path.join(folder, 'LICENSE'));
  writeFileSync(path.join(folder, 'THIRD-PARTY-NOTICES.txt'), notices());
  const system =
    platform.libc === 'glibc'
      ? ` with glibc ${oldestGlibc(path.join(folder, 'causal_tracer.node'))} or newer`
      : '';
  writeFileSync(
    path.join(folder, 'README.md'),
    `# ${manifest.name}\n\nThe native addon of \`causal-tracer\` ${manifest.version} for ${platform.name}${system}, ` +
      'and the helper that opens libtorch before it. Install `causal-tracer`, which depends on it.\n',
  );
  return { folder, manifest };
}

/** The licences of the headers that are compiled into the addon. */
function notices() {
  const nodeAddonApi = path.join(projectRoot, 'node_modules', 'node-addon-api', 'LICENSE.md');
  return [
    'The addon was compiled with the headers of these projects.\n',
    `node-addon-api\n\n${readFileSync(nodeAddonApi, 'utf8').trim()}\n`,
    `PyTorch\n\n${readFileSync(path.join(licensesOfLibtorch(readLibtorch().path), 'LICENSE'), 'utf8').trim()}\n`,
  ].join(`\n${'-'.repeat(79)}\n\n`);
}
