/** A type: `Tensor`, `List[Optional[Tensor]]`, `__torch__.package.Class`. */
export interface TypeExpression {
  readonly name: string;
  readonly parameters: readonly TypeExpression[];
}

export type Expression =
  /** A number, a string, None, True, False, or an infinity. */
  | { readonly kind: 'constant' }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'attribute'; readonly object: Expression; readonly name: string }
  /** An element of a tuple or list, by a constant index. */
  | { readonly kind: 'element'; readonly object: Expression }
  | { readonly kind: 'tuple' | 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'annotate'; readonly type: TypeExpression; readonly value: Expression }
  | {
      readonly kind: 'call';
      readonly callee: Expression;
      readonly positional: readonly Expression[];
      readonly named: readonly { readonly name: string; readonly value: Expression }[];
    };

export interface Statement {
  readonly line: number;
  /** The names that are assigned; none where the value is only computed, or returned. */
  readonly targets: readonly string[];
  readonly returns: boolean;
  readonly value: Expression;
}

export interface Method {
  readonly name: string;
  readonly line: number;
  /** Without `self`. */
  readonly parameters: readonly { readonly name: string; readonly type: TypeExpression }[];
  readonly selfType: TypeExpression;
  readonly result: TypeExpression;
  readonly body: readonly Statement[];
}

/** The class of a module. */
export interface ModuleClass {
  readonly name: string;
  readonly line: number;
  readonly attributes: ReadonlyMap<string, TypeExpression>;
  readonly methods: ReadonlyMap<string, Method>;
}
