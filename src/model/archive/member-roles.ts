import { UntrustedContent } from './findings.js';
import type { ZipMember } from './zip-members.js';

/** What a member of a TorchScript archive is for. */
export type MemberRole =
  /** Format version of the archive. */
  | 'version'
  /** `little` or `big`. */
  | 'byteorder'
  /** A pickle, with its tensors in the folder of the same name. */
  | 'pickle'
  | 'tensor'
  /** TorchScript source. */
  | 'code'
  /** Where in the Python source the code comes from: a pickle. */
  | 'debug'
  /** Read by nobody here. */
  | 'unread';

/** A member, named relative to the root folder. */
export interface RoledMember extends ZipMember {
  readonly path: string;
  readonly role: MemberRole;
}

/** The whole of what `torch.jit.save` writes. */
const ROLES: readonly (readonly [RegExp, MemberRole])[] = [
  [/^(?:data|constants|traced_inputs)\/\d+$/, 'tensor'],
  [/^code\/__torch__(?:\/\w+)*\.py$/, 'code'],
  [/^code\/__torch__(?:\/\w+)*\.py\.debug_pkl$/, 'debug'],
  [/^(?:data|constants|traced_inputs)\.pkl$/, 'pickle'],
  [/^(?:\.data\/)?version$/, 'version'],
  [/^byteorder$/, 'byteorder'],
  [/^\.data\/serialization_id$/, 'unread'],
  [/^extra(?:\/\w[\w.-]*)+$/, 'unread'],
];

/**
 * Gives each member its role, and maps them by their path below the root folder.
 *
 * @throws UntrustedContent for names that no TorchScript archive has, or that two members share.
 */
export function assignRoles(members: readonly ZipMember[]): ReadonlyMap<string, RoledMember> {
  const root = members[0]?.name.split('/')[0] ?? '';
  const byPath = new Map<string, RoledMember>();
  const taken = new Set<string>();
  for (const member of members) {
    const { name } = member;
    if (root === '' || root === '.' || root === '..' || !name.startsWith(`${root}/`)) {
      throw new UntrustedContent(name, `does not lie in the one root folder that an archive has ("${root}")`);
    }
    const path = name.slice(root.length + 1);
    const role = ROLES.find(([pattern]) => pattern.test(path))?.[1];
    if (role === undefined) throw new UntrustedContent(name, 'is no part of a TorchScript archive');
    // libtorch finds members without regard to case.
    const folded = path.toLowerCase();
    if (taken.has(folded)) throw new UntrustedContent(name, 'is there twice, up to upper and lower case');
    taken.add(folded);
    byPath.set(path, { ...member, path, role });
  }
  return byPath;
}
