// See Epilogue.h.
#include "Epilogue.h"
#include "TileLoads.h"
#include "coat/Dialect/Coat.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace coat;

static bool isSplat(Value value) {
  DenseElementsAttr dense;
  return matchPattern(value, m_Constant(&dense)) && dense.isSplat();
}

/// Whether `tensor` is computed element by element from `root` (null: without it) and tensors that can be read.
static bool isComputable(Value tensor, Operation *root) {
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return false;
  if (op == root || isSplat(tensor))
    return true;
  if (auto read = dyn_cast<bufferization::ToTensorOp>(op)) {
    auto type = dyn_cast<MemRefType>(read.getBuffer().getType());
    SmallVector<int64_t> strides;
    int64_t offset;
    return isa<BlockArgument>(read.getBuffer()) && type && type.hasStaticShape() && type.getElementType().isSignlessIntOrFloat() &&
           succeeded(type.getStridesAndOffset(strides, offset)) && !ShapedType::isDynamic(offset) &&
           llvm::none_of(strides, ShapedType::isDynamic);
  }
  return isa<ElementwiseOp, CastOp, BroadcastOp>(op) &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return isa<RankedTensorType>(operand.getType()) && isComputable(operand, root);
         });
}

static bufferization::MaterializeInDestinationOp lastOf(func::FuncOp kernel) {
  bufferization::MaterializeInDestinationOp last;
  for (auto op : kernel.getOps<bufferization::MaterializeInDestinationOp>()) {
    if (last)
      return {};
    last = op;
  }
  return last;
}

