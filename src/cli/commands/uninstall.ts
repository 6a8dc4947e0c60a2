import { Command } from 'commander';
import { uninstallCuda } from '../cuda/install-cuda.js';
import { say, writeResult } from '../messages.js';

const DESCRIPTION = `Remove what "causal-tracer install" has fetched, also if it ended early. Packages that npm installed stay.`;

/** `causal-tracer uninstall`. */
export function uninstallCommand(): Command {
  return new Command('uninstall')
    .summary('remove what install has fetched')
    .description(DESCRIPTION)
    .action(async () => {
      const folders = await uninstallCuda();
      say(folders.length === 0 ? 'There is nothing to remove.' : 'Removed:');
      await writeResult(folders.map((folder) => `${folder}\n`).join(''));
    });
}
