// Recurrences along a sequence: formula ops.
//
// A step is a product of the state with the recurrent weights, then the cell's arithmetic. With one row of a batch the
// product is bound by reading the weights, so their columns are contiguous (LLVM makes vectors of the loop over them),
// and eight rows of weights are added to the sums at once, so that these are read and written eight times less often.
// Rows of a batch share each weight that was read: a task takes eight rows through the whole sequence.
#include "coat/Dialect/RecurrentOps.h"
#include "Shapes.h"
#include "coat/Dialect/ScalarLoops.h"

using namespace mlir;
using namespace coat;

#define GET_OP_CLASSES
#include "coat/Dialect/RecurrentOps.cpp.inc"

void CoatDialect::addRecurrentOps() {
  addOperations<
#define GET_OP_LIST
#include "coat/Dialect/RecurrentOps.cpp.inc"
      >();
}

static constexpr int64_t rowsPerTask = 8, weightRowsAtOnce = 8;

//===----------------------------------------------------------------------===//
// Constraints and types
//===----------------------------------------------------------------------===//

static int64_t directionsOf(Direction direction) { return direction == Direction::bidirectional ? 2 : 1; }

static LogicalResult checkShape(EmitError emitError, StringRef name, Value value, ArrayRef<int64_t> expected) {
  if (!value)
    return success();
  ArrayRef<int64_t> shape = tensorType(value).getShape();
  bool agrees = shape.size() == expected.size() && llvm::all_of(llvm::zip(shape, expected), [](auto sizes) {
                  return sizesAgree(std::get<0>(sizes), std::get<1>(sizes));
                });
  if (agrees)
    return success();
  return emitError() << "expected " << name << " of shape " << formatShape(expected) << ", got " << formatShape(shape);
}

static bool isActivation(StringRef name) {
  return llvm::is_contained({"affine", "elu", "hard_sigmoid", "leaky_relu", "relu", "scaled_tanh", "sigmoid",
                             "softplus", "softsign", "tanh", "thresholded_relu"},
                            name);
}

/// What the recurrences share; `gates` columns a unit and `functions` activations a direction.
template <typename Adaptor>
static LogicalResult checkRecurrence(Adaptor op, EmitError emitError, int64_t gates, size_t functions) {
  RankedTensorType input = tensorType(op.getInput()), weights = tensorType(op.getWeights());
  int64_t directions = directionsOf(op.getDirection());
  if (input.getRank() != 3 || weights.getRank() != 3 || weights.isDynamicDim(1)) // C1
    return emitError() << "expected input and weights of rank 3 with a static number of units, got " << input << " and "
                       << weights;
  int64_t units = weights.getDimSize(1);
  if (failed(checkShape(emitError, "weights", op.getWeights(), {directions, units, gates * units})) || // C1
      failed(checkShape(emitError, "input", op.getInput(),
                        {input.getDimSize(0), input.getDimSize(1), directions * gates * units})) ||
      failed(checkShape(emitError, "initial", op.getInitial(), {directions, input.getDimSize(1), units})) || // C2
      failed(checkShape(emitError, "lengths", op.getLengths(), input.getDimSize(1))))                        // C3
    return failure();
  Type lengthType = op.getLengths() ? tensorType(op.getLengths()).getElementType() : Type();
  if (lengthType && !lengthType.isSignlessInteger(32) && !lengthType.isSignlessInteger(64)) // C3
    return emitError() << "expected lengths of element type i32 or i64, got " << lengthType;
  if (failed(checkElementTypes(emitError, {op.getInput(), op.getWeights(), op.getInitial()})) || // C4
      failed(checkFloat(emitError, input)))
    return failure();
  size_t count = functions * directions;
  if (op.getActivations().size() != count || op.getAlpha().size() != count || op.getBeta().size() != count) // C5
    return emitError() << "expected " << count << " activations, alphas and betas, got " << op.getActivations().size()
                       << ", " << op.getAlpha().size() << " and " << op.getBeta().size();
  for (StringAttr name : op.getActivations().template getAsRange<StringAttr>())
    if (!isActivation(name)) // C5
      return emitError() << "expected an activation of recurrences, got " << name;
  if (op.getClip() && !(op.getClip()->convertToDouble() >= 0)) // C6
    return emitError() << "expected a clip of at least 0, got " << op.getClip()->convertToDouble();
  return success();
}

