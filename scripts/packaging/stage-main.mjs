// @ts-check
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../setup/paths.mjs';
import { bundleChartjsNodeCanvas, chartjsNodeCanvasNotices } from './bundle-chartjs.mjs';
import { chartBundle, loadPlatforms, mainManifest } from './packages.mjs';
import { emptyStage, listFiles } from './stage.mjs';

/** Puts the main package together: JavaScript and types, the Python exporter, the demo models. */
export async function stageMain() {
  const manifest = mainManifest(await loadPlatforms());
  const folder = emptyStage(manifest);
  for (const file of ['README.md', 'LICENSE', 'models', 'scripts/export', 'scripts/requirements.txt']) {
    const isKept = (/** @type {string} */ source) => path.basename(source) !== '__pycache__';
    cpSync(path.join(projectRoot, file), path.join(folder, file), { recursive: true, filter: isKept });
  }
  copyLibrary(path.join(projectRoot, 'dist'), path.join(folder, 'dist'));
  await bundleChartjsNodeCanvas(path.join(folder, chartBundle));
  writeFileSync(
    path.join(folder, 'THIRD-PARTY-NOTICES.txt'),
    `${chartBundle} is a bundle of these packages.\n\n${chartjsNodeCanvasNotices()}`,
  );
  return { folder, manifest };
}

/**
 * Copies what the compiler wrote, without source maps: the sources that they point to are not shipped.
 * @param {string} source
 * @param {string} target
 */
function copyLibrary(source, target) {
  cpSync(source, target, {
    recursive: true,
    filter: (file) => !file.endsWith('.map'),
  });
  for (const file of listFiles(target)) {
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, ''));
  }
  mkdirSync(path.join(target, 'vendor'), { recursive: true });
}
