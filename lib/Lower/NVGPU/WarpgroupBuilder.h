// What kernels for sm_90a are written in: copies by the tensor memory accelerator (TMA), barriers in shared memory that
// count its bytes, and products of a warpgroup (128 threads) on tiles in shared memory.
#ifndef COAT_LIB_LOWER_NVGPU_WARPGROUPBUILDER_H
#define COAT_LIB_LOWER_NVGPU_WARPGROUPBUILDER_H

#include "GpuBuilder.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace coat {
/// A TMA map: how a box of a tensor is copied. Innermost dimension first; strides in bytes, without the innermost.
struct TensorMap {
  unsigned argument;
  mlir::Type type;
  bool tf32 = false;
  llvm::SmallVector<int64_t> sizes, strides, box;
  int64_t swizzle = 128;
  // im2col: the box is `pixels` positions of the window's corner, which goes from `lower` to size + `upper` by
  // `elementStrides`, times `channels`.
  bool im2col = false;
  llvm::SmallVector<int64_t> lower, upper, elementStrides;
  int64_t channels = 0, pixels = 0;

  mlir::DictionaryAttr attribute(mlir::Builder &builder) const;
};

class WarpgroupBuilder : public GpuBuilder {
public:
  using GpuBuilder::GpuBuilder;
  static constexpr int64_t threads = 128;

  // Barriers in shared memory, at a byte of it.
  void initBarrier(mlir::Value barrier, int64_t arrivals);
  void initializedBarriers(); // all of them: visible to TMA and to the other threads behind the next barrier
  void wait(mlir::Value barrier, mlir::Value phase);
  void expectBytes(mlir::Value barrier, int64_t bytes); // and arrives
  void arrive(mlir::Value barrier);

  /// Copies a box to shared memory, which `barrier` counts. `offsets`: of the window, for im2col.
  void copyBox(mlir::Value shared, mlir::Value map, mlir::Value barrier, mlir::ValueRange coordinates,
               mlir::ValueRange offsets = {});

  /// Address of a tile of 128-byte swizzled rows as wgmma takes it. Along k: `leading` unused, `stride` bytes between
  /// groups of eight rows. Across (k is the row): `leading` bytes between blocks of 128 bytes of n.
  mlir::Value descriptor(mlir::Value bytes, int64_t leading, int64_t stride);
  mlir::Value advance(mlir::Value descriptor, int64_t bytes);
  mlir::Type sumsType(int64_t n);
  mlir::Value zeroSums(int64_t n);
  /// sums (64 x n) += left (64 x k) right (k x n), both in shared memory; k is 32 bytes. `across`: right's rows are k.
  mlir::Value multiplyTiles(mlir::Value left, mlir::Value right, mlir::Value sums, int64_t n, mlir::Type type,
                            bool across, bool fromZero = false);
  /// The same with left's fragment in registers, four words; f16 and bf16.
  mlir::Value multiplyFragment(llvm::ArrayRef<mlir::Value> left, mlir::Value right, mlir::Value sums, int64_t n,
                               mlir::Type type, bool across);
  Values unpack(mlir::Value sums, int64_t n);
  mlir::Value repack(llvm::ArrayRef<mlir::Value> sums);
  void beginProducts();
  void commitProducts();
  void waitProducts(int64_t pending);

  void setRegisters(int64_t count, bool more);
  mlir::Value elected();     // one thread of the warp
  mlir::Value sharedBytes(); // address of shared memory, i32
};
} // namespace coat

#endif
