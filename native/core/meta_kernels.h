#pragma once

namespace causal_tracer {

/// Gives the meta device the operators for which libtorch brings its kernels in Python only. They compute on
/// zeros of the same shapes, and refuse to mix with tensors of other devices, as libtorch's own do.
void CompleteMetaKernels();

}  // namespace causal_tracer
