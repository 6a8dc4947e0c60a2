// @ts-check
// Prepares this checkout for use: dependencies, libtorch, the addon, TypeScript.
import { runMain } from './setup/run.mjs';
import { setUp } from './setup/steps.mjs';

await runMain(() => setUp());
