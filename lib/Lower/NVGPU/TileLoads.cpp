// See TileLoads.h.
#include "TileLoads.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace coat;

Value coat::walk(GpuBuilder &g, ArrayRef<Digit> digits, Value index, MutableArrayRef<Value> positions) {
  Value offset = g.i32(0);
  for (auto [i, digit] : llvm::enumerate(llvm::reverse(digits))) {
    bool isFirst = i + 1 == digits.size();
    Value place = isFirst ? index : g.rem(index, digit.size);
    if (digit.stride)
      offset = g.add(offset, g.mul(place, digit.stride));
    if (digit.window >= 0)
      positions[digit.window] = g.add(positions[digit.window], g.mul(place, digit.step));
    if (!isFirst)
      index = g.div(index, digit.size);
  }
  return offset;
}

Value SharedTile::placeOf(GpuBuilder &g, Value row, Value chunk) const {
  int64_t chunks = rowBytes() / 16, rowsPerBanks = chunks >= 8 ? 1 : 8 / chunks;
  Value order = g.rem(g.div(row, rowsPerBanks), std::min<int64_t>(chunks, 8));
  return g.add(g.mul(row, rowBytes()), g.mul(g.bitXor(chunk, order), 16));
}

SharedTile TileLoader::tileOf(const ProductOperand &operand, Type type, int64_t outer, int64_t inner) {
  return operand.innerIsDense ? SharedTile{outer, inner, type} : SharedTile{inner, outer, type};
}

int64_t TileLoader::unitOf(const ProductOperand &operand, Type type) {
  return std::min<int64_t>(operand.run, 16 / (type.getIntOrFloatBitWidth() / 8));
}

bool TileLoader::isAsync(const ProductOperand &operand, Type type) {
  return operand.memory == type && unitOf(operand, type) * type.getIntOrFloatBitWidth() >= 32;
}

TileLoader::TileLoader(GpuBuilder &g, const ProductOperand &operand, Type type, Value pointer, Value batch, Value first,
                       int64_t outer, int64_t inner, int64_t outerSize, int64_t innerSize, int64_t threads)
    : g(g), operand(operand), type(type), tile(tileOf(operand, type, outer, inner)), innerSize(innerSize),
      innerTile(inner), unit(unitOf(operand, type)) {
  base = g.step(pointer, g.add(walk(g, operand.batch, batch), operand.offset), operand.memory);
  int64_t perRow = tile.columns / unit, units = tile.rows * perRow;
  if (units < threads)
    participates = g.less(g.thread, units);
  for (int64_t i = 0; i * threads < units; ++i) {
    // Sizes are powers of two, so that all copies of a thread are in one column, or in as few as there can be.
    bool isOneColumn = threads % perRow == 0;
    Value row = isOneColumn ? g.add(g.div(g.thread, perRow), i * (threads / perRow)) : g.i32(i * threads / perRow);
    Value column = isOneColumn ? g.rem(g.thread, perRow) : g.add(g.thread, (i * threads) % perRow);
    column = g.mul(column, unit);
    rows.push_back(row);
    columns.push_back(column);
    Value within = g.mul(g.rem(column, tile.perChunk()), tile.elementBytes());
    places.push_back(g.add(tile.placeOf(g, row, g.div(column, tile.perChunk())), within));
    outers.push_back(partOf(operand.outer, g.add(first, operand.innerIsDense ? row : column), outerSize, outer));
  }
}

TileLoader::Part TileLoader::partOf(ArrayRef<Digit> digits, Value index, int64_t size, int64_t tileSize) {
  Part part;
  part.positions.assign(operand.windows.size(), g.i32(0));
  part.offset = walk(g, digits, index, part.positions);
  if (size % tileSize)
    part.valid = g.less(index, size);
  return part;
}

Value TileLoader::isInside(const Part &outer, const Part &inner) {
  Value valid = g.both(outer.valid, inner.valid);
  for (auto [i, window] : llvm::enumerate(operand.windows)) {
    // Below zero is very large without a sign.
    Value position = g.add(g.add(outer.positions[i], inner.positions[i]), -window.before);
    valid = g.both(valid, g.less(position, window.size));
  }
  return valid;
}

void TileLoader::copy(const Part &outer, const Part &inner, Value place) {
  Value from = g.step(g.step(base, outer.offset, operand.memory), inner.offset, operand.memory);
  Value to = g.sharedAt(place), valid = isInside(outer, inner);
  int64_t bytes = unit * tile.elementBytes();
  if (isAsync(operand, type))
    return g.copyAsync(to, from, bytes, valid ? g.select(valid, g.i32(bytes), g.i32(0)) : Value());
  auto vector = [&](Type element) { return VectorType::get(unit, element); };
  auto read = [&]() -> Values {
    Value value = g.load(vector(operand.memory), from, unit * operand.memory.getIntOrFloatBitWidth() / 8);
    if (operand.memory == type)
      return {value};
    if (!operand.memory.isF32())
      value = arith::ExtFOp::create(g.b, g.loc, vector(g.b.getF32Type()), value);
    return {type.isF32() ? value : arith::TruncFOp::create(g.b, g.loc, vector(type), value)};
  };
  Value value =
      valid ? g.choose(valid, read, [&]() -> Values { return {g.zero(vector(type))}; }).front() : read().front();
  g.store(value, to, bytes);
}

void TileLoader::load(Value first, Value place) {
  g.when(participates, [&] {
    Part inner;
    for (size_t i = 0; i < places.size(); ++i) {
      Value moving = operand.innerIsDense ? columns[i] : rows[i];
      if (i == 0 || moving != (operand.innerIsDense ? columns[i - 1] : rows[i - 1]))
        inner = partOf(operand.inner, g.add(first, moving), innerSize, innerTile);
      copy(outers[i], inner, g.add(place, places[i]));
    }
  });
}
