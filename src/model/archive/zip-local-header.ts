import type { Entry } from 'yauzl';
import type { ArchiveFile } from './archive-file.js';
import type { UntrustedContent } from './findings.js';

/** Where a member's content begins, and where the member ends. */
export interface LocalSpan {
  readonly contentStart: number;
  readonly end: number;
}

const HEADER_BYTES = 30;
const HEADER_SIGNATURE = 0x04034b50;
const DESCRIPTOR_SIGNATURE = 0x08074b50;
const SIZES_FOLLOW = 0x0008;
const SATURATED = 0xffffffff;
const ZIP64_FIELD = 0x0001;

/**
 * Reads a member's local header, which has to say what the central directory does: some readers follow the one, some
 * the other.
 *
 * @param limit the offset at which the members must have ended.
 * @throws what `refuse` makes of a difference.
 */
export async function readLocalSpan(
  file: ArchiveFile,
  entry: Entry,
  limit: number,
  refuse: (finding: string) => UntrustedContent,
): Promise<LocalSpan> {
  const start = entry.relativeOffsetOfLocalHeader;
  if (start + HEADER_BYTES > limit) throw refuse('begins behind the members');
  const header = await file.read(start, HEADER_BYTES);
  if (header.readUInt32LE(0) !== HEADER_SIGNATURE) throw refuse('has no local header where it should begin');
  const nameLength = header.readUInt16LE(26);
  const extraLength = header.readUInt16LE(28);
  const contentStart = start + HEADER_BYTES + nameLength + extraLength;
  const contentEnd = contentStart + entry.compressedSize;
  if (contentEnd > limit) throw refuse('is truncated: it reaches beyond the end of the members');
  const rest = await file.read(start + HEADER_BYTES, nameLength + extraLength);
  const differs = (): UntrustedContent =>
    refuse('has a local header that says something else than the central directory');
  const flags = header.readUInt16LE(6);
  if (flags !== entry.generalPurposeBitFlag || header.readUInt16LE(8) !== entry.compressionMethod)
    throw differs();
  if (!rest.subarray(0, nameLength).equals(entry.fileNameRaw)) throw differs();
  const sizesFollow = (flags & SIZES_FOLLOW) !== 0;
  const known = (found: number, expected: number): boolean =>
    found === expected || (sizesFollow && found === 0);
  const zip64 = zip64Sizes(rest.subarray(nameLength));
  const size = header.readUInt32LE(22);
  const storedSize = header.readUInt32LE(18);
  if (
    !known(header.readUInt32LE(14), entry.crc32) ||
    !known(size === SATURATED ? (zip64?.size ?? size) : size, entry.uncompressedSize) ||
    !known(storedSize === SATURATED ? (zip64?.storedSize ?? storedSize) : storedSize, entry.compressedSize)
  ) {
    throw differs();
  }
  if (!sizesFollow) return { contentStart, end: contentEnd };
  return { contentStart, end: contentEnd + (await descriptorBytes(file, entry, contentEnd, limit, differs)) };
}

/** The size of the data descriptor behind a member's content, after it has been compared. */
async function descriptorBytes(
  file: ArchiveFile,
  entry: Entry,
  start: number,
  limit: number,
  differs: () => UntrustedContent,
): Promise<number> {
  for (const width of [8, 4]) {
    const length = 8 + 2 * width;
    if (start + length > limit) continue;
    const bytes = await file.read(start, length);
    if (bytes.readUInt32LE(0) !== DESCRIPTOR_SIGNATURE || bytes.readUInt32LE(4) !== entry.crc32) continue;
    const [storedSize, size] = [8, 8 + width].map((offset) =>
      width === 8 ? Number(bytes.readBigUInt64LE(offset)) : bytes.readUInt32LE(offset),
    );
    if (storedSize === entry.compressedSize && size === entry.uncompressedSize) return length;
  }
  throw differs();
}

/** The sizes of a local header's zip64 field, which has both or neither. */
function zip64Sizes(extra: Buffer): { readonly size: number; readonly storedSize: number } | null {
  let offset = 0;
  while (offset + 4 <= extra.length) {
    const length = extra.readUInt16LE(offset + 2);
    const found = extra.readUInt16LE(offset) === ZIP64_FIELD;
    if (found && length >= 16 && offset + 4 + length <= extra.length) {
      return {
        size: Number(extra.readBigUInt64LE(offset + 4)),
        storedSize: Number(extra.readBigUInt64LE(offset + 12)),
      };
    }
    offset += 4 + length;
  }
  return null;
}
