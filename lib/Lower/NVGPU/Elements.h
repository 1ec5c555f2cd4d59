// The elements of tensors as scalars: what a tensor op makes at given positions, with all that it is made from, down to
// loads of the kernel's arguments. Nothing is stored on the way.
#ifndef COAT_LIB_LOWER_NVGPU_ELEMENTS_H
#define COAT_LIB_LOWER_NVGPU_ELEMENTS_H

#include "Indices.h"
#include "Team.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

namespace coat {
class Elements {
public:
  /// `builder` stands in the body of the kernel's function.
  Elements(mlir::OpBuilder &builder, mlir::Location loc)
      : b(builder), loc(loc), idx(builder, loc), scopes(1), entry(builder.getInsertionBlock()) {}

  /// `memref` (an argument of the kernel, or a static view of one) lies at `pointer`.
  void setPointer(mlir::Value memref, mlir::Value pointer) { pointers[memref] = pointer; }

  /// The elements of `tensor` at `at`. An error has been emitted where it fails: then values are null.
  llvm::SmallVector<mlir::Value> get(mlir::Value tensor, llvm::ArrayRef<Position> at);
  /// Stores `values` at `at` of `memref`; neighbours go together.
  mlir::LogicalResult store(mlir::ArrayRef<mlir::Value> values, mlir::Value memref, llvm::ArrayRef<Position> at);
  /// A value from the kernel's own body that is no tensor: constants, and what is computed from them.
  mlir::Value scalar(mlir::Value value);

  Indices &indices() { return idx; }

  /// Outside of loops and branches, the threads of `team` then take parts of each reduction.
  void setTeam(Team *shared) { team = shared; }
  /// Computes what the elements of `tensor` at `at` have in common for all values of the indices that are left open,
  /// and remembers it. Does nothing where nothing is shared.
  void computeAhead(mlir::Value tensor, llvm::ArrayRef<std::optional<Index>> at);

  /// A region: what is computed in it is not known outside.
  struct Scope {
    explicit Scope(Elements &elements) : elements(elements), inner(elements.idx) { elements.scopes.emplace_back(); }
    ~Scope() { elements.scopes.pop_back(); }
    Elements &elements;
    Indices::Scope inner;
  };

private:
  using Values = llvm::SmallVector<mlir::Value>;
  using Positions = llvm::ArrayRef<Position>;
  using Key = std::pair<void *, Position>;
  struct Lane;

  Values compute(mlir::Value tensor, Positions at);
  Values load(mlir::Value memref, Positions at);
  Values generic(mlir::linalg::GenericOp op, unsigned result, Positions at);
  Values insertSlice(mlir::tensor::InsertSliceOp op, Positions at);
  /// What the loops of the reduction `op` make of `starts`: values[lane * results + result].
  Values reduce(mlir::linalg::GenericOp op, llvm::SmallVector<Position> dims, mlir::ValueRange starts);
  Values reduceTogether(mlir::linalg::GenericOp op, llvm::ArrayRef<mlir::Operation *> combiners,
                        llvm::SmallVector<Position> dims, mlir::ValueRange starts);
  Values step(mlir::linalg::GenericOp op, llvm::ArrayRef<Position> dims, mlir::ValueRange carried);
  mlir::Value number(int64_t value);
  /// What the body of `op` yields at each of the loops' positions: values[lane][result].
  llvm::SmallVector<Values> body(mlir::linalg::GenericOp op, llvm::ArrayRef<Position> dims,
                                 llvm::ArrayRef<Values> outs);
  void computeInputsAhead(mlir::linalg::GenericOp op, llvm::ArrayRef<std::optional<Index>> dims);
  mlir::Value fail(mlir::Operation *op, llvm::Twine what);
  mlir::Value *find(mlir::Value tensor, const Position &at);
  void remember(mlir::Value tensor, const Position &at, mlir::Value value) {
    scopes.back()[{tensor.getAsOpaquePointer(), at}] = value;
  }

  mlir::OpBuilder &b;
  mlir::Location loc;
  Indices idx;
  llvm::DenseMap<mlir::Value, mlir::Value> pointers;
  llvm::SmallVector<std::map<Key, mlir::Value>> scopes;
  mlir::IRMapping scalars;
  mlir::Block *entry; // of the function: regions that are being built have no parent yet
  Team *team = nullptr;
};

/// The ops that join two partial results of the reduction `op`, one a result; empty where there is none.
llvm::SmallVector<mlir::Operation *> combinersOf(mlir::linalg::GenericOp op);

/// A memref of static sizes, strides and offset: whether it is one, and its strides.
bool isStaticMemRef(mlir::MemRefType type, llvm::SmallVectorImpl<int64_t> &strides);
} // namespace coat

#endif