/// The types of output, last state and what else has the state's type.
template <typename Op>
static LogicalResult inferRecurrence(MLIRContext *context, std::optional<Location> location,
                                     typename Op::Adaptor op, SmallVectorImpl<Type> &types, unsigned states) {
  if (failed(checkedInference<Op>(context, location, op)))
    return failure();
  RankedTensorType input = tensorType(op.getInput());
  int64_t directions = directionsOf(op.getDirection()), batch = input.getDimSize(1),
          units = tensorType(op.getWeights()).getDimSize(1);
  types.push_back(RankedTensorType::get({input.getDimSize(0), directions, batch, units}, input.getElementType()));
  types.append(states, RankedTensorType::get({directions, batch, units}, input.getElementType()));
  return success();
}

/// Sizes of all results: T and N are the input's, the others are static.
static LogicalResult reifyRecurrence(Operation *op, Value input, OpBuilder &builder,
                                     ReifiedRankedShapedTypeDims &shapes) {
  for (Value result : op->getResults())
    shapes.push_back(reifySizes(builder, op->getLoc(), result.getType(), [&](int64_t dim) {
      return tensor::getMixedSize(builder, op->getLoc(), input, dim == 0 ? 0 : 1);
    }));
  return success();
}

static int64_t recurrenceFlops(Value input, Value weights) {
  return 2 * elementCount(input.getType()) * tensorType(weights).getDimSize(1);
}

//===----------------------------------------------------------------------===//
// Formulas
//===----------------------------------------------------------------------===//

namespace {
/// An activation of a direction, with its parameters and the bound of its argument.
struct Activation {
  StringRef name;
  double alpha, beta;
  std::optional<double> clip;

  Scalar operator()(Scalar x) const;
};

/// What one task does: rows of the batch in one direction, all steps.
struct Task {
  ScalarLoops &loops;
  int64_t direction;   // first index of weights and states
  bool reverse;        // which way
  Scalar first, rows;  // of the batch
  int64_t units, gates;
  Value input, weights, lengths, output; // lengths may be null
  Type type;           // of sums and states

  int64_t column(int64_t gate) const { return (direction * gates + gate) * units; }
  Scalar directionIndex() const { return loops.index(direction); }
  Value buffer(int64_t columns) const;
  /// Steps of row `row`.
  Scalar length(Scalar row) const;
  /// The position in the sequence of a step of a row.
  Scalar position(Scalar row, Scalar step) const;
  Scalar gate(Scalar row, Scalar position, int64_t gate, Scalar unit) const;
  void loadState(Value state, Value initial) const;
  void storeState(Value state, Value last) const;
  void eachElement(int64_t columns, ScalarLoops::Body body) const { loops.each({rows, loops.index(columns)}, body); }
  /// Runs `body` for every row and unit of a step; behind a row's length the output is 0 instead.
  void eachUnit(Scalar step, llvm::function_ref<void(Scalar row, Scalar unit, Scalar position)> body) const;
  /// sums[row, to + j] += state[row] * weights[.., from + j] for j < count.
  void addProduct(Value state, Value sums, int64_t from, int64_t to, int64_t count) const;
};
} // namespace

Scalar Activation::operator()(Scalar x) const {
  if (clip)
    x = clamp(x, x.constant(-*clip), x.constant(*clip));
  auto sigmoid = [](Scalar value) { return value.constant(1) / (exp(-value) + 1.0); };
  Scalar zero = x.constant(0);
  if (name == "affine")
    return x * alpha + beta;
  if (name == "elu")
    return select(x >= 0.0, x, (exp(x) - 1.0) * alpha);
  if (name == "hard_sigmoid")
    return clamp(x * alpha + beta, zero, x.constant(1));
  if (name == "leaky_relu")
    return select(x >= 0.0, x, x * alpha);
  if (name == "relu")
    return max(x, zero);
  if (name == "scaled_tanh")
    return tanh(x * beta) * alpha;
  if (name == "sigmoid")
    return sigmoid(x);
  if (name == "softplus") // log(1 + e^x) without overflow
    return max(x, zero) + log(exp(-abs(x)) + 1.0);
  if (name == "softsign")
    return x / (abs(x) + 1.0);
  if (name == "thresholded_relu")
    return select(x >= alpha, x, zero);
  return tanh(x);
}

Value Task::buffer(int64_t columns) const {
  return memref::AllocOp::create(loops.builder, loops.loc, MemRefType::get({rowsPerTask, columns}, type));
}

Scalar Task::length(Scalar row) const {
  Scalar steps = loops.dim(output, 0);
  if (!lengths)
    return steps;
  return clamp(loops.toIndex(loops.load(lengths, {first + row})), loops.index(0), steps);
}

