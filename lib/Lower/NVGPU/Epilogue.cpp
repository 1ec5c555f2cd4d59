// See Epilogue.h.
#include "Epilogue.h"
#include "TileLoads.h"
#include "coat/Dialect/Coat.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace coat;

//===----------------------------------------------------------------------===//
// What is covered
//===----------------------------------------------------------------------===//

static bool isSplat(Value value) {
  DenseElementsAttr dense;
  return matchPattern(value, m_Constant(&dense)) && dense.isSplat();
}

/// A buffer of known size and strides that is an argument.
static bool isPlainArgument(Value buffer) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  return isa<BlockArgument>(buffer) && type && type.hasStaticShape() && type.getElementType().isSignlessIntOrFloat() &&
         succeeded(type.getStridesAndOffset(strides, offset)) && llvm::none_of(strides, ShapedType::isDynamic);
}

static bool isOfDimensions(AffineMap map) {
  return llvm::all_of(map.getResults(), [](AffineExpr expr) { return isa<AffineDimExpr, AffineConstantExpr>(expr); });
}

static bool isComputable(Value tensor, Operation *root);

static bool isComputable(linalg::GenericOp op, Operation *root) {
  if (op.getNumReductionLoops() || op.getNumResults() != 1 ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity() || !op.getRegionOutputArgs().front().use_empty())
    return false;
  for (OpOperand *input : op.getDpsInputOperands())
    if (!op.getMatchingBlockArgument(input).use_empty() &&
        (!isOfDimensions(op.getMatchingIndexingMap(input)) || !isComputable(input->get(), root)))
      return false;
  return llvm::all_of(op.getBody()->without_terminator(), [](Operation &inner) {
    return inner.getNumResults() == 1 && inner.getNumRegions() == 0 && !isa<linalg::IndexOp>(inner);
  });
}

/// Whether `tensor` is computed element by element from `root` and from what can be read.
static bool isComputable(Value tensor, Operation *root) {
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return false;
  if (op == root || isSplat(tensor))
    return true;
  if (!isa<RankedTensorType>(tensor.getType()))
    return matchPattern(tensor, m_Constant());
  if (auto read = dyn_cast<bufferization::ToTensorOp>(op))
    return isPlainArgument(read.getBuffer());
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && isComputable(generic, root);
}

/// The op that writes the kernel's only result, or null.
static bufferization::MaterializeInDestinationOp lastOf(func::FuncOp kernel) {
  auto writes = llvm::to_vector(kernel.getOps<bufferization::MaterializeInDestinationOp>());
  return writes.size() == 1 ? writes.front() : bufferization::MaterializeInDestinationOp();
}

bool Epilogue::covers(func::FuncOp kernel, Operation *root, Value bias) {
  auto last = lastOf(kernel);
  return last && kernel.getOps<OnceOp>().empty() && root->getNumResults() == 1 && isPlainArgument(last.getDest()) &&
         isComputable(last.getSource(), root) && (!bias || isComputable(bias, nullptr)) &&
         cast<MemRefType>(last.getDest().getType()).getShape() ==
             cast<RankedTensorType>(root->getResult(0).getType()).getShape();
}

//===----------------------------------------------------------------------===//
// Reading and writing
//===----------------------------------------------------------------------===//

Epilogue::Epilogue(GpuBuilder &g, func::FuncOp kernel, Operation *root, Value bias, ValueRange pointers)
    : g(g), root(root), bias(bias), pointers(pointers) {
  auto last = lastOf(kernel);
  result = last.getSource();
  destination = last.getDest();
  llvm::append_range(shape, cast<MemRefType>(destination.getType()).getShape());
  for (int64_t size : ArrayRef<int64_t>(shape).drop_back())
    rowCount *= size;
}

Epilogue::Leaf Epilogue::leafOf(BlockArgument argument, AffineMap map) const {
  SmallVector<int64_t> strides, perLoop(shape.size(), 0);
  Leaf leaf;
  auto type = cast<MemRefType>(argument.getType());
  (void)type.getStridesAndOffset(strides, leaf.offset);
  leaf.offset = offsetOf(argument);
  leaf.type = type.getElementType();
  for (auto [expr, stride, size] : llvm::zip(map.getResults(), strides, type.getShape()))
    if (auto dim = dyn_cast<AffineDimExpr>(expr); dim && size != 1)
      perLoop[dim.getPosition()] += stride;
  leaf.column = perLoop.back();
  for (auto [size, stride] : llvm::zip(ArrayRef<int64_t>(shape).drop_back(), perLoop))
    leaf.row.push_back({size, stride});
  simplify(leaf.row);
  return leaf;
}

