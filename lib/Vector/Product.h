// The register microkernel of sums of products, shared by convolutions and matrix products.
//
//   acc[r][j] += broadcast(left(r, k)) * panel(j, k)      r < rows, j < vectors, for all k
//
// All accumulators are separate 1-D values that loops carry, so they stay in registers; `left` is broadcast from
// memory.
#ifndef COAT_LIB_VECTOR_PRODUCT_H
#define COAT_LIB_VECTOR_PRODUCT_H

#include "Elementwise.h"

namespace coat {
/// What is multiplied and over which reduction.
struct Product {
  llvm::SmallVector<int64_t> taps; // sizes of the loops around the reduction over `depth`: a filter's window
  mlir::OpFoldResult depth;
  /// Scalar of row `row` at window position `taps` and k = `k` + `offset`.
  llvm::function_ref<mlir::Value(int64_t row, mlir::ValueRange taps, mlir::Value k, int64_t offset)> left;
  /// Vector `j` of the other operand there.
  llvm::function_ref<mlir::Value(int64_t j, mlir::ValueRange taps, mlir::Value k, int64_t offset)> panel;
  /// Called before every `aheadEvery` steps, to ask for what is needed next; may be null.
  llvm::function_ref<void(mlir::ValueRange taps, mlir::Value k)> ahead = nullptr;
  int64_t aheadEvery = 0;
  /// Sums over the first dimension of `taps` inside the loop over depth, not around it: each of its positions then
  /// reads a stream of weights of its own. Weights that are read once come from memory, which gives one core more bytes
  /// when it asks for several streams at a time (512 to 512 channels, 3x3, on a plane of 2x2: 700 us with one stream,
  /// 450 with three).
  bool streams = false;
};

/// Weights of more bytes do not stay in a core's own cache.
constexpr int64_t ownCache = 256 * 1024;
bool comeFromMemory(mlir::Value weights);

/// Which part of the next panel of constant weights a register tile asks for, so that all tiles together ask for all of
/// it, evenly: of every so many steps of the reduction, each asks for another one. Weights are used once in a run of
/// the network, and memory delivers a panel on first use more slowly than products use it up.
class PanelPrefetch {
public:
  /// `tiles` register tiles use a panel of `weights`, summed over `depth` (in each window position), before the next
  /// one. None is needed where the weights stay in a core's own cache, or where very many tiles share the wait.
  PanelPrefetch(VectorBuilder &v, mlir::Value weights, int64_t tiles, int64_t depth);
  /// For panels of `vectors` vectors.
  bool isNeededFor(int64_t vectors) const { return needed && vectors * v.lanes % block == 0; }
  /// Steps of the reduction between two calls of fetch.
  int64_t stepsBetween() const { return every; }
  static constexpr int64_t block = 16; // channels of a packed block

  /// Asks for the part of tile number `tile` (any numbers that follow each other) of the steps from `k` on, which is
  /// the last but one of `indices`, of the panel of `blocks` blocks whose first is `indices`' dimension `blockDim`.
  void fetch(llvm::SmallVector<mlir::Value> indices, int64_t blockDim, int64_t blocks, mlir::Value tile);

private:
  VectorBuilder &v;
  mlir::Value weights;
  int64_t tiles, every;
  bool needed;
};

/// rows x vectors sums, row by row, added to `start`: over the whole window, or the part of it whose leading positions
/// are `taps`.
llvm::SmallVector<mlir::Value> accumulate(VectorBuilder &v, const Product &product, int64_t rows, int64_t vectors,
                                          llvm::SmallVector<mlir::Value> start, mlir::ValueRange taps = {});

/// Calls `tile(position, rows, tensor)` so that the rows [0, extent) are covered by tiles of at most `most` rows: tiles
/// as equal as possible where the extent is known. Where it is not, the last tile overlaps the one before, which
/// computes the same values again; extents below `most` go row by row.
mlir::Value coverRows(VectorBuilder &v, mlir::OpFoldResult extent, int64_t most, mlir::Value tensor,
                      llvm::function_ref<mlir::Value(mlir::Value position, int64_t rows, mlir::Value tensor)> tile);

/// A run of channels that one microkernel computes: where it starts, how many vectors it has, and the valid lanes of
/// the last.
struct ChannelRun {
  mlir::Value start;
  int64_t vectors;
  mlir::Value lastMask; // null: all lanes

  mlir::Value mask(int64_t j) const { return j + 1 == vectors ? lastMask : mlir::Value(); }
};
/// Calls `run` so that the channels [0, extent) are covered by runs of `most` channels (a multiple of 16), then of
/// fewer.
mlir::Value coverChannels(VectorBuilder &v, mlir::OpFoldResult extent, int64_t most, mlir::Value tensor,
                          llvm::function_ref<mlir::Value(const ChannelRun &run, mlir::Value tensor)> body);

/// Where sums go: the result of a product, through the element-wise op that reads it, if any.
class Destination {
public:
  /// The tensor to write for `product` and the op that its users read from then on.
  Destination(VectorBuilder &v, mlir::Operation *product);
  mlir::Value tensor() const { return target; }
  /// The op whose result is computed: the product or its epilogue.
  mlir::Operation *op() const { return last; }
  /// Asks for the cache line that the epilogue will read at `point`: a residual, which no core expects. Before a tile
  /// of 6 x 16 outputs is summed up, it shortens 56x56x64 to 256 channels from 1.28 to 1.18 ms.
  void prefetch(VectorBuilder &v, mlir::ValueRange point) const;
  mlir::Value store(VectorBuilder &v, mlir::Value sums, mlir::Value tensor, mlir::ValueRange point, mlir::Value mask);

private:
  mlir::Operation *product, *last;
  mlir::Value target;
};
} // namespace coat

#endif
