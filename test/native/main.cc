#include <exception>
#include <iostream>

#include "checks.h"

int main() {
  int passed = 0;
  int failed = 0;
  for (const auto& test : causal_tracer::test::Tests()) {
    try {
      test.body();
      ++passed;
    } catch (const std::exception& exception) {
      std::cout << "FAILED " << test.name << ": " << exception.what() << "\n";
      ++failed;
    }
  }
  std::cout << "C++ core: " << passed << " passed, " << failed << " failed\n";
  return failed == 0 ? 0 : 1;
}
