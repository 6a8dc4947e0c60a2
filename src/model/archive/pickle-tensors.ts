import { LIMITS } from './limits.js';
import type { PickleValue } from './pickle-values.js';

/** A storage's description: `('storage', type, key, device, number of elements)`. */
export interface StorageDescription {
  /** Name of its member in the pickle's folder. */
  readonly key: string;
  readonly elements: number;
  readonly bytes: number;
}

/** Understands a storage's description; gives what is wrong with it as a string. */
export function describeStorage(description: PickleValue): StorageDescription | string {
  if (description.kind !== 'tuple' || description.items.length !== 5)
    return 'has a storage without description';
  const [tag, type, key, device, count] = description.items;
  if (tag?.kind !== 'string' || tag.value !== 'storage') return 'has a persistent value that is no storage';
  if (type?.kind !== 'elementType') return 'has a storage without a type of elements';
  if (key?.kind !== 'string' || !/^\d+$/.test(key.value)) return 'has a storage that is named by no number';
  if (device?.kind !== 'string' || !/^(?:cpu|cuda:\d{1,3})$/.test(device.value)) {
    return 'has a storage on an unknown device';
  }
  if (count?.kind !== 'int' || count.value === null || count.value < 0) return 'has a storage without a size';
  return { key: key.value, elements: count.value, bytes: count.value * type.bytes };
}

/**
 * Checks the arguments `(storage, offset, sizes, strides, requires_grad, hooks)` from which a tensor is made: all its
 * elements lie in its storage. Gives what is wrong as a string.
 */
export function findTensorProblem(argument: PickleValue): string | null {
  if (argument.kind !== 'tuple' || argument.items.length !== 6) return 'makes a tensor in an unknown way';
  const [storage, offset, sizes, strides, gradient, hooks] = argument.items;
  if (storage?.kind !== 'storage') return 'makes a tensor without a storage';
  if (gradient?.kind !== 'bool' || hooks?.kind !== 'none') return 'makes a tensor in an unknown way';
  const lengths = naturalNumbers(sizes);
  const steps = naturalNumbers(strides);
  if (
    offset?.kind !== 'int' ||
    offset.value === null ||
    offset.value < 0 ||
    lengths === null ||
    steps === null
  ) {
    return 'makes a tensor whose sizes, strides or offset are no natural numbers';
  }
  if (lengths.length !== steps.length || lengths.length > LIMITS.dimensions) {
    return 'makes a tensor whose sizes and strides do not agree';
  }
  if (lengths.reduce((product, length) => product * length, 1) > LIMITS.tensorElements) {
    return `makes a tensor of sizes [${lengths.join(', ')}], more elements than any tensor has`;
  }
  const empty = lengths.includes(0);
  const last = lengths.reduce((sum, length, i) => sum + (length - 1) * (steps[i] ?? 0), offset.value);
  if (empty ? offset.value > storage.elements : last >= storage.elements) {
    return `makes a tensor of sizes [${lengths.join(', ')}] that reaches beyond its storage of ${storage.elements} elements`;
  }
  return null;
}

function naturalNumbers(value: PickleValue | undefined): readonly number[] | null {
  if (value?.kind !== 'tuple') return null;
  const numbers: number[] = [];
  for (const item of value.items) {
    if (item.kind !== 'int' || item.value === null || item.value < 0) return null;
    numbers.push(item.value);
  }
  return numbers;
}
