import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { loadAddon } from '../native/addon.js';
import type { NativeDevices } from '../native/binding.js';
import { cudaLibrary, LIBTORCH_VERSION } from '../native/libtorch-folder.js';
import { searchLibtorch } from '../native/libtorch.js';
import type { Check } from './doctor-checks.js';

const NAME = 'CUDA (only for the devices cuda and auto)';
const DRIVER_MILLISECONDS = 10_000;
const LIBTORCH_MILLISECONDS = 60_000;

/** The option of `causal-tracer doctor` that prints {@link cudaDevices} as JSON, and does nothing else. */
export const CUDA_DEVICES_OPTION = '--cuda-devices';

/** What there is for models on GPUs: libtorch with CUDA, the driver, and devices. */
export async function checkCuda(): Promise<Check> {
  const { chosen } = searchLibtorch({ cuda: true });
  const driver = await describeDriver();
  const notes = [`driver: ${driver ?? 'none (there is no nvidia-smi)'}`];
  if (chosen === null || !existsSync(cudaLibrary(chosen.path))) {
    const remedy = `To use a GPU, run "causal-tracer install --cuda", or set CAUSAL_TRACER_LIBTORCH to the torch folder of a PyTorch ${LIBTORCH_VERSION} with CUDA.`;
    return optional('missing', `no libtorch ${LIBTORCH_VERSION} with CUDA`, notes, remedy);
  }
  try {
    const { devices, cudaRuntime } = await askForDevices();
    const gpus = devices.filter((device) => device !== 'cpu');
    const detail = `runtime ${cudaRuntime ?? 'unknown'}, libtorch in ${chosen.path}`;
    if (gpus.length > 0) return optional('ok', `${detail}; devices: ${gpus.join(', ')}`, notes, null);
    const remedy =
      'See that nvidia-smi lists a GPU, and that the driver is new enough for this CUDA runtime.';
    return optional('missing', `${detail}; no GPU that it can use`, notes, remedy);
  } catch (error) {
    return optional('missing', `libtorch in ${chosen.path}: ${failureOf(error)}`, notes, remedyFor(error));
  }
}

/** The devices that libtorch for CUDA finds; to be asked for in a process that has opened no other libtorch. */
export function cudaDevices(): NativeDevices {
  return loadAddon({ cuda: true }).addon.devices();
}

/** {@link cudaDevices} of another process: this one has opened libtorch for the CPU. */
async function askForDevices(): Promise<NativeDevices> {
  const [, main = ''] = process.argv;
  const parameters = [...process.execArgv, main, 'doctor', CUDA_DEVICES_OPTION];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, {
    timeout: LIBTORCH_MILLISECONDS,
  });
  return JSON.parse(stdout) as NativeDevices;
}

/** What the other process said, else how it ended. */
function failureOf(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  if (said !== '') return said;
  if (wasTooSlow(error)) {
    return `it was not opened within ${LIBTORCH_MILLISECONDS / 1000} s`;
  }
  return error instanceof Error ? error.message : String(error);
}

function wasTooSlow(error: unknown): boolean {
  return error instanceof Error && 'killed' in error && error.killed === true;
}

/** What the other process says names its remedy itself. */
function remedyFor(error: unknown): string | null {
  if (!wasTooSlow(error)) return null;
  return 'Try again: the first opening reads gigabytes from the disk. If it stays so, see that nvidia-smi answers.';
}

function optional(
  state: Check['state'],
  detail: string,
  notes: readonly string[],
  remedy: string | null,
): Check {
  return { name: NAME, state, needed: false, detail, notes, remedy };
}

/** The driver's version and its GPUs as nvidia-smi tells them; null where there is no such program. */
async function describeDriver(): Promise<string | null> {
  const query = ['--query-gpu=driver_version,name,memory.total', '--format=csv,noheader'];
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: DRIVER_MILLISECONDS });
    return stdout.trim().split('\n').join('; ');
  } catch {
    return null;
  }
}
