/** The file is no zip archive, or a damaged one: nothing in it can be read, by libtorch neither. */
export class DamagedArchive extends Error {}

/** The archive holds something that a traced model has no need of, and that could do harm. */
export class UntrustedContent extends Error {
  constructor(
    /** The member of the archive, or the archive itself. */
    readonly member: string,
    /** What was found, as a clause whose subject is the member: `names the global os.system`. */
    readonly finding: string,
  ) {
    super(`${member} ${finding}`);
  }
}
