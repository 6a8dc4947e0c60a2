import { read } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { RandomAccessReader } from 'yauzl';
import { DamagedArchive } from './findings.js';

/** How much is read at once: most members but the tensors are small, and neighbours. */
const BLOCK_BYTES = 2 ** 16;
/** Ranges that lie closer together than this are read at once. */
const CLOSE_BYTES = 2 ** 13;
/** How many reads are under way at once, at most. */
const READS_AT_ONCE = 64;

/** The bytes `[start, end)` of a file. */
export interface FileRange {
  readonly start: number;
  readonly end: number;
}

interface Block {
  readonly start: number;
  readonly bytes: Buffer;
}

/** A file of any size that is read in pieces, asynchronously. */
export class ArchiveFile {
  #last: Block = { start: 0, bytes: Buffer.alloc(0) };
  /** In order of their starts. */
  #fetched: readonly Block[] = [];

  private constructor(
    private readonly handle: FileHandle,
    /** In bytes. */
    readonly size: number,
  ) {}

  /** Opens a file; throws what the file system does. */
  static async open(path: string): Promise<ArchiveFile> {
    const handle = await open(path, 'r');
    try {
      return new ArchiveFile(handle, (await handle.stat()).size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * The bytes `[start, start + length)`.
   *
   * @throws DamagedArchive where the file ends before.
   */
  async read(start: number, length: number): Promise<Buffer> {
    const known = this.readAgain(start, length);
    if (known !== null) return known;
    if (start < 0 || start + length > this.size) throw new DamagedArchive('it ends too early');
    this.#last = await this.#readBlock(start, Math.max(length, BLOCK_BYTES));
    if (this.#last.bytes.length < length) throw new DamagedArchive('it ends too early');
    return this.#last.bytes.subarray(0, length);
  }

  /** The bytes if they have been read already and are still there; else null. */
  readAgain(start: number, length: number): Buffer | null {
    return part(this.#last, start, length) ?? part(this.#findFetched(start), start, length);
  }

  /** Reads ahead what will be read, which is much faster than one piece after the other; in order of their starts. */
  async fetch(ranges: readonly FileRange[]): Promise<void> {
    const joined: { start: number; end: number }[] = [];
    for (const { start, end } of ranges) {
      const last = joined.at(-1);
      if (last !== undefined && start - last.end < CLOSE_BYTES) last.end = Math.max(last.end, end);
      else joined.push({ start, end });
    }
    const fetched: Block[] = [];
    for (let i = 0; i < joined.length; i += READS_AT_ONCE) {
      const reads = joined
        .slice(i, i + READS_AT_ONCE)
        .map(({ start, end }) => this.#readBlock(start, end - start));
      fetched.push(...(await Promise.all(reads)));
    }
    this.#fetched = fetched;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  /** The last fetched block that begins at `start` or before. */
  #findFetched(start: number): Block | undefined {
    let [low, high] = [0, this.#fetched.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#fetched[middle]?.start ?? 0) <= start) low = middle + 1;
      else high = middle;
    }
    return this.#fetched[low - 1];
  }

  /** Reads what there is of a range. */
  #readBlock(start: number, length: number): Promise<Block> {
    const block = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.size - start)));
    return new Promise((resolve, reject) => {
      // Several times as fast as the handle's own method.
      read(this.handle.fd, block, 0, block.length, start, (error, bytesRead) => {
        if (error === null) resolve({ start, bytes: block.subarray(0, bytesRead) });
        else reject(error);
      });
    });
  }
}

function part(block: Block | undefined, start: number, length: number): Buffer | null {
  if (block === undefined) return null;
  const offset = start - block.start;
  if (offset < 0 || offset + length > block.bytes.length) return null;
  return block.bytes.subarray(offset, offset + length);
}

/** What the zip reader reads an {@link ArchiveFile} through. */
export class ArchiveReader extends RandomAccessReader {
  constructor(private readonly file: ArchiveFile) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    const known = this.file.readAgain(position, length);
    if (known !== null) {
      known.copy(buffer, offset);
      callback(null);
      return;
    }
    this.file.read(position, length).then(
      (bytes) => {
        bytes.copy(buffer, offset);
        callback(null);
      },
      (error: unknown) => {
        callback(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }
}
