#pragma once

#include <ATen/core/Tensor.h>
#include <napi.h>

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "../core/error.h"

namespace causal_tracer::node {

/// A JavaScript `Error` with the failure's message and stable `code`.
Napi::Error ToJavaScript(Napi::Env env, const Error& error);

/// Reads properties of an options object; each throws kInvalidOption naming the property where the value does
/// not fit.
class ObjectReader {
 public:
  explicit ObjectReader(const Napi::Value& value);

  std::string String(const char* name) const;
  std::vector<std::string> Strings(const char* name) const;
  int64_t Integer(const char* name, int64_t minimum,
                  int64_t maximum = std::numeric_limits<int64_t>::max()) const;
  double Number(const char* name) const;
  bool Boolean(const char* name) const;
  Napi::Value Get(const char* name) const { return object_.Get(name); }
  /// An Int32Array as int64 numbers.
  std::vector<int64_t> Integers(const char* name) const;
  /// A Float32Array or Float64Array as a flat tensor that owns a copy.
  at::Tensor Floats(const char* name) const;
  /// An array of objects.
  std::vector<ObjectReader> Objects(const char* name) const;

 private:
  Napi::Object object_;
};

/// `{ data: Float32Array, shape: number[] }`, whatever the tensor's dtype.
Napi::Object TensorToJavaScript(Napi::Env env, const at::Tensor& tensor);

/// A tensor as TensorToJavaScript makes them, with the dtype and on the device of `like`. Throws
/// kInvalidOption where its shape is another one.
at::Tensor TensorFromJavaScript(const Napi::Value& value, const at::Tensor& like);

Napi::Array NumbersToJavaScript(Napi::Env env, const std::vector<int64_t>& numbers);

Napi::Object TensorsToJavaScript(Napi::Env env, const std::map<std::string, at::Tensor>& tensors);
Napi::Array TensorsToJavaScript(Napi::Env env, const std::vector<at::Tensor>& tensors);

}  // namespace causal_tracer::node
