import type { UntrustedContent } from './findings.js';
import { LIMITS } from './limits.js';
import { depthOf, type PickleValue } from './pickle-values.js';

/** The stack, the marks in it, and the memory of an unpickler. What would go beyond them is refused. */
export class PickleStack {
  readonly #values: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memory: PickleValue[] = [];

  /** @param refuse makes the error for a finding. */
  constructor(private readonly refuse: (finding: string) => UntrustedContent) {}

  push(value: PickleValue): void {
    this.#values.push(value);
  }

  pushTuple(items: readonly PickleValue[]): void {
    this.push({ kind: 'tuple', items, depth: this.#nesting(items) });
  }

  mark(): void {
    this.#marks.push(this.#values.length);
  }

  /** Takes the topmost values; those below the last mark cannot be had. */
  pop(count: number): readonly PickleValue[] {
    if (this.#values.length - count < (this.#marks.at(-1) ?? 0))
      throw this.refuse('takes more than there is');
    return this.#values.splice(this.#values.length - count);
  }

  pop1(): PickleValue {
    const [value] = this.pop(1);
    if (value === undefined) throw this.refuse('takes more than there is');
    return value;
  }

  pop2(): readonly [PickleValue, PickleValue] {
    const second = this.pop1();
    return [this.pop1(), second];
  }

  popToMark(): readonly PickleValue[] {
    const start = this.#marks.pop();
    if (start === undefined) throw this.refuse('ends what has not begun');
    return this.#values.splice(start);
  }

  fillList(items: readonly PickleValue[]): void {
    const list = this.#values.at(-1);
    if (list?.kind !== 'list' || list.filled) throw this.refuse('appends to what is no new list');
    list.depth = this.#nesting(items);
    list.filled = true;
  }

  fillDictionary(items: readonly PickleValue[]): void {
    const dictionary = this.#values.at(-1);
    if (dictionary?.kind !== 'dictionary' || dictionary.filled || items.length % 2 !== 0) {
      throw this.refuse('sets entries of what is no new dictionary');
    }
    for (let i = 0; i < items.length; i += 2) {
      const [key, value] = [items[i], items[i + 1]];
      if (key?.kind !== 'string' || value === undefined) throw this.refuse('has a key that is no string');
      if (dictionary.entries.has(key.value)) throw this.refuse(`has the key "${key.value}" twice`);
      dictionary.entries.set(key.value, value);
    }
    dictionary.depth = this.#nesting(items);
    dictionary.filled = true;
  }

  /** Ids are given in order, so that no id can ask for more memory than the pickle has operations. */
  memorise(id: number): void {
    const value = this.#values.at(-1);
    if (value === undefined || id !== this.#memory.length) throw this.refuse('memorises out of order');
    this.#memory.push(value);
  }

  recall(id: number): void {
    const value = this.#memory[id];
    if (value === undefined) throw this.refuse('recalls what it has not memorised');
    if ('filled' in value && !value.filled)
      throw this.refuse('uses a list or dictionary before it is filled');
    this.push(value);
  }

  /** Takes the empty tuple of arguments from which a class makes an object without state. */
  dropNoArguments(): void {
    const [callee, none] = this.pop2();
    if (callee.kind !== 'class' || none.kind !== 'tuple' || none.items.length > 0) {
      throw this.refuse('makes an object of what is no class, or with arguments');
    }
    this.push(callee);
  }

  result(): PickleValue {
    const [value, ...more] = this.#values;
    if (value === undefined || more.length > 0 || this.#marks.length > 0) {
      throw this.refuse('leaves other than one value');
    }
    return value;
  }

  #nesting(items: readonly PickleValue[]): number {
    let depth = 1;
    for (const item of items) depth = Math.max(depth, depthOf(item) + 1);
    if (depth > LIMITS.pickleDepth) throw this.refuse('is nested too deeply');
    return depth;
  }
}
