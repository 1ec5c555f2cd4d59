// One task of a recurrence: what the formulas of RNN, GRU and LSTM are written with.
//
// A step is a product of the state with the recurrent weights, then the cell's arithmetic. With one row of a batch the
// product is bound by reading the weights, so their columns are contiguous (LLVM makes vectors of the loop over them),
// and eight rows of weights are added to the sums at once, so that these are read and written eight times less often.
// Rows of a batch share each weight that was read: a task takes eight rows through the whole sequence, in tiles of
// three or four rows by four units whose states stay in registers, and works on so few columns at a time that their
// weights and sums stay in the first cache.
#ifndef COAT_LIB_DIALECT_RECURRENCE_H
#define COAT_LIB_DIALECT_RECURRENCE_H

#include "coat/Dialect/Coat.h"
#include "coat/Dialect/ScalarLoops.h"

namespace coat {

/// Number of directions: the first dimension of weights and states.
inline int64_t directionsOf(Direction direction) { return direction == Direction::bidirectional ? 2 : 1; }

/// An activation of a direction, with its parameters and the bound of its argument.
struct Activation {
  llvm::StringRef name;
  double alpha, beta;
  std::optional<double> clip;

  Scalar operator()(Scalar x) const;
};

/// What one task does: rows of the batch in one direction, all steps.
struct RecurrenceTask {
  ScalarLoops &loops;
  int64_t direction;  // first index of weights and states
  bool reverse;       // which way
  Scalar first, rows; // of the batch
  int64_t units, gates;
  mlir::Value input, weights, lengths, output; // lengths may be null
  mlir::Type type;                             // of sums and states

  int64_t column(int64_t gate) const { return (direction * gates + gate) * units; }
  Scalar directionIndex() const { return loops.index(direction); }
  mlir::Value buffer(int64_t columns) const;
  /// Steps of row `row`.
  Scalar length(Scalar row) const;
  /// The position in the sequence of a step of a row.
  Scalar position(Scalar row, Scalar step) const;
  Scalar gate(Scalar row, Scalar position, int64_t gate, Scalar unit) const;
  void loadState(mlir::Value state, mlir::Value initial) const;
  void storeState(mlir::Value state, mlir::Value last) const;
  void eachElement(int64_t columns, ScalarLoops::Body body) const { loops.each({rows, loops.index(columns)}, body); }
  /// Runs `body` for every row and unit of a step; behind a row's length the output is 0 instead.
  void eachUnit(Scalar step, llvm::function_ref<void(Scalar row, Scalar unit, Scalar position)> body) const;
  /// sums[row, to + j] += state[row] * weights[.., from + j] for j < count.
  void addProduct(mlir::Value state, mlir::Value sums, int64_t from, int64_t to, int64_t count) const;
  /// Runs `body` with the beginning and size of each block of `size`, the last one smaller.
  void inBlocks(int64_t size, int64_t block, llvm::function_ref<void(Scalar, int64_t)> body) const;
};

/// Writes the tasks of a recurrence of `gates` columns a unit, each by `body`.
void eachRecurrenceTask(ScalarLoops &loops, Direction direction, int64_t gates, mlir::Value input, mlir::Value weights,
                        mlir::Value lengths, mlir::Value output, llvm::function_ref<void(const RecurrenceTask &)> body);

} // namespace coat

#endif
