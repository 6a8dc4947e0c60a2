// @ts-check
// Publishes the tarballs in artifacts/ as the tag that is its parameter (v<version>) says, with provenance: the packages
// of every platform, then the one that depends on them. A version that is there already is left as it is: libtorch
// changes more rarely than the rest. Runs in the release workflow.
import { existsSync } from 'node:fs';
import { addonManifest, libtorchManifest, loadPlatforms, mainManifest } from './packaging/packages.mjs';
import { runTool } from './packaging/stage.mjs';
import { tarballOf } from './packaging/tarball.mjs';
import { probe, runMain, say, SetupError } from './setup/run.mjs';
import { npmCommand } from './setup/steps.mjs';

await runMain(async () => {
  const platforms = await loadPlatforms();
  const main = mainManifest(platforms);
  const [tag] = process.argv.slice(2);
  if (tag !== `v${main.version}`)
    throw new SetupError(`The tag is ${tag}, but package.json says ${main.version}.`);
  const manifests = [
    ...platforms.PLATFORMS.flatMap((platform) => [
      libtorchManifest(platform, platforms.libtorchPackage(platform.name)),
      addonManifest(platform, platforms.addonPackage(platform.name)),
    ]),
    main,
  ];
  const absent = manifests.map((manifest) => tarballOf(manifest)).filter((tarball) => !existsSync(tarball));
  if (absent.length > 0) throw new SetupError(`Nothing is published: ${absent.join(', ')} is missing.`);
  for (const manifest of manifests) publish(manifest);
});

/** @param {import('./packaging/packages.mjs').Manifest} manifest */
function publish(manifest) {
  const { name, version } = manifest;
  const view = npmCommand(['view', `${name}@${version}`, 'version']);
  if (probe(view.command, view.parameters)) {
    say(`${name} ${version} is there already`);
    return;
  }
  // A version with a revision counts as a prerelease, which npm does not publish without being told the tag.
  const { command, parameters } = npmCommand([
    'publish',
    tarballOf(manifest),
    '--provenance',
    '--tag',
    'latest',
  ]);
  runTool(command, parameters);
  say(`${name} ${version} is published`);
}
