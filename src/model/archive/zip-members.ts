import { isUtf8 } from 'node:buffer';
import { fromRandomAccessReaderPromise, type Entry, type ZipFile } from 'yauzl';
import { ArchiveReader, type ArchiveFile, type FileRange } from './archive-file.js';
import { DamagedArchive, UntrustedContent } from './findings.js';
import { LIMITS } from './limits.js';
import { readLocalSpan } from './zip-local-header.js';

/** A member as the central directory describes it, and as its local header confirms. */
export interface ZipMember {
  /** Full name, root folder included. */
  readonly name: string;
  readonly compressed: boolean;
  /** Bytes once unpacked. */
  readonly size: number;
  /** Bytes in the file. */
  readonly storedSize: number;
  readonly crc32: number;
  /** Where its local header begins, its content begins, and its last byte (a data descriptor's, if any) ends. */
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
}

const STORED = 0;
const DEFLATED = 8;
/** General purpose flags: how hard it was compressed, that sizes follow the content, that names are UTF-8. */
const HARMLESS_FLAGS = 0x0002 | 0x0004 | 0x0008 | 0x0800;
/** The most that a data descriptor has, and what a local header usually has with its extra fields. */
const [DESCRIPTOR_BYTES, HEADER_BYTES] = [24, 200];
const ZIP64_FIELD = 0x0001;
/** Of DOS. libtorch's zip reader leaves the memory for the content of such a member as it finds it. */
const FOLDER_ATTRIBUTE = 0x10;
/** The end record alone; with the zip64 end record and its locator. */
const END_RECORD_SIZES: readonly number[] = [22, 22 + 20 + 56];

/**
 * Lists the members of a zip archive, in the order of its central directory, and demands that any two readers see the
 * same: libtorch has a zip reader of its own.
 *
 * @throws DamagedArchive if there is no readable central directory; UntrustedContent where readers could differ.
 */
export async function readZipMembers(file: ArchiveFile): Promise<readonly ZipMember[]> {
  const reader = new ArchiveReader(file);
  const zip = await orDamaged(() =>
    fromRandomAccessReaderPromise(reader, file.size, {
      decodeStrings: false,
      validateEntrySizes: false,
      autoClose: false,
    }),
  );
  const directoryStart = zip.readEntryCursor as unknown as number;
  if (zip.comment.length > 0) throw archive('has a comment, in which a second central directory could hide');
  if (zip.entryCount > LIMITS.members)
    throw archive(`has ${zip.entryCount} members; ${LIMITS.members} are allowed`);
  const entries = await readEntries(zip);
  const directoryEnd = zip.readEntryCursor as unknown as number;
  if (!END_RECORD_SIZES.includes(file.size - directoryEnd)) {
    throw archive('has bytes between its central directory and its end that belong to neither');
  }
  await file.fetch(headerRanges(entries));
  const members: ZipMember[] = [];
  for (const entry of entries) members.push(await readMember(file, entry, directoryStart));
  requireNeighbours(members, directoryStart);
  return members;
}

async function readEntries(zip: ZipFile): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  const iterator = zip.eachEntry();
  for (;;) {
    const next = await orDamaged(() => iterator.next());
    if (next.done === true) return entries;
    entries.push(next.value);
  }
}

/** Where the local headers are, and before each of them the data descriptor of the member before it. */
function headerRanges(entries: readonly Entry[]): readonly FileRange[] {
  const ranges = entries.map(({ relativeOffsetOfLocalHeader: start, fileNameLength }) => ({
    start: Math.max(0, start - DESCRIPTOR_BYTES),
    end: start + HEADER_BYTES + fileNameLength,
  }));
  return ranges.sort((a, b) => a.start - b.start);
}

/** Members follow each other without gaps and overlaps, from the first byte to the central directory. */
function requireNeighbours(members: readonly ZipMember[], directoryStart: number): void {
  const inOrder = [...members].sort((a, b) => a.start - b.start);
  let end = 0;
  for (const { name, start, end: memberEnd } of inOrder) {
    if (start < end) throw new UntrustedContent(name, 'overlaps the member before it');
    if (start > end)
      throw new UntrustedContent(name, `has ${start - end} bytes before it that belong to no member`);
    end = memberEnd;
  }
  if (end !== directoryStart)
    throw archive('has bytes before its central directory that belong to no member');
}

async function readMember(file: ArchiveFile, entry: Entry, directoryStart: number): Promise<ZipMember> {
  const name = memberName(entry.fileNameRaw);
  const refuse = (finding: string): UntrustedContent => new UntrustedContent(name, finding);
  const { compressionMethod: method, generalPurposeBitFlag: flags } = entry;
  if (method !== STORED && method !== DEFLATED) throw refuse(`is compressed by the unknown method ${method}`);
  if ((flags & ~HARMLESS_FLAGS) !== 0) throw refuse(`has unknown zip flags (0x${flags.toString(16)})`);
  if (entry.fileCommentLength > 0) throw refuse('has a comment');
  if ((entry.externalFileAttributes & FOLDER_ATTRIBUTE) !== 0) throw refuse('is said to be a folder');
  requireUsualExtraFields(entry, refuse);
  const { compressedSize: storedSize, uncompressedSize: size, crc32 } = entry;
  const start = entry.relativeOffsetOfLocalHeader;
  const span = await readLocalSpan(file, entry, directoryStart, refuse);
  return { name, compressed: method === DEFLATED, size, storedSize, crc32, start, ...span };
}

/**
 * A central directory entry has no extra field but zip64's, of which every reader takes the values that are saturated
 * in the entry itself.
 */
function requireUsualExtraFields(entry: Entry, refuse: (finding: string) => UntrustedContent): void {
  if (entry.extraFieldLength === 0) return;
  const [zip64, ...others] = entry.extraFields;
  if (zip64?.id === ZIP64_FIELD && others.length === 0 && entry.extraFieldLength === 4 + zip64.data.length)
    return;
  throw refuse(
    'has extra fields in the central directory that zip readers could understand in different ways',
  );
}

/** Names are UTF-8 without control characters; only ASCII ones are looked up by libtorch, below the root folder. */
function memberName(bytes: Buffer): string {
  const printable = (): string => JSON.stringify(bytes.toString('latin1').slice(0, 80));
  if (bytes.length > LIMITS.nameBytes) throw new UntrustedContent(printable(), 'has a name that is too long');
  if (!isUtf8(bytes)) throw new UntrustedContent(printable(), 'has a name that is not UTF-8');
  const name = bytes.toString('utf8');
  if (/[\u0000-\u001f\u007f\\]/.test(name)) {
    throw new UntrustedContent(printable(), 'has a name with a backslash or a control character');
  }
  return name;
}

function archive(finding: string): UntrustedContent {
  return new UntrustedContent('the archive', finding);
}

async function orDamaged<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    throw new DamagedArchive(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
