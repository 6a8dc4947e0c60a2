#pragma once

namespace causal_tracer {

/// Hands memory that has been freed back to the system, where the C library would keep it (glibc). What a
/// large job frees lies in pieces between what stays, so that the process would grow from one job to the
/// next.
void ReturnFreedMemory();

}  // namespace causal_tracer
