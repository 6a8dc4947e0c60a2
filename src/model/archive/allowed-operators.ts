/**
 * The operators of ATen that the code of a model may call: arithmetic on tensors and numbers that it is given. None of
 * them reads or writes files, prints, starts threads or processes, calls back, or reaches memory that is not a tensor's.
 * They can take time and memory, as any model can; sizes that cannot be had fail as out of memory.
 *
 * Not here on purpose, though they look harmless: `from_file` and `save`; `set_`, `resize_`, `as_strided` (other views of
 * the same memory); `warn`, `format`; `_` operators that are internal to libtorch, but those that tracing writes.
 */
const OPERATORS: Readonly<Record<string, string>> = {
  arithmetic: `
    abs absolute add addcdiv addcmul ceil clamp clamp_max clamp_min clip copysign div divide exp exp2 expm1 float_power
    floor floor_divide floordiv fmod frac hypot ldexp lerp log log10 log1p log2 logaddexp logaddexp2 maximum minimum
    mul multiply nan_to_num neg negative positive pow reciprocal remainder round rsqrt rsub sgn sign signbit sqrt square sub subtract
    true_divide trunc xlogy`,
  functions: `
    acos acosh arccos arcsin arctan asin asinh atan atan2 atanh cos cosh digamma erf erfc erfinv lgamma sin sinc sinh tan
    tanh special_erf special_erfc special_expit special_expm1 special_log1p special_logsumexp special_softmax`,
  activations: `
    celu elu gelu glu hardshrink hardsigmoid hardswish hardtanh leaky_relu log_sigmoid log_softmax logit mish prelu relu
    relu6 selu sigmoid silu softmax softplus softshrink threshold`,
  comparison: `
    eq equal fmax fmin ge greater greater_equal gt isclose isfinite isin isinf isnan le less less_equal lt ne not_equal
    where`,
  logic: `
    __and__ __lshift__ __or__ __rshift__ __xor__ bitwise_and bitwise_left_shift bitwise_not bitwise_or
    bitwise_right_shift bitwise_xor logical_and logical_not logical_or logical_xor`,
  products: `
    _convolution _grouped_mm addbmm addmm addmv baddbmm bilinear bmm conv1d conv2d convolution cross dot einsum inner kron
    linear matmul mm mv outer scaled_dot_product_attention tensordot vdot`,
  normalisation: `
    batch_norm dropout embedding group_norm instance_norm layer_norm linalg_norm linalg_vector_norm native_layer_norm norm
    rms_norm`,
  pooling: `
    avg_pool1d adaptive_avg_pool1d max_pool1d`,
  reductions: `
    all amax amin aminmax any argmax argmin argsort bincount bucketize count_nonzero cummax cummin cumprod cumsum diff
    histc kthvalue logcumsumexp logsumexp max mean median min mode nanmean nansum prod quantile searchsorted sort std
    std_mean sum topk unique_consecutive unique_dim var var_mean`,
  shapes: `
    alias block_diag broadcast_tensors broadcast_to cat chunk clone concat concatenate constant_pad_nd contiguous detach
    diag diag_embed diagonal dim expand expand_as flatten flip hsplit hstack len mT meshgrid movedim moveaxis narrow numel
    numpy_T pad permute ravel repeat repeat_interleave reshape reshape_as roll rot90 select size slice split
    split_with_sizes squeeze stack swapaxes swapdims t tensor_split tile transpose tril triu unbind unflatten unfold
    unsqueeze view view_as vsplit vstack`,
  indexing: `
    argwhere gather index index_add index_copy index_fill index_put index_select masked_fill masked_scatter masked_select
    nonzero nonzero_numpy one_hot put scatter scatter_add scatter_reduce select_scatter slice_scatter take take_along_dim`,
  creation: `
    arange empty empty_like eye full full_like linspace new_empty new_full new_ones new_zeros ones ones_like scalar_tensor
    tensor tril_indices triu_indices zeros zeros_like`,
  conversion: `
    Bool Float Int ScalarImplicit IntImplicit FloatImplicit _cast_Float _cast_Int _cast_Long item to type_as`,
  complex: `
    angle complex conj imag polar real resolve_conj resolve_neg view_as_complex view_as_real`,
  inPlace: `
    abs_ add_ addcdiv_ addcmul_ bitwise_and_ bitwise_not_ bitwise_or_ ceil_ clamp_ clamp_max_ clamp_min_ copy_ cos_ cumsum_
    div_ eq_ erf_ exp_ fill_ floor_ floor_divide_ ge_ gt_ index_add_ index_copy_ index_fill_ index_put_ le_ lerp_ log_
    logical_and_ logical_not_ logical_or_ lt_ masked_fill_ masked_scatter_ mul_ ne_ neg_ pow_ reciprocal_ relu_ remainder_
    round_ rsqrt_ scatter_ scatter_add_ scatter_reduce_ sigmoid_ silu_ sin_ sqrt_ square_ sub_ tanh_ tril_ triu_ zero_`,
};

/** What tracing writes as `ops.prim`: numbers and properties of tensors. */
const PRIMITIVES: ReadonlySet<string> = new Set([
  'NumToTensor',
  'abs',
  'device',
  'dtype',
  'layout',
  'max',
  'min',
]);

const ALLOWED: ReadonlySet<string> = new Set(
  Object.values(OPERATORS).flatMap((group) => group.trim().split(/\s+/)),
);

/** Every allowed operator, as `torch.<name>` or `ops.aten.<name>`. */
export const ALLOWED_OPERATORS: readonly string[] = [...ALLOWED];

export function isAllowedOperator(name: string): boolean {
  return ALLOWED.has(name);
}

/** Whether `ops.prim.<name>` may be called. */
export function isAllowedPrimitive(name: string): boolean {
  return PRIMITIVES.has(name);
}
