// Opens libtorch before the addon is loaded. The addon carries no path to libtorch: the dynamic linker binds
// it to the library of that name that is already open, so where libtorch lies is decided at run time.
#include <dlfcn.h>
#include <node_api.h>

#include <cstdlib>
#include <string>

namespace {

/// Makes the OpenMP runtime that is loaded meanwhile let waiting threads sleep after some microseconds,
/// unless the user has set how they wait. By default they spin for so long that a trace on a busy machine
/// takes several times as long.
class BriefSpinning {
 public:
  BriefSpinning() : sets_(getenv("GOMP_SPINCOUNT") == nullptr && getenv("OMP_WAIT_POLICY") == nullptr) {
    if (sets_) setenv("GOMP_SPINCOUNT", "1000", 0);
  }
  ~BriefSpinning() {
    if (sets_) unsetenv("GOMP_SPINCOUNT");
  }
  BriefSpinning(const BriefSpinning&) = delete;
  BriefSpinning& operator=(const BriefSpinning&) = delete;

 private:
  bool sets_;
};

napi_value Open(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr;
  size_t length = 0;
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok || count < 1 ||
      napi_get_value_string_utf8(env, argument, nullptr, 0, &length) != napi_ok) {
    napi_throw_type_error(env, nullptr, "open(path) takes the path of a shared library");
    return nullptr;
  }
  std::string path(length, '\0');
  napi_get_value_string_utf8(env, argument, path.data(), length + 1, &length);
  const BriefSpinning spinning;
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
    const char* reason = dlerror();
    napi_throw_error(env, nullptr, reason == nullptr ? path.c_str() : reason);
  }
  return nullptr;
}

napi_value Initialize(napi_env env, napi_value exports) {
  napi_value function = nullptr;
  if (napi_create_function(env, "open", NAPI_AUTO_LENGTH, Open, nullptr, &function) == napi_ok) {
    napi_set_named_property(env, exports, "open", function);
  }
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, Initialize)
