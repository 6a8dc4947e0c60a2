import { promisify } from 'node:util';
import { crc32, inflateRaw, type ZlibOptions } from 'node:zlib';
import type { ArchiveFile } from './archive-file.js';
import { UntrustedContent } from './findings.js';
import type { ZipMember } from './zip-members.js';

/** What `inflateRaw` gives with its option `info`. */
interface Inflated {
  readonly buffer: Buffer;
  /** `bytesWritten` is how much of the input was used. */
  readonly engine: { readonly bytesWritten: number };
}

const inflateWithInfo = promisify(inflateRaw) as unknown as (
  input: Buffer,
  options: ZlibOptions & { readonly info: true },
) => Promise<Inflated>;

/**
 * Reads a member whole, and unpacks it.
 *
 * @throws UntrustedContent if it is not what its headers say; DamagedArchive if the file ends before.
 */
export async function readContent(file: ArchiveFile, member: ZipMember): Promise<Buffer> {
  const stored = await file.read(member.contentStart, member.storedSize);
  const content = member.compressed ? await inflate(stored, member) : stored;
  if (crc32(content) !== member.crc32) throw new UntrustedContent(member.name, 'does not have its checksum');
  return content;
}

async function inflate(stored: Buffer, { name, size }: ZipMember): Promise<Buffer> {
  let inflated: Inflated;
  try {
    // One byte more than is expected shows that there is more.
    inflated = await inflateWithInfo(stored, { info: true, maxOutputLength: size + 1 });
  } catch {
    throw new UntrustedContent(name, 'cannot be unpacked to the size that it claims');
  }
  const { buffer, engine } = inflated;
  if (buffer.length !== size || engine.bytesWritten !== stored.length) {
    throw new UntrustedContent(name, 'does not unpack to the size that it claims');
  }
  return buffer;
}
