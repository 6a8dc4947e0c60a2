// @ts-check
import path from 'node:path';
import { buildFolder, projectRoot } from '../setup/paths.mjs';
import { runStep } from '../setup/run.mjs';
import { isStale, markDone } from '../setup/stamp.mjs';

/**
 * The model folder of a GGUF file, exported unless that was done with the same exporter.
 * @param {string} ggufFile
 * @param {string} python
 * @returns {Promise<string>} its path
 */
export async function exportModel(ggufFile, python) {
  const folder = path.join(buildFolder, 'demo-real', 'smollm2');
  const description = {
    inputs: ['scripts/export', 'scripts/requirements.txt'],
    facts: [path.basename(ggufFile)],
    outputs: [path.join(path.relative(projectRoot, folder), 'causal-tracer.json')],
  };
  if (!isStale('demo-real-model', description)) return folder;
  await runStep({
    title: 'Export SmolLM2-135M-Instruct (540 MB)',
    command: process.execPath,
    parameters: [
      ...[path.join(projectRoot, 'dist', 'cli', 'main.js'), 'export', '--force', '--python', python],
      ...['--', ggufFile, folder],
    ],
  });
  markDone('demo-real-model', description);
  return folder;
}