Scalar Task::position(Scalar row, Scalar step) const {
  if (!reverse)
    return step;
  Scalar end = length(row);
  return lengths ? select(step < end, end - step - 1.0, step) : end - step - 1.0;
}

Scalar Task::gate(Scalar row, Scalar position, int64_t gate, Scalar unit) const {
  return loops.load(input, {position, first + row, loops.index(column(gate)) + unit});
}

void Task::loadState(Value state, Value initial) const {
  eachElement(units, [&](const Scalars &at) {
    Scalar value = initial ? loops.load(initial, {directionIndex(), first + at[0], at[1]}) : loops.number(0, type);
    loops.store(value, state, at);
  });
}

void Task::storeState(Value state, Value last) const {
  eachElement(units, [&](const Scalars &at) {
    loops.store(loops.load(state, at), last, {directionIndex(), first + at[0], at[1]});
  });
}

void Task::eachUnit(Scalar step, llvm::function_ref<void(Scalar, Scalar, Scalar)> body) const {
  loops.each(rows, [&](const Scalars &at) {
    Scalar row = at[0], where = position(row, step);
    auto cell = [&] { loops.each(loops.index(units), [&](const Scalars &unit) { body(row, unit[0], where); }); };
    if (!lengths)
      return cell();
    loops.ifTrue(step < length(row), cell);
    loops.ifTrue(step >= length(row), [&] {
      loops.each(loops.index(units), [&](const Scalars &unit) {
        loops.store(loops.number(0, type), output, {where, directionIndex(), first + row, unit[0]});
      });
    });
  });
}

void Task::addProduct(Value state, Value sums, int64_t from, int64_t to, int64_t count) const {
  auto contract = arith::FastMathFlags::contract;
  auto addRows = [&](Scalar firstUnit, int64_t unitCount) {
    loops.each(rows, [&](const Scalars &at) {
      Scalars terms;
      for (int64_t i = 0; i < unitCount; ++i)
        terms.push_back(loops.load(state, {at[0], firstUnit + double(i)}));
      loops.each(loops.index(count), [&](const Scalars &column) {
        Scalars sumAt = {at[0], column[0] + double(to)};
        Value sum = loops.load(sums, sumAt);
        for (auto [i, term] : llvm::enumerate(terms)) {
          Value weight = loops.load(weights, {directionIndex(), firstUnit + double(i), column[0] + double(from)});
          Value product = arith::MulFOp::create(loops.builder, loops.loc, term, weight, contract);
          sum = arith::AddFOp::create(loops.builder, loops.loc, sum, product, contract);
        }
        loops.store({loops, sum}, sums, sumAt);
      });
    });
  };
  int64_t whole = units / weightRowsAtOnce, rest = units % weightRowsAtOnce;
  if (whole > 0)
    loops.each(loops.index(whole),
               [&](const Scalars &at) { addRows(at[0] * double(weightRowsAtOnce), weightRowsAtOnce); });
  if (rest > 0)
    addRows(loops.index(whole * weightRowsAtOnce), rest);
}

/// The tasks of a recurrence, each given to `body`.
static void eachTask(ScalarLoops &loops, Direction direction, int64_t gates, Value input, Value weights, Value lengths,
                     Value output, llvm::function_ref<void(const Task &)> body) {
  Scalar batch = loops.dim(output, 2), tasks = (batch + double(rowsPerTask - 1)) / double(rowsPerTask);
  int64_t directions = directionsOf(direction), units = cast<MemRefType>(weights.getType()).getDimSize(1);
  Type type = ScalarLoops::computeType(cast<MemRefType>(output.getType()).getElementType());
  loops.parallel({loops.index(directions), tasks}, [&](const Scalars &at) {
    Scalar first = at[1] * double(rowsPerTask), rows = min(batch - first, loops.index(rowsPerTask));
    for (int64_t i = 0; i < directions; ++i) {
      bool reverse = direction == Direction::reverse || i == 1;
      Task task{loops, i, reverse, first, rows, units, gates, input, weights, lengths, output, type};
      if (directions == 1)
        body(task);
      else
        loops.ifTrue(at[0] == double(i), [&] { body(task); });
    }
  });
}

/// The activations of direction number `direction`.
template <typename Op> static SmallVector<Activation> activationsOf(Op op, int64_t direction) {
  SmallVector<Activation> result;
  size_t count = op.getActivations().size() / directionsOf(op.getDirection());
  std::optional<double> clip;
  if (op.getClip())
    clip = op.getClip()->convertToDouble();
  for (size_t i = direction * count; i < (direction + 1) * count; ++i)
    result.push_back({cast<StringAttr>(op.getActivations()[i]).getValue(), op.getAlpha()[i], op.getBeta()[i], clip});
  return result;
}

