// Strategy as a function of the table of CPUs: what must hold of every choice on every CPU, and a few known answers.
#include "coat/Strategy/Strategy.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace coat;

namespace {
constexpr int64_t rowsToTry[] = {1, 2, 3, 5, 7, 14, 28, 49, 56, 96, 196, 3136, ShapedType::kDynamic};
constexpr int64_t channelsToTry[] = {1, 10, 16, 32, 48, 64, 96, 768, 1000, 3072};
constexpr int64_t depthsToTry[] = {1, 27, 64, 576, 4608, 25088};

/// A module with one op of coat in it, behind its arguments.
class OneOp {
public:
  explicit OneOp(const std::string &text) {
    context.loadDialect<CoatDialect, func::FuncDialect>();
    module = parseSourceString<ModuleOp>(text, &context);
  }
  Operation *op() {
    Operation *found = nullptr;
    module->walk([&](Operation *op) {
      if (isa<CoatDialect>(op->getDialect()))
        found = op;
    });
    return found;
  }

private:
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

const char *const packedMatmul = R"(
  func.func @f(%x: tensor<196x768xf32>, %w: tensor<192x768x16xf32>) -> tensor<196x3072xf32> {
    %0 = coat.matmul %x, %w {filter_layout = #coat<filter_layout packed>, out_channels = 3072 : i64}
      : (tensor<196x768xf32>, tensor<192x768x16xf32>) -> tensor<196x3072xf32>
    return %0 : tensor<196x3072xf32>
  })";
} // namespace

TEST(RegisterTile, FitsRegistersOfEveryCpu) {
  for (const CpuTarget &cpu : cpuTargets())
    for (int64_t rows : rowsToTry)
      for (int64_t channels : channelsToTry)
        for (int64_t depth : depthsToTry) {
          RegisterTile tile = chooseRegisterTile(rows, channels, depth, cpu);
          int64_t vectors = tile.channels / cpu.vector;
          SCOPED_TRACE(cpu.name.str() + ": " + std::to_string(rows) + " x " + std::to_string(channels));
          EXPECT_GE(tile.rows, 1);
          EXPECT_EQ(tile.channels % 16, 0); // blocks of packed weights
          EXPECT_TRUE(tile.channels == 16 || tile.channels <= channels);
          EXPECT_TRUE(rows < 0 || tile.rows <= rows);
          // Sums, the shorter of rows and vectors, and a product where there is no fused multiply-add.
          EXPECT_LT(tile.rows * vectors + std::min(tile.rows, vectors), cpu.registers);
        }
}

TEST(RegisterTile, KnownAnswers) {
  const CpuTarget &sse = *findCpuTarget("x86-64-v2"), &avx2 = *findCpuTarget("x86-64-v3"),
                  &avx512 = *findCpuTarget("x86-64-v4");
  // Many rows: 6 x 16 is what 16 registers of 8 lanes hold.
  RegisterTile tile = chooseRegisterTile(3136, 64, 576, avx2);
  EXPECT_EQ(tile.rows, 6);
  EXPECT_EQ(tile.channels, 16);
  EXPECT_LT(chooseRegisterTile(3136, 64, 576, sse).rows, 4);
  EXPECT_GE(chooseRegisterTile(3136, 64, 576, avx512).channels, 32);
  // One row: as wide as allowed, because every weight is read once anyway.
  EXPECT_EQ(chooseRegisterTile(1, 1000, 2048, avx2).rows, 1);
  EXPECT_GT(chooseRegisterTile(1, 1000, 2048, avx2).channels, 16);
}

TEST(DepthwiseTile, FitsRegistersOfEveryCpu) {
  for (const CpuTarget &cpu : cpuTargets())
    for (int64_t window : {2, 3, 5, 7})
      for (int64_t stride : {1, 2, 3}) {
        DepthwiseTile tile = chooseDepthwiseTile({window, window}, {stride, stride}, cpu);
        SCOPED_TRACE(cpu.name.str() + ": " + std::to_string(window) + " / " + std::to_string(stride));
        EXPECT_GE(tile.columns, 1);
        // Sums, the weights of the one or two rows of the window that a row of the input meets, and an input.
        EXPECT_LE(tile.rows * tile.columns + std::min<int64_t>(tile.rows, 2) * window + 1, cpu.registers);
      }
}

TEST(DepthwiseTile, KnownAnswers) {
  const CpuTarget &avx2 = *findCpuTarget("x86-64-v3");
  auto expect = [&](int64_t window, int64_t stride, int64_t rows, int64_t columns) {
    DepthwiseTile tile = chooseDepthwiseTile({window, window}, {stride, stride}, avx2);
    EXPECT_EQ(tile.rows, rows);
    EXPECT_EQ(tile.columns, columns);
  };
  expect(3, 1, 2, 4);
  expect(3, 2, 4, 1); // all channels of a column lie together
  expect(7, 1, 1, 7);
}

TEST(Schedule, TileHasOneEntryADimensionOnEveryCpu) {
  OneOp matmul(packedMatmul);
  ASSERT_TRUE(matmul.op());
  for (const CpuTarget &cpu : cpuTargets()) {
    ScheduleAttr schedule = chooseSchedule(matmul.op(), cpu);
    ASSERT_TRUE(schedule);
    EXPECT_EQ(schedule.getAlgorithm(), "gemm");
    EXPECT_EQ(schedule.getTile().size(), 2u);
    EXPECT_EQ(schedule.getVector(), cpu.vector);
    EXPECT_EQ(schedule.getReg().back() % 16, 0);
  }
}

TEST(Schedule, IsPure) {
  OneOp one(packedMatmul), other(packedMatmul);
  const CpuTarget &cpu = *findCpuTarget("x86-64-v3");
  std::string first, second;
  llvm::raw_string_ostream(first) << chooseSchedule(one.op(), cpu);
  llvm::raw_string_ostream(second) << chooseSchedule(other.op(), cpu);
  EXPECT_EQ(first, second);
}

TEST(Schedule, GivesThreadsEnoughTasks) {
  OneOp matmul(packedMatmul);
  ScheduleAttr schedule = chooseSchedule(matmul.op(), *findCpuTarget("x86-64-v3"));
  int64_t tasks = 1;
  const int64_t sizes[] = {196, 3072};
  for (auto [tile, size] : llvm::zip(schedule.getTile(), sizes))
    tasks *= tile ? llvm::divideCeil(size, tile) : 1;
  EXPECT_GE(tasks, 16);
  EXPECT_LE(tasks, 256);
}

TEST(Cpu, UnknownNamesAreRefused) {
  EXPECT_EQ(findCpuTarget("z80"), nullptr);
  EXPECT_NE(findCpuTarget("native"), nullptr);
}
