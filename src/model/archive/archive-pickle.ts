import { UntrustedContent } from './findings.js';
import type { RoledMember } from './member-roles.js';
import type { ModuleClasses } from './module-classes.js';
import { findStateProblem } from './object-check.js';
import { findGlobal } from './pickle-globals.js';
import { readPickle, type PickleWorld } from './pickle-reader.js';
import { describeStorage, findTensorProblem } from './pickle-tensors.js';
import { depthOf, type PickleValue } from './pickle-values.js';

/** What a pickle of an archive may refer to. */
export interface PickleSurroundings {
  /** The archive's members by their path. */
  readonly members: ReadonlyMap<string, RoledMember>;
  /** The classes of which it may hold objects. */
  readonly classes: ModuleClasses;
  /** Whether it is one that libtorch does not read here; those hold lists, and name tensors that were not saved. */
  readonly plain: boolean;
}

/**
 * Reads one pickle of an archive, and checks that its tensors are what their members hold.
 *
 * @returns the value that it describes.
 * @throws UntrustedContent
 */
export function readArchivePickle(
  member: RoledMember,
  bytes: Buffer,
  surroundings: PickleSurroundings,
): PickleValue {
  const world = new ArchiveWorld(member, surroundings);
  const value = readPickle(bytes, member.name, world);
  world.requireAllTensorsUsed();
  return value;
}

class ArchiveWorld implements PickleWorld {
  readonly #folder: string;
  readonly #used = new Set<string>();

  constructor(
    private readonly member: RoledMember,
    private readonly surroundings: PickleSurroundings,
  ) {
    this.#folder = `${member.path.slice(0, -'.pkl'.length)}/`;
  }

  global(module: string, name: string): PickleValue | undefined {
    const className = `${module}.${name}`;
    if (this.surroundings.classes.has(className)) return { kind: 'class', className };
    return findGlobal(module, name, this.surroundings.plain);
  }

  call(callee: PickleValue, argument: PickleValue): PickleValue {
    if (callee.kind === 'class') return this.#makeObject(callee.className, argument);
    if (callee.kind !== 'callable') throw this.#refuse('calls what is no function');
    switch (callee.name) {
      case 'rebuild tensor': {
        const problem = findTensorProblem(argument);
        if (problem !== null) throw this.#refuse(problem);
        return { kind: 'tensor' };
      }
      case 'ordered dictionary':
        // Hooks of a tensor: libtorch puts None in their place.
        if (argument.kind === 'tuple' && argument.items.length === 0) return { kind: 'none' };
        throw this.#refuse('has a dictionary of hooks');
      case 'type tag':
      case 'list of integers':
        return this.#tagged(argument);
    }
  }

  storage(description: PickleValue): PickleValue {
    const storage = describeStorage(description);
    if (typeof storage === 'string') throw this.#refuse(storage);
    const path = this.#folder + storage.key;
    // libtorch reads a member again for every storage that names it.
    if (this.#used.has(path)) throw this.#refuse(`has two storages in ${path}`);
    this.#used.add(path);
    const found = this.surroundings.members.get(path)?.size ?? 0;
    if (found !== storage.bytes && !this.surroundings.plain) {
      throw this.#refuse(`has a storage of ${storage.bytes} bytes in ${path}, which has ${found}`);
    }
    return { kind: 'storage', elements: storage.elements };
  }

  requireAllTensorsUsed(): void {
    for (const { path, name } of this.surroundings.members.values()) {
      if (path.startsWith(this.#folder) && !this.#used.has(path)) {
        throw new UntrustedContent(name, `is a tensor that ${this.member.path} does not have`);
      }
    }
  }

  #makeObject(className: string, state: PickleValue): PickleValue {
    const defined = this.surroundings.classes.get(className);
    if (defined === undefined || state.kind !== 'dictionary')
      throw this.#refuse('has an object without a state');
    const problem = findStateProblem(defined, state);
    if (problem !== null) throw this.#refuse(problem);
    return { kind: 'object', className, depth: depthOf(state) + 1 };
  }

  /** A list or dictionary with the name of its type, or a list alone. */
  #tagged(argument: PickleValue): PickleValue {
    const [content] = argument.kind === 'tuple' ? argument.items : [];
    if (content?.kind === 'list' || content?.kind === 'dictionary') return content;
    throw this.#refuse('gives a type to what is no list or dictionary');
  }

  #refuse(finding: string): UntrustedContent {
    return new UntrustedContent(this.member.name, finding);
  }
}