/// The buffers of optional operands, in order; null where an operand is absent.
static SmallVector<Value> optionalBuffers(ValueRange in, ArrayRef<Value> operands) {
  SmallVector<Value> result;
  unsigned next = 2; // behind input and weights
  for (Value operand : operands)
    result.push_back(operand ? in[next++] : Value());
  return result;
}

//===----------------------------------------------------------------------===//
// coat.rnn
//===----------------------------------------------------------------------===//

LogicalResult RNNOp::checkConstraints(Adaptor op, EmitError emitError) { return checkRecurrence(op, emitError, 1, 1); }

LogicalResult RNNOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                      SmallVectorImpl<Type> &types) {
  return inferRecurrence<RNNOp>(context, location, op, types, /*states=*/1);
}

LogicalResult RNNOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reifyRecurrence(*this, getInput(), builder, shapes);
}

int64_t RNNOp::getFlops() { return recurrenceFlops(getInput(), getWeights()); }

LogicalResult RNNOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  SmallVector<Value> optional = optionalBuffers(in, {getInitial(), getLengths()});
  eachTask(loops, getDirection(), /*gates=*/1, in[0], in[1], optional[1], out[0], [&](const Task &task) {
    Activation f = activationsOf(*this, task.direction)[0];
    Value state = task.buffer(task.units), sums = task.buffer(task.units);
    task.loadState(state, optional[0]);
    loops.each(loops.dim(out[0], 0), [&](const Scalars &step) {
      task.eachElement(task.units, [&](const Scalars &at) {
        loops.store(task.gate(at[0], task.position(at[0], step[0]), 0, at[1]), sums, at);
      });
      task.addProduct(state, sums, 0, 0, task.units);
      task.eachUnit(step[0], [&](Scalar row, Scalar unit, Scalar position) {
        Scalar next = f(loops.load(sums, {row, unit}));
        loops.store(next, state, {row, unit});
        loops.store(next, out[0], {position, task.directionIndex(), task.first + row, unit});
      });
    });
    task.storeState(state, out[1]);
  });
  return success();
}

//===----------------------------------------------------------------------===//
// coat.gru
//===----------------------------------------------------------------------===//

LogicalResult GRUOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkRecurrence(op, emitError, 3, 2)))
    return failure();
  int64_t units = tensorType(op.getWeights()).getDimSize(1);
  if (failed(checkShape(emitError, "bias", op.getBias(), {directionsOf(op.getDirection()), units}))) // C2
    return failure();
  if (op.getBias() && !op.getLinearBeforeReset()) // C2
    return emitError() << "expected no bias without linear_before_reset, got " << op.getBias().getType();
  return checkElementTypes(emitError, {op.getInput(), op.getBias()}); // C4
}

LogicalResult GRUOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                      SmallVectorImpl<Type> &types) {
  return inferRecurrence<GRUOp>(context, location, op, types, /*states=*/1);
}

LogicalResult GRUOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reifyRecurrence(*this, getInput(), builder, shapes);
}

int64_t GRUOp::getFlops() { return recurrenceFlops(getInput(), getWeights()); }

LogicalResult GRUOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  SmallVector<Value> optional = optionalBuffers(in, {getBias(), getInitial(), getLengths()});
  Value bias = optional[0];
  bool before = getLinearBeforeReset();
  eachTask(loops, getDirection(), /*gates=*/3, in[0], in[1], optional[2], out[0], [&](const Task &task) {
    SmallVector<Activation> functions = activationsOf(*this, task.direction);
    Activation f = functions[0], g = functions[1];
    int64_t units = task.units;
    Value state = task.buffer(units), sums = task.buffer(3 * units);
    Value reset = before ? Value() : task.buffer(units);
    auto sum = [&](Scalar row, int64_t gate, Scalar unit) {
      return loops.load(sums, {row, unit + double(gate * units)});
    };
    task.loadState(state, optional[1]);
    loops.each(loops.dim(out[0], 0), [&](const Scalars &step) {
      // What the products are added to: the input's part, except of h where the reset comes behind its product.
      task.eachElement((before ? 2 : 3) * units, [&](const Scalars &at) {
        loops.store(task.gate(at[0], task.position(at[0], step[0]), 0, at[1]), sums, at);
      });
      if (before)
        task.eachElement(units, [&](const Scalars &at) {
          Scalar value = bias ? loops.load(bias, {task.directionIndex(), at[1]}) : loops.number(0, task.type);
          loops.store(value, sums, {at[0], at[1] + double(2 * units)});
        });
      task.addProduct(state, sums, 0, 0, (before ? 3 : 2) * units);
      if (!before) {
        task.eachElement(units, [&](const Scalars &at) {
          loops.store(f(sum(at[0], 1, at[1])) * loops.load(state, at), reset, at);
        });
        task.addProduct(reset, sums, 2 * units, 2 * units, units);
      }
      task.eachUnit(step[0], [&](Scalar row, Scalar unit, Scalar position) {
        Scalar z = f(sum(row, 0, unit)), hidden = sum(row, 2, unit);
        if (before)
          hidden = task.gate(row, position, 2, unit) + f(sum(row, 1, unit)) * hidden;
        Scalar old = loops.load(state, {row, unit}), next = (z.constant(1) - z) * g(hidden) + z * old;
        loops.store(next, state, {row, unit});
        loops.store(next, out[0], {position, task.directionIndex(), task.first + row, unit});
      });
    });
    task.storeState(state, out[1]);
  });
  return success();
}

