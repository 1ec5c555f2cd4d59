// The loops of a recurrence's task.
#include "Recurrence.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace coat;

static constexpr int64_t rowsPerTask = 8, unitsAtOnce = 8, columnsAtOnce = 512;
/// Rows of the batch and of the weights whose products are added in one loop over the columns. Three rows by four units
/// keep twelve states in registers; a fourth row reads weights less often, which is worth more than the states that
/// then are in memory where weights do not stay in a core's own cache. LSTM of 512 units, a batch of 8: 69 GFLOP/s with
/// 4 by 4, 58 with 1 by 8; of 64 units, a batch of 4: 67 with 2 by 4, 57 with 4 by 4.
static constexpr int64_t unitsOfTile = 4, fewRows = 3, manyRows = 4, weightsInCache = 128 * 1024;
/// Columns more than a row needs: rows a power of two apart would meet in the same few lines of the cache, and a load
/// would wait for the store to the row before, which has the same lower bits of the address.
static constexpr int64_t rowPadding = 16;

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

Value RecurrenceTask::buffer(int64_t columns) const {
  return loops.buffer(type, {loops.index(rowsPerTask), loops.index(columns + rowPadding)});
}

Scalar RecurrenceTask::length(Scalar row) const {
  Scalar steps = loops.dim(output, 0);
  if (!lengths)
    return steps;
  return clamp(loops.toIndex(loops.load(lengths, {first + row})), loops.index(0), steps);
}

Scalar RecurrenceTask::position(Scalar row, Scalar step) const {
  if (!reverse)
    return step;
  Scalar end = length(row);
  return lengths ? select(step < end, end - step - 1.0, step) : end - step - 1.0;
}

Scalar RecurrenceTask::gate(Scalar row, Scalar position, int64_t gate, Scalar unit) const {
  return loops.load(input, {position, first + row, loops.index(column(gate)) + unit});
}

void RecurrenceTask::loadState(Value state, Value initial) const {
  eachElement(units, [&](const Scalars &at) {
    Scalar value = initial ? loops.load(initial, {directionIndex(), first + at[0], at[1]}) : loops.number(0, type);
    loops.store(value, state, at);
  });
}

void RecurrenceTask::storeState(Value state, Value last) const {
  eachElement(units, [&](const Scalars &at) {
    loops.store(loops.load(state, at), last, {directionIndex(), first + at[0], at[1]});
  });
}

void RecurrenceTask::eachUnit(Scalar step, llvm::function_ref<void(Scalar, Scalar, Scalar)> body) const {
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

void RecurrenceTask::addProduct(Value state, Value sums, int64_t from, int64_t to, int64_t count) const {
  auto contract = arith::FastMathFlags::contract;
  // Rows `row` .. of the batch times the rows of weights of units `unit` ..: in registers but for weights and sums.
  auto addTile = [&](Scalar row, int64_t rowCount, Scalar unit, int64_t unitCount, Scalar firstColumn,
                     int64_t columns) {
    SmallVector<Scalars> terms(rowCount);
    for (int64_t r = 0; r < rowCount; ++r)
      for (int64_t i = 0; i < unitCount; ++i)
        terms[r].push_back(loops.load(state, {row + double(r), unit + double(i)}));
    loops.each(loops.index(columns), [&](const Scalars &inner) {
      Scalar column = firstColumn + inner[0];
      SmallVector<Value> totals;
      for (int64_t r = 0; r < rowCount; ++r)
        totals.push_back(loops.load(sums, {row + double(r), column + double(to)}));
      for (int64_t i = 0; i < unitCount; ++i) {
        Value weight = loops.load(weights, {directionIndex(), unit + double(i), column + double(from)});
        for (int64_t r = 0; r < rowCount; ++r) {
          Value product = arith::MulFOp::create(loops.builder, loops.loc, terms[r][i], weight, contract);
          totals[r] = arith::AddFOp::create(loops.builder, loops.loc, totals[r], product, contract);
        }
      }
      for (int64_t r = 0; r < rowCount; ++r)
        loops.store({loops, totals[r]}, sums, {row + double(r), column + double(to)});
    });
  };
  // Known rows of a task are tiles as equal as possible; of others, those behind whole tiles go one by one.
  int64_t batch = cast<MemRefType>(output.getType()).getDimSize(2);
  int64_t known = 0;
  if (!ShapedType::isDynamic(batch) && (batch <= rowsPerTask || batch % rowsPerTask == 0))
    known = std::min(batch, rowsPerTask);
  int64_t most = units * count > weightsInCache ? manyRows : fewRows;
  int64_t tile = known ? llvm::divideCeil(known, llvm::divideCeil(known, most)) : most, rest = known % tile;
  auto addRows = [&](Scalar unit, int64_t some, Scalar first, int64_t columns) {
    auto add = [&](Scalar row, int64_t count) {
      int64_t step = count == 1 ? unitsAtOnce : unitsOfTile;
      for (int64_t i = 0; i < some; i += step)
        addTile(row, count, unit + double(i), std::min(step, some - i), first, columns);
    };
    loops.each(rows / double(tile), [&](const Scalars &at) { add(at[0] * double(tile), tile); });
    if (rest)
      add(rows - double(rest), rest);
    else if (!known)
      loops.each(rows % double(tile), [&](const Scalars &at) { add(rows - 1.0 - at[0], 1); });
  };
  auto addColumns = [&](Scalar first, int64_t columns) {
    inBlocks(units, unitsAtOnce, [&](Scalar unit, int64_t some) { addRows(unit, some, first, columns); });
  };
  // One row of a batch reads each weight once, in whichever order.
  inBlocks(count, batch == 1 ? count : columnsAtOnce, addColumns);
}

void RecurrenceTask::inBlocks(int64_t size, int64_t block, llvm::function_ref<void(Scalar, int64_t)> body) const {
  int64_t whole = size / block, rest = size % block;
  if (whole > 0)
    loops.each(loops.index(whole), [&](const Scalars &at) { body(at[0] * double(block), block); });
  if (rest > 0)
    body(loops.index(whole * block), rest);
}

void coat::eachRecurrenceTask(ScalarLoops &loops, Direction direction, int64_t gates, Value input, Value weights,
                              Value lengths, Value output, llvm::function_ref<void(const RecurrenceTask &)> body) {
  Scalar batch = loops.dim(output, 2), tasks = (batch + double(rowsPerTask - 1)) / double(rowsPerTask);
  int64_t directions = directionsOf(direction), units = cast<MemRefType>(weights.getType()).getDimSize(1);
  Type type = ScalarLoops::computeType(cast<MemRefType>(output.getType()).getElementType());
  loops.parallel({loops.index(directions), tasks}, [&](const Scalars &at) {
    Scalar first = at[1] * double(rowsPerTask), rows = min(batch - first, loops.index(rowsPerTask));
    for (int64_t i = 0; i < directions; ++i) {
      bool reverse = direction == Direction::reverse || i == 1;
      RecurrenceTask task{loops, i, reverse, first, rows, units, gates, input, weights, lengths, output, type};
      if (directions == 1)
        body(task);
      else
        loops.ifTrue(at[0] == double(i), [&] { body(task); });
    }
  });
}
