// The register tile of a product: how many rows and channels are accumulated at once.
//
// Per reduction step a tile of R rows and V channel vectors costs R*V multiply-adds (two a cycle), R broadcasts and V
// loads (two a cycle), and no less than four cycles because each accumulator waits for its previous sum. A spilled
// accumulator costs far more than any of these, so tiles that do not fit the registers are not considered.
#include "coat/Strategy/Strategy.h"

using namespace mlir;
using namespace coat;

namespace {
constexpr int64_t block = 16; // channels of a packed block
constexpr double latency = 4;
constexpr int64_t mostRows = 10; // each row has an address of its own, and those registers are few as well

double cyclesOf(int64_t rows, int64_t vectors) {
  return std::max({rows * vectors / 2.0, (rows + vectors) / 2.0, latency});
}

bool fitsRegisters(int64_t rows, int64_t vectors, const CpuTarget &target) {
  // Without the instruction the product needs a register as well, and so do the sums on their way from one step to the
  // next.
  int64_t spare = target.fusedMultiplyAdd ? 1 : 4;
  return rows * vectors + std::min(rows, vectors) + spare <= target.registers;
}

/// Cycles for `rows` rows, cut as evenly as possible, a channel.
double costOf(int64_t rows, int64_t tileRows, int64_t vectors) {
  int64_t tiles = llvm::divideCeil(rows, tileRows), narrow = rows / tiles, wide = rows % tiles;
  double cycles = (tiles - wide) * cyclesOf(narrow, vectors) + (wide ? wide * cyclesOf(narrow + 1, vectors) : 0);
  return cycles / vectors;
}
} // namespace

RegisterTile coat::chooseRegisterTile(int64_t rows, int64_t channels, int64_t depth, const CpuTarget &target) {
  if (ShapedType::isDynamic(rows) || rows > 96)
    rows = 96; // many rows: the remainder does not matter
  RegisterTile best = {1, block};
  double bestCost = std::numeric_limits<double>::max();
  for (int64_t blocks : {1, 2, 3, 4}) {
    int64_t vectors = blocks * block / target.vector;
    // The weights of a tile are read again for each tile of rows: from a core's own cache, or it waits for them.
    bool staysInCache = rows == 1 || blocks * block * depth * 4 <= target.l2 / 4 * 3;
    if (blocks > 1 && (blocks * block > channels || !staysInCache))
      break;
    for (int64_t tileRows = std::min(rows, mostRows); tileRows > 0; --tileRows) {
      if (!fitsRegisters(tileRows, vectors, target))
        continue;
      double cost = costOf(rows, tileRows, vectors);
      // Fewer blocks win a tie: their panel is smaller and their code shorter.
      if (cost < bestCost * 0.98) {
        bestCost = cost;
        best = {tileRows, blocks * block};
      }
    }
  }
  return best;
}

DepthwiseTile coat::chooseDepthwiseTile(ArrayRef<int64_t> window, ArrayRef<int64_t> strides, const CpuTarget &target) {
  constexpr int64_t enough = 7; // outputs of a row, neighbours of which share most of their inputs
  // The weights of a row of the window, an input, and a product where it needs a register.
  int64_t spare = target.fusedMultiplyAdd ? 2 : 4, size = window.back();
  int64_t columns = std::clamp<int64_t>(target.registers - size - spare, 1, enough);
  bool small = window.size() > 1 && ShapedType::getNumElements(window) <= 9;
  bool dense = llvm::all_of(strides, [](int64_t stride) { return stride == 1; });
  // Rows of outputs that are neighbours share rows of the input, each of which then meets two rows of the window: 3x3
  // of 56x56x144 takes 118 us instead of 137.
  int64_t left = (target.registers - 2 * size - spare + 1) / 2;
  if (!small || left < 3)
    return {1, columns};
  // With a stride there is less to share, and what counts is how a large image comes from the last cache: best in the
  // order it lies there, all channels of a column, and many rows at a time. 3x3/2 of 112x112x96 takes 104 us with four
  // rows of one column, 109 with two of two, 123 to 140 with one of seven; asking for the next rows ahead of time makes
  // it slower.
  return dense ? DepthwiseTile{2, std::min(left, enough)} : DepthwiseTile{4, 1};
}
