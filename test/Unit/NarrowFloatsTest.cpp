// Rounding of constants to f16 and bf16 (lib/Graph/Constants.h) against APFloat.
#include "Graph/Constants.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/APFloat.h"
#include <gtest/gtest.h>
#include <limits>
#include <random>

using namespace llvm;

namespace {
uint64_t expected(double value, const fltSemantics &semantics) {
  APFloat number(value);
  bool loses;
  number.convert(semantics, APFloat::rmNearestTiesToEven, &loses);
  return number.bitcastToAPInt().getZExtValue();
}

void check(mlir::FloatType type, double value) {
  uint16_t bits = 0;
  ASSERT_TRUE(coat::graph::store(reinterpret_cast<char *>(&bits), type, value));
  EXPECT_EQ(bits, expected(value, type.getFloatSemantics())) << value;
}

TEST(NarrowFloats, RoundLikeApFloat) {
  mlir::MLIRContext context;
  mlir::Builder b(&context);
  std::mt19937 random(1);
  for (mlir::FloatType type : {mlir::FloatType(b.getF16Type()), mlir::FloatType(b.getBF16Type())}) {
    // Each number of the type that is finite, its neighbours' middle, and what lies closely beside that.
    unsigned infinity = expected(std::numeric_limits<double>::infinity(), type.getFloatSemantics());
    for (unsigned bits = 0; bits < infinity; ++bits) {
      auto valueOf = [&](unsigned code) {
        return APFloat(type.getFloatSemantics(), APInt(16, code)).convertToDouble();
      };
      double low = valueOf(bits), middle = bits + 1 == infinity ? low * 1.0009 : (low + valueOf(bits + 1)) / 2;
      for (double value : {low, middle, std::nextafter(middle, 0.0), std::nextafter(middle, 1e300), -middle})
        check(type, value);
      EXPECT_EQ(coat::graph::rounded(type, low), low);
    }
    for (double value : {0.0, -0.0, 1e-300, 65519.99, 65520.0, 1e300, std::numeric_limits<double>::infinity(),
                         -std::numeric_limits<double>::infinity()})
      check(type, value);
    std::normal_distribution<double> weights(0, 0.05);
    for (int i = 0; i < 10000; ++i)
      check(type, weights(random));
    EXPECT_TRUE(std::isnan(coat::graph::rounded(type, std::numeric_limits<double>::quiet_NaN())));
  }
}
} // namespace
