// @ts-check
// Builds the addon with CMake; also what binding.gyp calls for users of node-gyp.
import { ensureLibtorch } from './setup/libtorch.mjs';
import { runMain } from './setup/run.mjs';
import { buildAddon } from './setup/steps.mjs';

await runMain(async () => buildAddon(await ensureLibtorch()));
