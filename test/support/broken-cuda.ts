import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cudaCacheFolder } from '../../src/native/libtorch-places.js';
import { cudaLibrary, LIBTORCH_VERSION } from '../../src/native/libtorch-folder.js';
import { findLibtorch } from '../../src/native/libtorch.js';

/**
 * Makes `cache` a cache folder with a libtorch for CUDA of which only the CPU half can be opened; gives the libtorch
 * folder.
 */
export async function writeBrokenCuda(cache: string): Promise<string> {
  const libtorch = path.join(cache, 'libtorch', path.basename(cudaCacheFolder()), 'torch');
  const own = path.join(findLibtorch().path, 'lib');
  await mkdir(path.join(libtorch, 'lib'), { recursive: true });
  for (const file of await readdir(own)) {
    await symlink(path.join(own, file), path.join(libtorch, 'lib', file), 'file');
  }
  await writeFile(cudaLibrary(libtorch), 'cut off');
  await writeFile(path.join(libtorch, 'version.py'), `__version__ = '${LIBTORCH_VERSION}+cu130'\n`);
  return libtorch;
}