bool Epilogue::isVector(const Leaf &leaf, const Place &place) const {
  auto isMultiple = [&](int64_t value) { return value % place.width == 0; };
  return place.width > 1 && place.aligned && leaf.column == 1 && isMultiple(leaf.offset) && !leaf.type.isInteger(1) &&
         llvm::all_of(leaf.row, [&](const Digit &digit) { return isMultiple(digit.stride); });
}

Value Epilogue::pointerTo(BlockArgument argument, const Leaf &leaf, const Place &place, Type type) {
  Value offset = walk(g, leaf.row, place.row);
  if (leaf.column)
    offset = g.add(offset, g.mul(place.column, leaf.column));
  return g.step(pointers[argument.getArgNumber()], offset, type);
}

Values Epilogue::loadLeaf(BlockArgument argument, AffineMap map, const Place &place) {
  Leaf leaf = leafOf(argument, map);
  bool isTruth = leaf.type.isInteger(1);
  Type type = isTruth ? g.b.getI8Type() : leaf.type;
  int64_t bytes = type.getIntOrFloatBitWidth() / 8;
  Value pointer = pointerTo(argument, leaf, place, type);
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

//===----------------------------------------------------------------------===//
// Computing
//===----------------------------------------------------------------------===//

Values Epilogue::valuesOf(linalg::GenericOp op, AffineMap map, const Place &place) {
  SmallVector<IRMapping> mappings(place.width);
  auto bind = [&](Value from, const Values &to) {
    for (auto [mapping, value] : llvm::zip(mappings, to))
      mapping.map(from, value);
  };
  for (OpOperand *input : op.getDpsInputOperands())
    if (BlockArgument argument = op.getMatchingBlockArgument(input); !argument.use_empty())
      bind(argument, valuesOf(input->get(), op.getMatchingIndexingMap(input).compose(map), place));
  auto resolve = [&](Value value) { // a number from outside of the body
    if (!mappings.front().contains(value) && value.getParentRegion() != &op.getRegion())
      bind(value, Values(place.width, g.b.clone(*value.getDefiningOp())->getResult(0)));
  };
  for (Operation &inner : op.getBody()->without_terminator()) {
    for (Value operand : inner.getOperands())
      resolve(operand);
    for (IRMapping &mapping : mappings)
      g.b.clone(inner, mapping);
  }
  Value last = op.getBody()->getTerminator()->getOperand(0);
  resolve(last);
  Values values;
  for (IRMapping &mapping : mappings)
    values.push_back(mapping.lookup(last));
  return values;
}

Values Epilogue::valuesOf(Value tensor, AffineMap map, const Place &place) {
  if (auto found = known.find({tensor, map}); found != known.end())
    return found->second;
  Operation *op = tensor.getDefiningOp();
  Values values;
  Attribute constant;
  if (matchPattern(tensor, m_Constant(&constant))) {
    auto dense = dyn_cast<DenseElementsAttr>(constant);
    auto number = cast<TypedAttr>(dense ? dense.getSplatValue<Attribute>() : constant);
    values.assign(place.width, arith::ConstantOp::create(g.b, g.loc, number));
  } else if (auto read = dyn_cast<bufferization::ToTensorOp>(op)) {
    values = loadLeaf(cast<BlockArgument>(read.getBuffer()), map, place);
  } else {
    values = valuesOf(cast<linalg::GenericOp>(op), map, place);
  }
  known[{tensor, map}] = values;
  return values;
}

void Epilogue::store(Value row, Value column, ArrayRef<Value> sums, bool aligned) {
  Place place = {row, column, int64_t(sums.size()), aligned};
  unsigned rank = shape.size();
  AffineMap identity = g.b.getMultiDimIdentityMap(rank);
  known.clear();
  Values start(sums);
  if (bias)
    for (auto [sum, term] :
         llvm::zip(start, valuesOf(bias, AffineMap::get(rank, 0, g.b.getAffineDimExpr(rank - 1)), place)))
      sum = arith::AddFOp::create(g.b, g.loc, sum, term);
  known[{root->getResult(0), identity}] = start;
  Values values = valuesOf(result, identity, place);
  auto argument = cast<BlockArgument>(destination);
  Leaf leaf = leafOf(argument, identity);
  bool isTruth = leaf.type.isInteger(1);
  Type type = isTruth ? g.b.getI8Type() : leaf.type;
  int64_t bytes = type.getIntOrFloatBitWidth() / 8;
  Value pointer = pointerTo(argument, leaf, place, type);
  if (isVector(leaf, place))
    return g.store(vector::FromElementsOp::create(g.b, g.loc, VectorType::get(place.width, type), values), pointer,
                   bytes * place.width);
  for (auto [i, value] : llvm::enumerate(values)) {
    Value stored = isTruth ? arith::ExtUIOp::create(g.b, g.loc, type, value).getResult() : value;
    g.store(stored, i ? g.step(pointer, g.i32(i * leaf.column), type) : pointer, bytes);
  }
}
