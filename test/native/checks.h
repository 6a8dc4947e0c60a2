#pragma once

#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace causal_tracer::test {

struct Test {
  std::string name;
  std::function<void()> body;
};

/// All tests of the program; a file adds its own by defining Registrations.
inline std::vector<Test>& Tests() {
  static std::vector<Test> tests;
  return tests;
}

struct Registration {
  Registration(std::string name, std::function<void()> body) {
    Tests().push_back({std::move(name), std::move(body)});
  }
};

inline void Require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

template <typename Actual, typename Expected>
void RequireEqual(const Actual& actual, const Expected& expected, const std::string& what) {
  if (actual == expected) return;
  std::ostringstream message;
  message << what << ": got " << actual << ", expected " << expected;
  throw std::runtime_error(message.str());
}

}  // namespace causal_tracer::test