bool Epilogue::covers(func::FuncOp kernel, Operation *root) {
  auto last = lastOf(kernel);
  if (!last || !isa<BlockArgument>(last.getDest()) || !isComputable(last.getSource(), root) ||
      !kernel.getOps<OnceOp>().empty() || root->getNumResults() != 1)
    return false;
  auto type = dyn_cast<MemRefType>(last.getDest().getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  return type && type.hasStaticShape() && type.getElementType().isSignlessIntOrFloat() &&
         type.getShape() == cast<RankedTensorType>(root->getResult(0).getType()).getShape() &&
         succeeded(type.getStridesAndOffset(strides, offset)) && llvm::none_of(strides, ShapedType::isDynamic) &&
         !ShapedType::isDynamic(offset);
}

Epilogue::Epilogue(GpuBuilder &g, func::FuncOp kernel, Operation *root, Value bias, ValueRange pointers)
    : g(g), root(root), bias(bias), pointers(pointers) {
  auto last = lastOf(kernel);
  result = last.getSource();
  destination = last.getDest();
  llvm::append_range(shape, cast<MemRefType>(destination.getType()).getShape());
  for (int64_t size : ArrayRef<int64_t>(shape).drop_back())
    rowCount *= size;
}

Epilogue::Leaf Epilogue::leafOf(MemRefType type) const {
  SmallVector<int64_t> strides;
  Leaf leaf;
  (void)type.getStridesAndOffset(strides, leaf.offset);
  leaf.type = type.getElementType();
  int64_t lead = int64_t(shape.size()) - type.getRank();
  for (int64_t i = 0, rank = shape.size(); i < rank; ++i) {
    int64_t stride = i < lead || type.getDimSize(i - lead) == 1 ? 0 : strides[i - lead];
    if (i + 1 == rank)
      leaf.column = stride;
    else
      leaf.row.push_back({shape[i], stride});
  }
  simplify(leaf.row);
  return leaf;
}

bool Epilogue::isVector(const Leaf &leaf, const Place &place) const {
  auto isMultiple = [&](int64_t value) { return value % place.width == 0; };
  return place.width > 1 && place.aligned && leaf.column == 1 && isMultiple(leaf.offset) && !leaf.type.isInteger(1) &&
         llvm::all_of(leaf.row, [&](const Digit &digit) { return isMultiple(digit.stride); });
}

static Value placeIn(GpuBuilder &g, Value pointer, ArrayRef<Digit> row, int64_t column, Value rowIndex, Value columnIndex,
                     Type type) {
  Value offset = walk(g, row, rowIndex);
  if (column)
    offset = g.add(offset, g.mul(columnIndex, column));
  return g.step(pointer, offset, type);
}

Values Epilogue::loadLeaf(BlockArgument argument, const Place &place) {
  Leaf leaf = leafOf(cast<MemRefType>(argument.getType()));
  bool isTruth = leaf.type.isInteger(1);
  Type type = isTruth ? g.b.getI8Type() : leaf.type;
  int64_t bytes = type.getIntOrFloatBitWidth() / 8;
  Value pointer = placeIn(g, pointers[argument.getArgNumber()], leaf.row, leaf.column, place.row, place.column, type);
  Values values;
  if (isVector(leaf, place)) {
    Value vector = g.load(VectorType::get(place.width, type), pointer, bytes * place.width);
    for (int64_t i = 0; i < place.width; ++i)
      values.push_back(vector::ExtractOp::create(g.b, g.loc, vector, i));
    return values;
  }
  for (int64_t i = 0; i < place.width; ++i) {
    if (i && !leaf.column) {
      values.push_back(values.front());
      continue;
    }
    Value value = g.load(type, i ? g.step(pointer, g.i32(i * leaf.column), type) : pointer, bytes);
    values.push_back(isTruth ? g.compare(arith::CmpIPredicate::ne, value, g.zero(type)) : value);
  }
  return values;
}

Values Epilogue::valuesOf(Value tensor, const Place &place) {
  if (auto found = known.find(tensor); found != known.end())
    return found->second;
  Operation *op = tensor.getDefiningOp();
  Values values;
  DenseElementsAttr dense;
  if (matchPattern(tensor, m_Constant(&dense))) {
    Value scalar = arith::ConstantOp::create(g.b, g.loc, cast<TypedAttr>(dense.getSplatValue<Attribute>()));
    values.assign(place.width, scalar);
  } else if (auto read = dyn_cast<bufferization::ToTensorOp>(op)) {
    values = loadLeaf(cast<BlockArgument>(read.getBuffer()), place);
  } else if (isa<BroadcastOp>(op)) {
    values = valuesOf(op->getOperand(0), place);
  } else {
    SmallVector<Values> operands;
    for (Value operand : op->getOperands())
      operands.push_back(valuesOf(operand, place));
    for (int64_t i = 0; i < place.width; ++i) {
      Values scalars;
      for (const Values &operand : operands)
        scalars.push_back(operand[i]);
      auto cast = dyn_cast<CastOp>(op);
      values.push_back(cast ? cast.buildScalar(g.b, g.loc, scalars.front())
                            : llvm::cast<ElementwiseOp>(op).buildScalar(g.b, g.loc, scalars));
    }
  }
  known[tensor] = values;
  return values;
}

void Epilogue::store(Value row, Value column, ArrayRef<Value> sums, bool aligned) {
  Place place = {row, column, int64_t(sums.size()), aligned};
  known.clear();
  Values start(sums);
  if (bias)
    for (auto [sum, term] : llvm::zip(start, valuesOf(bias, place)))
      sum = arith::AddFOp::create(g.b, g.loc, sum, term);
  known[root->getResult(0)] = start;
  Values values = valuesOf(result, place);
  auto type = cast<MemRefType>(destination.getType());
  Leaf leaf = leafOf(type);
  Type stored = leaf.type.isInteger(1) ? g.b.getI8Type() : leaf.type;
  int64_t bytes = stored.getIntOrFloatBitWidth() / 8;
  Value pointer = placeIn(g, pointers[cast<BlockArgument>(destination).getArgNumber()], leaf.row, leaf.column, row, column, stored);
  if (isVector(leaf, place))
    return g.store(vector::FromElementsOp::create(g.b, g.loc, VectorType::get(place.width, stored), values), pointer,
                   bytes * place.width);
  for (auto [i, value] : llvm::enumerate(values)) {
    if (leaf.type.isInteger(1))
      value = arith::ExtUIOp::create(g.b, g.loc, stored, value);
    g.store(value, i ? g.step(pointer, g.i32(i * leaf.column), stored) : pointer, bytes);
  }
}
