import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CausalTracerError } from '../errors.js';

/**
 * Writes a picture, making missing folders and replacing an existing file.
 *
 * @throws CausalTracerError `OUTPUT_NOT_WRITABLE`.
 */
export async function writePicture(path: string, bytes: Buffer): Promise<void> {
  try {
    await mkdir(dirname(resolve(path)), { recursive: true });
    await writeFile(path, bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CausalTracerError(
      'OUTPUT_NOT_WRITABLE',
      `Cannot write the picture to ${resolve(path)}: ${reason}. Choose a file in a folder that you may write to.`,
      { cause },
    );
  }
}
