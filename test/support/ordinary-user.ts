const NOBODY = 65534;

/**
 * Runs `work` with the rights of an ordinary user also where the tests run as root, whom permissions do not stop. Gives
 * false without having run it where that cannot be done.
 */
export async function asOrdinaryUser(work: () => Promise<void>): Promise<boolean> {
  if (process.geteuid === undefined || process.seteuid === undefined) return false;
  const user = process.geteuid();
  if (user === 0) {
    try {
      process.seteuid(NOBODY);
    } catch {
      return false; // A container may know no other user.
    }
  }
  try {
    await work();
    return true;
  } finally {
    process.seteuid(user);
  }
}
