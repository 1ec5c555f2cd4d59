// Recurrences along a sequence: formula ops.
#include "coat/Dialect/RecurrentOps.h"
#include "Recurrence.h"
#include "Shapes.h"

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

//===----------------------------------------------------------------------===//
// Constraints and types
//===----------------------------------------------------------------------===//

static LogicalResult checkShape(EmitError emitError, StringRef name, Value value, ArrayRef<int64_t> expected) {
  if (!value)
    return success();
  ArrayRef<int64_t> shape = tensorType(value).getShape();
  if (succeeded(verifyCompatibleShape(expected, shape)))
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
  if (lengthType && !isIndexElement(lengthType)) // C3
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
static LogicalResult inferRecurrence(MLIRContext *context, std::optional<Location> location, typename Op::Adaptor op,
                                     SmallVectorImpl<Type> &types, unsigned states) {
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
  eachRecurrenceTask(loops, getDirection(), /*gates=*/1, in[0], in[1], optional[1], out[0],
                     [&](const RecurrenceTask &task) {
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
  eachRecurrenceTask(
      loops, getDirection(), /*gates=*/3, in[0], in[1], optional[2], out[0], [&](const RecurrenceTask &task) {
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
  SmallVector<Value> optional = optionalBuffers(in, {getInitial(), getInitialCell(), getPeepholes(), getLengths()});
  Value peepholes = optional[2];
  eachRecurrenceTask(
      loops, getDirection(), /*gates=*/4, in[0], in[1], optional[3], out[0], [&](const RecurrenceTask &task) {
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
