#include "values.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>
#include <string_view>

namespace causal_tracer::node {
namespace {

[[noreturn]] void ThrowUnfit(const char* name, const std::string& expected) {
  throw Error(ErrorCode::kInvalidOption, std::string(name) + " must be " + expected + ".");
}

}  // namespace

Napi::Error ToJavaScript(Napi::Env env, const Error& error) {
  Napi::Error thrown = Napi::Error::New(env, error.what());
  thrown.Set("code", Napi::String::New(env, std::string(ErrorCodeName(error.code()))));
  return thrown;
}

ObjectReader::ObjectReader(const Napi::Value& value) {
  if (!value.IsObject()) throw Error(ErrorCode::kInvalidOption, "The options must be an object.");
  object_ = value.As<Napi::Object>();
}

std::string ObjectReader::String(const char* name) const {
  const Napi::Value value = Get(name);
  if (!value.IsString()) ThrowUnfit(name, "a string");
  return value.As<Napi::String>().Utf8Value();
}

std::vector<std::string> ObjectReader::Strings(const char* name) const {
  const Napi::Value value = Get(name);
  if (!value.IsArray()) ThrowUnfit(name, "an array of strings");
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> strings;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value element = array.Get(i);
    if (!element.IsString()) ThrowUnfit(name, "an array of strings");
    strings.push_back(element.As<Napi::String>().Utf8Value());
  }
  return strings;
}

int64_t ObjectReader::Integer(const char* name, int64_t minimum, int64_t maximum) const {
  const Napi::Value value = Get(name);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  if (std::floor(number) != number || number < static_cast<double>(minimum) ||
      number > std::min(static_cast<double>(maximum), 9007199254740991.0)) {
    ThrowUnfit(name, "an integer of at least " + std::to_string(minimum));
  }
  return static_cast<int64_t>(number);
}

double ObjectReader::Number(const char* name) const {
  const Napi::Value value = Get(name);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  if (!std::isfinite(number)) ThrowUnfit(name, "a finite number");
  return number;
}

bool ObjectReader::Boolean(const char* name) const {
  const Napi::Value value = Get(name);
  if (!value.IsBoolean()) ThrowUnfit(name, "true or false");
  return value.As<Napi::Boolean>().Value();
}

std::vector<int64_t> ObjectReader::Integers(const char* name) const {
  const Napi::Value value = Get(name);
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
    ThrowUnfit(name, "an Int32Array");
  }
  const auto array = value.As<Napi::Int32Array>();
  return {array.Data(), array.Data() + array.ElementLength()};
}

at::Tensor ObjectReader::Floats(const char* name) const {
  const Napi::Value value = Get(name);
  const auto copy = [](const auto& array, at::ScalarType dtype) {
    at::Tensor tensor = at::empty({static_cast<int64_t>(array.ElementLength())}, dtype);
    if (array.ByteLength() > 0) std::memcpy(tensor.mutable_data_ptr(), array.Data(), array.ByteLength());
    return tensor;
  };
  if (value.IsTypedArray()) {
    const auto type = value.As<Napi::TypedArray>().TypedArrayType();
    if (type == napi_float32_array) return copy(value.As<Napi::Float32Array>(), at::kFloat);
    if (type == napi_float64_array) return copy(value.As<Napi::Float64Array>(), at::kDouble);
  }
  ThrowUnfit(name, "a Float32Array or a Float64Array");
}

std::vector<ObjectReader> ObjectReader::Objects(const char* name) const {
  const Napi::Value value = Get(name);
  if (!value.IsArray()) ThrowUnfit(name, "an array of objects");
  const auto array = value.As<Napi::Array>();
  std::vector<ObjectReader> objects;
  for (uint32_t i = 0; i < array.Length(); ++i) objects.emplace_back(array.Get(i));
  return objects;
}

Napi::Object TensorToJavaScript(Napi::Env env, const at::Tensor& tensor) {
  const at::Tensor floats = tensor.to(at::kCPU, at::kFloat).contiguous();
  const auto count = static_cast<size_t>(floats.numel());
  Napi::Float32Array data = Napi::Float32Array::New(env, count);
  if (count > 0) std::memcpy(data.Data(), floats.const_data_ptr<float>(), count * sizeof(float));
  Napi::Object object = Napi::Object::New(env);
  object.Set("data", data);
  object.Set("shape", NumbersToJavaScript(env, floats.sizes().vec()));
  return object;
}

at::Tensor TensorFromJavaScript(const Napi::Value& value, const at::Tensor& like) {
  const ObjectReader reader(value);
  const std::vector<int64_t> shape = reader.Integers("shape");
  const at::Tensor data = reader.Floats("data");
  if (at::IntArrayRef(shape) != like.sizes() || data.numel() != like.numel()) {
    std::ostringstream message;
    message << "A hook returned " << data.numel() << " numbers of shape " << at::IntArrayRef(shape)
            << " in place of a tensor of shape " << like.sizes() << ". Return one of the same shape.";
    throw Error(ErrorCode::kInvalidOption, message.str());
  }
  return data.reshape(shape).to(like.device(), like.scalar_type());
}

Napi::Array NumbersToJavaScript(Napi::Env env, const std::vector<int64_t>& numbers) {
  Napi::Array array = Napi::Array::New(env, numbers.size());
  for (uint32_t i = 0; i < numbers.size(); ++i) array.Set(i, static_cast<double>(numbers[i]));
  return array;
}

Napi::Object TensorsToJavaScript(Napi::Env env, const std::map<std::string, at::Tensor>& tensors) {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [name, tensor] : tensors) object.Set(name, TensorToJavaScript(env, tensor));
  return object;
}

Napi::Array TensorsToJavaScript(Napi::Env env, const std::vector<at::Tensor>& tensors) {
  Napi::Array array = Napi::Array::New(env, tensors.size());
  for (uint32_t i = 0; i < tensors.size(); ++i) array.Set(i, TensorToJavaScript(env, tensors[i]));
  return array;
}

}  // namespace causal_tracer::node
