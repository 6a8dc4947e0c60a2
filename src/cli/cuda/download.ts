import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { CausalTracerError } from '../../errors.js';
import { request } from './package-index.js';

/** Called with the number of bytes that have been added. */
export type OnBytes = (bytes: number) => void;

/**
 * Fetches a file, going on where an earlier attempt ended. `target` appears when its content has been checked.
 *
 * @param onBytes also called for what an earlier attempt left.
 * @throws CausalTracerError `DOWNLOAD_FAILED`, after which the next attempt goes on; `DOWNLOAD_HASH_MISMATCH`, after which
 *   it starts anew; `signal.reason` when aborted.
 */
export async function download(
  url: string,
  target: string,
  sha256: string,
  { signal, onBytes }: { readonly signal: AbortSignal; readonly onBytes: OnBytes },
): Promise<void> {
  const partial = `${target}.part`;
  let hash = createHash('sha256');
  let start = existsSync(partial) ? await addFile(hash, partial) : 0;
  if (start > 0 && hash.copy().digest('hex') === sha256) {
    onBytes(start);
    await rename(partial, target);
    return;
  }
  // Compressed on the way, parts would not be parts of the file.
  const headers = { 'accept-encoding': 'identity', ...(start === 0 ? {} : { range: `bytes=${start}-` }) };
  const response = await request(url, headers, signal);
  if (start > 0 && response.status !== 206) {
    // A server that does not give parts sends all of it.
    hash = createHash('sha256');
    start = 0;
  }
  onBytes(start);
  try {
    await pipeline(
      Readable.fromWeb(response.body as ReadableStream<Uint8Array>),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          onBytes(chunk.length);
          yield chunk;
        }
      },
      createWriteStream(partial, { flags: start === 0 ? 'w' : 'a' }),
      { signal },
    );
  } catch (cause) {
    signal.throwIfAborted();
    throw new CausalTracerError(
      'DOWNLOAD_FAILED',
      `The download of ${url} broke off: ${String(cause)}. Run the command again: it goes on from there.`,
      { cause },
    );
  }
  await requireHash(hash, partial, sha256, url);
  await rename(partial, target);
}

/**
 * Checks a file that was fetched by other means.
 *
 * @throws CausalTracerError `DOWNLOAD_HASH_MISMATCH`.
 */
export async function requireFileHash(file: string, sha256: string): Promise<void> {
  const hash = createHash('sha256');
  await addFile(hash, file);
  requireEqualHash(hash.digest('hex'), sha256, file);
}

async function requireHash(hash: Hash, partial: string, sha256: string, url: string): Promise<void> {
  try {
    requireEqualHash(hash.digest('hex'), sha256, url);
  } catch (error) {
    await rm(partial);
    throw error;
  }
}

function requireEqualHash(found: string, expected: string, where: string): void {
  if (found === expected) return;
  throw new CausalTracerError(
    'DOWNLOAD_HASH_MISMATCH',
    `${where} is not what this version of causal-tracer expects: its SHA-256 is ${found}, not ${expected}. Nothing of it was used.`,
  );
}

async function addFile(hash: Hash, file: string): Promise<number> {
  let bytes = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return bytes;
}
