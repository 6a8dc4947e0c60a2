import type { Callable, PickleValue } from './pickle-values.js';

/** Sizes of the elements of a storage in bytes. Quantised ones are no part of what is traced here. */
const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  DoubleStorage: 8,
  FloatStorage: 4,
  HalfStorage: 2,
  BFloat16Storage: 2,
  LongStorage: 8,
  IntStorage: 4,
  ShortStorage: 2,
  CharStorage: 1,
  ByteStorage: 1,
  BoolStorage: 1,
  ComplexFloatStorage: 8,
  ComplexDoubleStorage: 16,
};

const CALLABLE_GLOBALS: Readonly<Record<string, Callable>> = {
  'torch._utils._rebuild_tensor_v2': 'rebuild tensor',
  'collections.OrderedDict': 'ordered dictionary',
};

/** Only in pickles that libtorch does not read when it loads a module: they hold no modules, but plain lists. */
const PLAIN_GLOBALS: Readonly<Record<string, Callable>> = {
  'torch.jit._pickle.restore_type_tag': 'type tag',
  'torch.jit._pickle.build_intlist': 'list of integers',
};

/** What a pickle may name, apart from the classes that the archive's code defines; undefined for anything else. */
export function findGlobal(module: string, name: string, plain: boolean): PickleValue | undefined {
  const qualified = `${module}.${name}`;
  if (module === 'torch' && Object.hasOwn(ELEMENT_BYTES, name)) {
    return { kind: 'elementType', bytes: ELEMENT_BYTES[name] ?? 0 };
  }
  const globals = plain ? { ...CALLABLE_GLOBALS, ...PLAIN_GLOBALS } : CALLABLE_GLOBALS;
  const callable = Object.hasOwn(globals, qualified) ? globals[qualified] : undefined;
  return callable === undefined ? undefined : { kind: 'callable', name: callable };
}
