// Sizes as expressions over symbolic dimensions: one normal form, decisions by ranges, overflow.
#include "Import/Symbols.h"
#include "mlir/IR/MLIRContext.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace coat::onnx;

namespace {
class SymbolsTest : public testing::Test {
protected:
  AffineExpr number(int64_t value) { return symbols.constant(value); }

  MLIRContext context{MLIRContext::Threading::DISABLED};
  Symbols symbols{&context};
  AffineExpr n = symbols.add("N", 1, 8), l = symbols.add("L", 2, 128);
};
} // namespace

TEST_F(SymbolsTest, EqualNamesAreOneSymbol) {
  EXPECT_EQ(symbols.add("N", 1, 8), n);
  EXPECT_EQ(symbols.all().size(), 2u);
}

TEST_F(SymbolsTest, ProductsHaveOneForm) {
  AffineExpr a = symbols.product({n, l, number(3)}), b = symbols.product({number(3), l, n});
  EXPECT_EQ(a, b);
  EXPECT_EQ(symbols.equal(a, b), true);
  // N * (L + 1) = N * L + N
  EXPECT_EQ(symbols.product(n, symbols.sum(l, number(1))), symbols.sum(symbols.product(n, l), n));
  EXPECT_EQ(constantOf(symbols.difference(a, b)), 0);
}

TEST_F(SymbolsTest, RangesDecide) {
  EXPECT_EQ(symbols.less(n, number(9)), true);
  EXPECT_EQ(symbols.less(n, number(1)), false);
  EXPECT_EQ(symbols.less(n, number(8)), std::nullopt);
  EXPECT_EQ(symbols.equal(n, number(0)), false);
  EXPECT_EQ(symbols.equal(n, l), std::nullopt);
  EXPECT_EQ(symbols.max(n, number(0)), n);
  EXPECT_EQ(symbols.min(l, number(200)), l);
  EXPECT_FALSE(symbols.min(n, l));
}

TEST_F(SymbolsTest, RangesOfExpressions) {
  auto range = symbols.range(symbols.sum(symbols.product(n, number(3)), number(1)));
  ASSERT_TRUE(range);
  EXPECT_EQ(range->min, 4);
  EXPECT_EQ(range->max, 25);
  auto halves = symbols.range(symbols.floorDiv(l, number(2)));
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->min, 1);
  EXPECT_EQ(halves->max, 64);
}

TEST_F(SymbolsTest, Divisions) {
  EXPECT_EQ(constantOf(symbols.floorDiv(number(-7), number(2))), -4);
  EXPECT_EQ(constantOf(symbols.ceilDiv(number(7), number(2))), 4);
  EXPECT_EQ(constantOf(symbols.mod(number(-7), number(3))), 2);
  EXPECT_EQ(symbols.floorDiv(symbols.product(n, number(6)), number(3)), symbols.product(n, number(2)));
  EXPECT_FALSE(symbols.floorDiv(number(7), number(0)));
  EXPECT_FALSE(symbols.floorDiv(number(7), symbols.difference(n, number(1)))); // may be zero
}

TEST_F(SymbolsTest, QuotientsAreExactOrNothing) {
  EXPECT_EQ(symbols.quotient({n, l, number(12)}, {n, number(4)}), symbols.product(l, number(3)));
  EXPECT_FALSE(symbols.quotient({n, number(12)}, {number(5)}));
  EXPECT_FALSE(symbols.quotient({n}, {l}));
}

TEST_F(SymbolsTest, OverflowIsNoAnswer) {
  AffineExpr big = number(INT64_MAX);
  EXPECT_FALSE(symbols.sum(big, number(1)));
  EXPECT_FALSE(symbols.product(big, number(2)));
  EXPECT_TRUE(symbols.sum(big, number(0)));
}

TEST_F(SymbolsTest, PrintsNames) {
  EXPECT_EQ(symbols.print(number(-3)), "-3");
  EXPECT_EQ(symbols.print(n), "N");
  EXPECT_EQ(symbols.print(symbols.sum(symbols.product(n, number(2)), number(1))), "N * 2 + 1");
}
