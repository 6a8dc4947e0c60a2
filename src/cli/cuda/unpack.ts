import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';

/** Libraries, version and licences: not the headers, Python's part, or PyTorch's own tests. */
const WANTED =
  /^torch\/lib\/[^/]+\.so[\d.]*$|^torch\/version\.py$|^nvidia\/(?:[^/]+\/)+lib\/[^/]+\.so[\d.]*$|^[^/]+\.dist-info\/.*licen[sc]e/i;
const UNWANTED =
  /^torch\/lib\/lib(?:torch_python|shm|torchbind_test|jitbackend_test|backend_with_compiler|aoti_custom_ops)\b/;

/**
 * Unpacks what libtorch needs of a wheel, in the wheel's own folders: the libraries find each other by them.
 *
 * @throws Error if the wheel cannot be read; `signal.reason` when aborted.
 */
export async function unpackWheel(wheel: string, target: string, signal: AbortSignal): Promise<void> {
  // Names that lead out of the folder are refused by yauzl.
  const archive = await yauzl.openPromise(wheel, { strictFileNames: true });
  try {
    for await (const entry of archive.eachEntry()) {
      signal.throwIfAborted();
      const isFolder = entry.fileName.endsWith('/');
      if (isFolder || !WANTED.test(entry.fileName) || UNWANTED.test(entry.fileName)) continue;
      const file = path.join(target, ...entry.fileName.split('/'));
      await mkdir(path.dirname(file), { recursive: true });
      await pipeline(await archive.openReadStreamPromise(entry), createWriteStream(file), { signal });
    }
  } finally {
    archive.close();
  }
}
