import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CausalTracerError } from '../../errors.js';
import { cudaCacheFolder } from '../../native/libtorch-places.js';
import { describePlatform, platformName } from '../../native/platforms.js';
import { download, requireFileHash } from './download.js';
import { findWheel, type WheelAddress } from './package-index.js';
import { unpackWheel } from './unpack.js';
import { CUDA_WHEELS, type Wheel } from './wheels.js';

export interface CudaInstallOptions {
  /** Address of an index like the public one. */
  readonly index: string;
  /** Folder with the wheels, instead of the index. */
  readonly from?: string;
  readonly signal: AbortSignal;
  /** Bytes fetched and in all, and the file at work. */
  readonly onProgress: (done: number, total: number, file: string) => void;
  /** What is fetched, by default the wheels of this platform. */
  readonly wheels?: readonly Wheel[];
}

/** A wheel, and where it lies. */
export interface FoundWheel extends Wheel, WheelAddress {}

/**
 * The wheels of this platform.
 *
 * @throws CausalTracerError `DEVICE_NOT_AVAILABLE` where there is no libtorch for CUDA.
 */
export function requireCudaWheels(): readonly Wheel[] {
  const wheels = CUDA_WHEELS[platformName];
  if (wheels !== undefined) return wheels;
  const platforms = Object.keys(CUDA_WHEELS).join(', ');
  throw new CausalTracerError(
    'DEVICE_NOT_AVAILABLE',
    `Libraries for CUDA are there for ${platforms}, not for ${describePlatform()}. ` +
      'CAUSAL_TRACER_LIBTORCH can name the torch folder of a PyTorch with CUDA.',
  );
}

/** Asks the index where the wheels lie. */
export async function locateWheels(
  wheels: readonly Wheel[],
  index: string,
  signal: AbortSignal,
): Promise<readonly FoundWheel[]> {
  return await Promise.all(
    wheels.map(async (wheel) => ({ ...wheel, ...(await findWheel(wheel, index, signal)) })),
  );
}

/**
 * Fetches libtorch for CUDA into the cache. The folder appears when it is complete; what was fetched when it ends early
 * is used by the next call.
 *
 * @returns the folder, and whether it was there already.
 * @throws CausalTracerError as {@link requireCudaWheels}, `download` and `findWheel`; `INSTALL_BUSY` while another process
 *   installs; `signal.reason` when aborted.
 */
export async function installCuda(options: CudaInstallOptions): Promise<{ folder: string; isNew: boolean }> {
  const folder = cudaCacheFolder();
  if (existsSync(folder)) return { folder, isNew: false };
  const wheels = options.wheels ?? requireCudaWheels();
  const partial = partialFolder();
  await mkdir(partial, { recursive: true });
  const unlock = await lock(path.join(partial, 'lock'));
  try {
    // Another process may have installed it until this one got the lock.
    if (existsSync(folder)) return { folder, isNew: false };
    await fetchWheels(wheels, partial, options);
    await rename(path.join(partial, 'unpacked'), folder);
    await rm(partial, { recursive: true });
  } finally {
    await unlock();
  }
  return { folder, isNew: true };
}

/** Removes what was installed, and what an installation that ended early has left; gives the folders that were there. */
export async function uninstallCuda(): Promise<readonly string[]> {
  const folders = [cudaCacheFolder(), partialFolder()].filter((folder) => existsSync(folder));
  for (const folder of folders) await rm(folder, { recursive: true });
  return folders;
}

function partialFolder(): string {
  return `${cudaCacheFolder()}.partial`;
}

async function fetchWheels(
  wheels: readonly Wheel[],
  partial: string,
  { index, from, signal, onProgress }: CudaInstallOptions,
): Promise<void> {
  const unpacked = path.join(partial, 'unpacked');
  const missing = wheels.filter(({ sha256 }) => !existsSync(path.join(partial, `${sha256}.done`)));
  const found =
    from === undefined
      ? await locateWheels(missing, index, signal)
      : missing.map((wheel) => ({ ...wheel, url: '', size: null }));
  const total = found.reduce((sum, { size }) => sum + (size ?? 0), 0);
  let done = 0;
  for (const { file, url, sha256 } of found) {
    const wheel = path.join(from ?? partial, file);
    if (from === undefined) {
      const onBytes = (bytes: number): void => {
        done += bytes;
        onProgress(done, Math.max(done, total), file);
      };
      if (existsSync(wheel)) await requireFileHash(wheel, sha256);
      else await download(url, wheel, sha256, { signal, onBytes });
    } else {
      await requireFileHash(wheel, sha256);
    }
    await unpackWheel(wheel, unpacked, signal);
    // From here on the wheel is not needed again, whenever this ends.
    await writeFile(path.join(partial, `${sha256}.done`), '');
    if (from === undefined) await rm(wheel);
  }
}

/**
 * Keeps other processes out until the function that it gives is called; a lock that a process left at its end is taken.
 *
 * @throws CausalTracerError `INSTALL_BUSY`.
 */
async function lock(file: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(String(process.pid));
      await handle.close();
      return async () => await rm(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = Number(await readFile(file, 'utf8').catch(() => ''));
    if (isRunning(owner)) {
      throw new CausalTracerError(
        'INSTALL_BUSY',
        `Another process (${owner}) installs into ${path.dirname(file)}. Wait for it to end.`,
      );
    }
    await rm(file, { force: true });
  }
}

function isRunning(process_: number): boolean {
  if (!Number.isInteger(process_) || process_ <= 0) return false;
  try {
    process.kill(process_, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