//===----------------------------------------------------------------------===//
// coat.lstm
//===----------------------------------------------------------------------===//

LogicalResult LSTMOp::checkConstraints(Adaptor op, EmitError emitError) {
  if (failed(checkRecurrence(op, emitError, 4, 3)))
    return failure();
  int64_t units = tensorType(op.getWeights()).getDimSize(1), directions = directionsOf(op.getDirection()),
          batch = tensorType(op.getInput()).getDimSize(1);
  if (failed(checkShape(emitError, "initial_cell", op.getInitialCell(), {directions, batch, units})) || // C2
      failed(checkShape(emitError, "peepholes", op.getPeepholes(), {directions, 3 * units})))           // C2
    return failure();
  return checkElementTypes(emitError, {op.getInput(), op.getInitialCell(), op.getPeepholes()}); // C4
}

LogicalResult LSTMOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor op,
                                       SmallVectorImpl<Type> &types) {
  return inferRecurrence<LSTMOp>(context, location, op, types, /*states=*/2);
}

LogicalResult LSTMOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  return reifyRecurrence(*this, getInput(), builder, shapes);
}

int64_t LSTMOp::getFlops() { return recurrenceFlops(getInput(), getWeights()); }

LogicalResult LSTMOp::writeFormula(ScalarLoops &loops, ValueRange in, ValueRange out) {
  SmallVector<Value> optional =
      optionalBuffers(in, {getInitial(), getInitialCell(), getPeepholes(), getLengths()});
  Value peepholes = optional[2];
  eachTask(loops, getDirection(), /*gates=*/4, in[0], in[1], optional[3], out[0], [&](const Task &task) {
    SmallVector<Activation> functions = activationsOf(*this, task.direction);
    Activation f = functions[0], g = functions[1], h = functions[2];
    h.clip.reset(); // of the gates' sums only
    int64_t units = task.units;
    Value state = task.buffer(units), cell = task.buffer(units), sums = task.buffer(4 * units);
    task.loadState(state, optional[0]);
    task.loadState(cell, optional[1]);
    loops.each(loops.dim(out[0], 0), [&](const Scalars &step) {
      task.eachElement(4 * units, [&](const Scalars &at) {
        loops.store(task.gate(at[0], task.position(at[0], step[0]), 0, at[1]), sums, at);
      });
      task.addProduct(state, sums, 0, 0, 4 * units);
      task.eachUnit(step[0], [&](Scalar row, Scalar unit, Scalar position) {
        // The gate's sum, with the peephole to `from`; in the order i, o, f of both.
        auto gate = [&](int64_t number, Scalar from) {
          Scalar sum = loops.load(sums, {row, unit + double(number * units)});
          if (!peepholes || number == 3)
            return sum;
          return sum + loops.load(peepholes, {task.directionIndex(), unit + double(number * units)}) * from;
        };
        Scalar old = loops.load(cell, {row, unit}), i = f(gate(0, old));
        Scalar forget = getInputForget() ? i.constant(1) - i : f(gate(2, old));
        Scalar fresh = forget * old + i * g(gate(3, old));
        Scalar next = f(gate(1, fresh)) * h(fresh);
        loops.store(fresh, cell, {row, unit});
        loops.store(next, state, {row, unit});
        loops.store(next, out[0], {position, task.directionIndex(), task.first + row, unit});
      });
    });
    task.storeState(state, out[1]);
    task.storeState(cell, out[2]);
  });
  return success();
}
