/** Far above what models need, and low enough that the check itself, and libtorch's reading, stay cheap. */
export const LIMITS = {
  /** Members of an archive. A traced layer has about 30. */
  members: 20_000,
  /** Bytes of a member's name. libtorch's zip reader cuts names off at 512. */
  nameBytes: 500,
  /** Bytes of one member that is read whole: a pickle or source code. */
  readBytes: 64 * 2 ** 20,
  /** Bytes that all compressed members together unpack to. */
  unpackedBytes: 256 * 2 ** 20,
  /** How many times its size a compressed member may unpack to, once it is larger than `smallBytes`. */
  compressionRatio: 100,
  smallBytes: 2 ** 16,
  /** Nested tuples, lists, dictionaries and objects in a pickle. */
  pickleDepth: 200,
  /** Elements of a tensor, which can be more than its storage has where it repeats them. */
  tensorElements: 2 ** 40,
  /** Dimensions of a tensor. */
  dimensions: 64,
  /** Modules inside of modules. */
  moduleDepth: 64,
  /** Modules of a model, a shared one counted once for each of its names. */
  modules: 200_000,
  /** Nested brackets in source code. */
  bracketDepth: 64,
  /** Parts of one type, such as a tuple of tuples. */
  typeParts: 1000,
  /** Statements and calls of one forward pass, those of submodules counted at each call. */
  forwardSteps: 250_000,
  /**
   * Calls of which each needs the result of the one before it. libtorch follows some of them recursively: twice as many can
   * overflow a thread's stack. Models of a hundred layers have about 5,000.
   */
  forwardChain: 10_000,
} as const;
