// The C++ header: struct_size is set, errors are exceptions.
// RUN: rm -rf %t && mkdir %t
// RUN: coat compile %S/Inputs/alpha.mlir -o %t/alpha.o
// RUN: c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -I%build/include -I%t %s %t/alpha.o -o %t/app
// RUN: %t/app | FileCheck %s
#include "alpha.hpp"
#include <cstdio>
#include <vector>

int main() {
  std::vector<float> x(3 * 64, 1.0f), y(4 * 36);
  alpha::args args;
  args.x = x.data();
  args.y = y.data();
  args.N = 1;
  alpha::run(args);
  std::printf("%.3f %zu\n", y[0], alpha::workspace_size(args) % COAT_ALIGNMENT); // CHECK: 3.375 0
  args.N = 9;
  try {
    alpha::run(args);
  } catch (const alpha::error &error) {
    std::printf("%d %s\n", error.status, error.what()); // CHECK: 4 x.N = 9, compiled for 1..8
  }
}
