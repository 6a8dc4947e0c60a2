// @ts-check
// Sets up what is missing, then traces the demo's facts and draws them into out/.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from './setup/paths.mjs';
import { runMain } from './setup/run.mjs';
import { setUp } from './setup/steps.mjs';

await runMain(async () => {
  await setUp();
  const main = path.join(projectRoot, 'dist', 'cli', 'main.js');
  const parameters = process.argv.length > 2 ? process.argv.slice(2) : ['--output', 'out'];
  return spawnSync(process.execPath, [main, 'demo', ...parameters], { stdio: 'inherit' }).status ?? 1;
});
