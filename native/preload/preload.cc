// Opens libtorch before the addon is loaded. The addon carries no path to libtorch: the dynamic linker binds
// it to the library of that name that is already open, so where libtorch lies is decided at run time.
#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif
#include <node_api.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

#ifndef _WIN32
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
#endif

#ifdef _WIN32
using Library = HMODULE;

/// The libraries beside `path` are found, too.
Library OpenLibrary(const std::string& path) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, nullptr, 0);
  std::wstring wide(static_cast<std::size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, wide.data(), length);
  return LoadLibraryExW(wide.c_str(), nullptr,
                        LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
}

std::string LastError() { return "Windows error " + std::to_string(GetLastError()); }

void* FindFunction(Library library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(library, name));
}
#else
using Library = void*;

Library OpenLibrary(const std::string& path) {
  const BriefSpinning spinning;
  return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
}

std::string LastError() {
  const char* reason = dlerror();
  return reason == nullptr ? "unknown reason" : reason;
}

void* FindFunction(Library library, const char* name) { return dlsym(library, name); }
#endif

/// The version that libtorch itself tells: what its folder says of it need not be true.
std::string VersionOf(Library libtorch) {
  void* function = FindFunction(libtorch, "aoti_torch_abi_version");
  if (function == nullptr) return "unknown";
  const std::uint64_t version = reinterpret_cast<std::uint64_t (*)()>(function)();
  const auto part = [version](unsigned shift) { return std::to_string(version >> shift & 0xffU); };
  return part(56U) + "." + part(48U) + "." + part(40U);
}

/// `open(path)` in JavaScript: opens libtorch for the rest of the process and returns its version.
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
  const Library library = OpenLibrary(path);
  if (library == nullptr) {
    napi_throw_error(env, nullptr, LastError().c_str());
    return nullptr;
  }
  napi_value version = nullptr;
  napi_create_string_utf8(env, VersionOf(library).c_str(), NAPI_AUTO_LENGTH, &version);
  return version;
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
