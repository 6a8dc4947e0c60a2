/** The bytes of a pickle, read in order. */
export class PickleInput {
  #position = 0;

  /** @param tooShort makes the error for a pickle that ends in the middle of an operation. */
  constructor(
    private readonly bytes: Buffer,
    private readonly tooShort: () => Error,
  ) {}

  /** How many bytes have been read. */
  get position(): number {
    return this.#position;
  }

  get atEnd(): boolean {
    return this.#position === this.bytes.length;
  }

  byte(): number {
    return this.bytes.readUInt8(this.#advance(1));
  }

  unsigned16(): number {
    return this.bytes.readUInt16LE(this.#advance(2));
  }

  unsigned32(): number {
    return this.bytes.readUInt32LE(this.#advance(4));
  }

  signed32(): number {
    return this.bytes.readInt32LE(this.#advance(4));
  }

  /** Not exact beyond 53 bits. */
  signed64(): number {
    return Number(this.bytes.readBigInt64LE(this.#advance(8)));
  }

  skip(count: number): void {
    this.#advance(count);
  }

  text(length: number): string {
    const start = this.#advance(length);
    return this.bytes.toString('utf8', start, this.#position);
  }

  /** The text up to the next line feed, which is skipped. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.#position);
    if (end === -1) throw this.tooShort();
    const text = this.bytes.toString('latin1', this.#position, end);
    this.#position = end + 1;
    return text;
  }

  /** Goes on by so many bytes; gives where they begin. */
  #advance(count: number): number {
    const start = this.#position;
    if (start + count > this.bytes.length) throw this.tooShort();
    this.#position = start + count;
    return start;
  }
}
