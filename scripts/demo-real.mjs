// @ts-check
// Sets up what is missing, fetches a real language model, and traces facts that it knows: npm run demo:real
import { fetchModel } from './demo-real/fetch-model.mjs';
import { exportModel } from './demo-real/export-model.mjs';
import { traceFacts } from './demo-real/trace-facts.mjs';
import { ensurePythonEnvironment } from './setup/python-environment.mjs';
import { runMain } from './setup/run.mjs';
import { setUp } from './setup/steps.mjs';

await runMain(async () => {
  await setUp({ beforeLibtorch: ensurePythonEnvironment });
  const python = await ensurePythonEnvironment();
  const folder = await exportModel(await fetchModel(python), python);
  await traceFacts(folder, python);
});
