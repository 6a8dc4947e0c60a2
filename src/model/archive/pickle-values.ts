/** What a pickle leaves on the stack, as far as the check has to know it. */
export type PickleValue =
  | { readonly kind: 'none' | 'bool' | 'float' | 'tensor' }
  /** `value` is null beyond the numbers that JavaScript has exactly. */
  | { readonly kind: 'int'; readonly value: number | null }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tuple'; readonly items: readonly PickleValue[]; readonly depth: number }
  | PickleList
  | PickleDictionary
  /** A type of elements, such as `torch.FloatStorage`. */
  | { readonly kind: 'elementType'; readonly bytes: number }
  | { readonly kind: 'storage'; readonly elements: number }
  | { readonly kind: 'callable'; readonly name: Callable }
  | { readonly kind: 'class'; readonly className: string }
  | { readonly kind: 'object'; readonly className: string; readonly depth: number };

/** Filled once, right after it was made; before that nothing can refer to it, so that nothing can hold itself. */
export interface PickleList {
  readonly kind: 'list';
  depth: number;
  filled: boolean;
}

/** As {@link PickleList}, with strings for keys. */
export interface PickleDictionary {
  readonly kind: 'dictionary';
  readonly entries: Map<string, PickleValue>;
  depth: number;
  filled: boolean;
}

/** The functions of libtorch's unpickler that the pickles of traced modules call. */
export type Callable = 'rebuild tensor' | 'ordered dictionary' | 'type tag' | 'list of integers';

/** How deep values are nested in `value`, itself included. */
export function depthOf(value: PickleValue): number {
  return 'depth' in value ? value.depth : 0;
}
