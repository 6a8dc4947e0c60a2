import { Command } from 'commander';
import { installCuda, locateWheels, requireCudaWheels } from '../cuda/install-cuda.js';
import { PUBLIC_INDEX } from '../cuda/package-index.js';
import { withInterrupt } from '../interrupt.js';
import { say, writeResult } from '../messages.js';
import { createProgressBar } from '../progress-bar.js';
import { formatTable } from '../text-table.js';

const DESCRIPTION = `Fetch libtorch for CUDA, which is too large for an npm package, into the user's cache: the wheels of PyTorch and of NVIDIA's libraries, checked against hashes that this version of causal-tracer knows. If it ends early, the next call goes on.

A PyTorch with CUDA that is installed already will do, too: set CAUSAL_TRACER_LIBTORCH to its torch folder.`;

interface InstallFlags {
  readonly cuda?: boolean;
  readonly indexUrl?: string;
  readonly from?: string;
  readonly dryRun?: boolean;
}

/** `causal-tracer install`. */
export function installCommand(): Command {
  return new Command('install')
    .summary('fetch libtorch for CUDA')
    .description(DESCRIPTION)
    .requiredOption('--cuda', 'the libraries for NVIDIA GPUs')
    .option('--index-url <url>', `a Python package index (default: PIP_INDEX_URL, else ${PUBLIC_INDEX})`)
    .option('--from <folder>', 'take the wheels from a folder; nothing is fetched')
    .option('--dry-run', 'say what would be fetched')
    .addHelpText('after', '\nTo remove it again:\n  $ causal-tracer uninstall')
    .action(async (flags: InstallFlags) => {
      await withInterrupt(async (signal) => {
        await (flags.dryRun === true ? listWheels(flags, signal) : install(flags, signal));
      });
    });
}

async function listWheels({ indexUrl }: InstallFlags, signal: AbortSignal): Promise<void> {
  const found = await locateWheels(requireCudaWheels(), indexOf(indexUrl), signal);
  const total = found.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const rows = found.map(({ file, size }) => [file, size === null ? '?' : inMegabytes(size)]);
  await writeResult(`${formatTable([['wheel', 'size'], ...rows, ['in all', inMegabytes(total)]], [1])}\n`);
}

async function install({ indexUrl, from }: InstallFlags, signal: AbortSignal): Promise<void> {
  const bar = createProgressBar(process.stderr);
  try {
    const { folder, isNew } = await installCuda({
      index: indexOf(indexUrl),
      ...(from === undefined ? {} : { from }),
      signal,
      onProgress: (done, total, file) => {
        bar.update(done, total, file.replace(/-.*$/, ''));
      },
    });
    bar.stop();
    say(isNew ? 'Installed libtorch for CUDA into' : 'libtorch for CUDA is there already, in');
    await writeResult(`${folder}\n`);
  } finally {
    bar.stop();
  }
}

function indexOf(given: string | undefined): string {
  return given ?? process.env['PIP_INDEX_URL'] ?? PUBLIC_INDEX;
}

function inMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
