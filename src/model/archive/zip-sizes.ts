import { UntrustedContent } from './findings.js';
import { LIMITS } from './limits.js';
import type { RoledMember } from './member-roles.js';

/**
 * Bounds what reading the archive can cost: tensors are not compressed, so that they take no more memory than the file
 * has bytes, and the rest is small.
 *
 * @throws UntrustedContent
 */
export function requireReasonableSizes(members: Iterable<RoledMember>): void {
  let unpacked = 0;
  for (const member of members) {
    const { name, role, compressed, size, storedSize } = member;
    if (!compressed && size !== storedSize) throw new UntrustedContent(name, 'has two sizes');
    if (role === 'tensor' && compressed) {
      throw new UntrustedContent(name, 'is a compressed tensor; TorchScript stores tensors as they are');
    }
    if (role !== 'tensor' && size > LIMITS.readBytes) {
      throw new UntrustedContent(name, `has ${size} bytes; ${LIMITS.readBytes} are allowed`);
    }
    if (!compressed) continue;
    unpacked += size;
    if (
      unpacked > LIMITS.unpackedBytes ||
      (size > LIMITS.smallBytes && size > LIMITS.compressionRatio * storedSize)
    ) {
      throw new UntrustedContent(
        name,
        `unpacks from ${storedSize} to ${size} bytes, as a compression bomb does`,
      );
    }
  }
}
