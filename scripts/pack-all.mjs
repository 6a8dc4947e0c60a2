// @ts-check
// Builds every package of this platform and packs it into artifacts/, with its size; stops at one that holds something
// else than its list in scripts/packaging/contents says.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { loadCurrentPlatform } from './packaging/packages.mjs';
import { stageAddon } from './packaging/stage-addon.mjs';
import { stageLibtorch } from './packaging/stage-libtorch.mjs';
import { stageMain } from './packaging/stage-main.mjs';
import { artifactFolder, packPackage, tarballOf } from './packaging/tarball.mjs';
import { projectRoot } from './setup/paths.mjs';
import { runMain, say } from './setup/run.mjs';
import { setUp } from './setup/steps.mjs';

const megabyte = 1e6;

await runMain(async () => {
  await setUp();
  rmSync(artifactFolder, { recursive: true, force: true });
  const { name: platform } = await loadCurrentPlatform();
  // npm's registry refuses tarballs of more than about 200 MB.
  const kinds = [
    { stage: stageMain, limit: 20 * megabyte, contents: 'causal-tracer.txt' },
    { stage: stageAddon, limit: megabyte, contents: 'addon.txt' },
    { stage: stageLibtorch, limit: 200 * megabyte, contents: `libtorch-cpu-${platform}.txt` },
  ];
  for (const { stage, ...kind } of kinds) {
    const staged = await stage();
    say(`Pack ${staged.manifest.name} ...`);
    const { packed, unpacked, files } = packPackage(staged, kind);
    const sizes = `${inMegabytes(packed)} packed, ${inMegabytes(unpacked)} unpacked, ${files} files`;
    console.log(`${path.relative(projectRoot, tarballOf(staged.manifest))}: ${sizes}`);
  }
});

/** @param {number} bytes */
function inMegabytes(bytes) {
  return `${(bytes / megabyte).toFixed(bytes < megabyte ? 2 : 1)} MB`;
}
