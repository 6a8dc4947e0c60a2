// @ts-check
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { projectRoot } from '../setup/paths.mjs';

/**
 * Bundles chartjs-node-canvas with `@napi-rs/canvas` in the place of `canvas`. As a dependency it would bring `canvas`,
 * whose binary comes by an install script; `overrides` only count in the user's own package.json, and bundled
 * dependencies are not found with Yarn Plug'n'Play. A file of our own is found everywhere.
 * @param {string} outfile
 */
export async function bundleChartjsNodeCanvas(outfile) {
  await build({
    stdin: {
      contents: "export { ChartJSNodeCanvas } from 'chartjs-node-canvas/dist/chartJSNodeCanvas.js';",
      resolveDir: projectRoot,
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['chart.js', '@napi-rs/canvas'],
    // A `require` of its own: bundlers leave it alone, so that the native canvas is found at run time.
    banner: {
      js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
    },
    plugins: [
      {
        name: 'canvas',
        setup: (bundler) => {
          // It loads packages by name, past the bundler, and nothing but `canvas` is asked of it here.
          bundler.onLoad({ filter: /freshRequire\.js$/ }, () => ({
            contents: "exports.freshRequire = () => require('@napi-rs/canvas');",
          }));
        },
      },
    ],
    logLevel: 'warning',
  });
}

/** The licences of what is in the bundle. */
export function chartjsNodeCanvasNotices() {
  return [
    ['chartjs-node-canvas', 'LICENSE'],
    ['tslib', 'LICENSE.txt'],
  ]
    .map(([name = '', file = '']) => {
      const folder = path.join(projectRoot, 'node_modules', name);
      const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
      return `${name} ${version}\n\n${readFileSync(path.join(folder, file), 'utf8').trim()}\n`;
    })
    .join(`\n${'-'.repeat(79)}\n\n`);
}
