// What a matrix product and a convolution have in common: sums over k of left[batch, m, k] * right[batch, n, k], where
// each of the indices walks through memory by digits.
//
//   a convolution's m = (image, row, column), k = (row of window, column of window, channel); channels are the groups'
//   own a digit has a size and a stride; digits that continue each other are one: a 1x1 convolution is a plain matrix
//
// Why digits: one loader then reads every operand, and padding is a bound on (position + tap) that two digits share.
#ifndef COAT_LIB_LOWER_NVGPU_CONTRACTION_H
#define COAT_LIB_LOWER_NVGPU_CONTRACTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace coat {
/// One place of a mixed-radix index.
struct Digit {
  int64_t size, stride;
  int64_t window = -1, step = 0; // adds digit * step to the position in that window's dimension
};
using Digits = llvm::SmallVector<Digit, 4>; // the last counts fastest

int64_t sizeOf(llvm::ArrayRef<Digit> digits);
/// Drops digits of size 1 and joins those that continue each other.
void simplify(Digits &digits);

/// A dimension of the input that windows move over: positions outside [0, size) count as zero.
struct Window {
  int64_t size, before; // before: the padding
};

struct ProductOperand {
  unsigned argument;          // of the kernel
  mlir::Type memory;          // element type in memory
  int64_t offset = 0;         // elements from the argument's pointer; below zero under padding
  Digits batch, outer, inner; // of the batch, of m or n, of k
  llvm::SmallVector<Window, 3> windows;
  bool innerIsDense = true; // elements that follow each other in memory differ in k, else in m or n
  int64_t run = 1;          // so many of them, at least, are aligned to their number and valid all or none
};

struct Contraction {
  mlir::Operation *root;
  mlir::Type type; // what is multiplied: f16, bf16, f32
  ProductOperand left, right;
  mlir::Value bias; // of each column, or null
  int64_t batch, m, n, k;
  int64_t batchRows = 0,
          batchColumns = 0; // element (m, n) of batch i is at row i * batchRows + m, column i * batchColumns + n
};

/// Simplifies the digits, and finds out what can be copied at a time. `pointerOffset`: elements that the pointer
/// already contains.
void finish(ProductOperand &operand, int64_t pointerOffset);

/// The only product of `kernel`, if it is one that tensor cores and FFMA tiles compute.
mlir::FailureOr<Contraction> findContraction(mlir::func::FuncOp kernel);

/// Where a tensor of a kernel comes from: an argument, through casts and transposes.
struct Source {
  unsigned argument;
  mlir::Type memory, narrowest; // element types in memory, and of the least precise of them on the way
  llvm::SmallVector<int64_t> shape, strides;
  int64_t offset; // elements that the argument's pointer already contains, or divide what it contains
};
/// Elements between the beginning of a buffer and that of a kernel's argument; where launches differ, a divisor of them
/// all.
int64_t offsetOf(mlir::BlockArgument argument);
mlir::FailureOr<Source> findSource(mlir::Value tensor);
} // namespace coat

#endif
