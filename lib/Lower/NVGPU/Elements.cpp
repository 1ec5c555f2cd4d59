// Implementation of Elements.h: which op makes an element, and loads and stores. The bodies of generics are in
// ElementBodies.cpp.
#include "Elements.h"
#include "coat/Dialect/Coat.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include <numeric>

using namespace mlir;
using namespace coat;

bool coat::isStaticMemRef(MemRefType type, SmallVectorImpl<int64_t> &strides) {
  int64_t offset;
  return type.hasStaticShape() && succeeded(type.getStridesAndOffset(strides, offset)) &&
         llvm::none_of(strides, ShapedType::isDynamic);
}

Value Elements::fail(Operation *op, Twine what) {
  op->emitError("expected ") << what.str() << " in a kernel for GPUs, got " << op->getName();
  return {};
}

Value *Elements::find(Value tensor, const Position &at) {
  Key key{tensor.getAsOpaquePointer(), at};
  for (auto &scope : llvm::reverse(scopes))
    if (auto found = scope.find(key); found != scope.end())
      return &found->second;
  return nullptr;
}

Elements::Values Elements::get(Value tensor, Positions at) {
  // Each position once, and only those that are not known.
  SmallVector<Position> missing;
  for (const Position &position : at)
    if (!find(tensor, position) && !llvm::is_contained(missing, position))
      missing.push_back(position);
  if (!missing.empty())
    for (auto [position, value] : llvm::zip_equal(missing, compute(tensor, missing)))
      remember(tensor, position, value);
  Values result;
  for (const Position &position : at)
    result.push_back(*find(tensor, position));
  return result;
}

/// The value of a constant of one value.
static TypedAttr splatOf(Value tensor) {
  DenseElementsAttr dense;
  if (matchPattern(tensor, m_Constant(&dense)) && dense.isSplat())
    return dyn_cast<TypedAttr>(dense.getSplatValue<Attribute>());
  return {};
}

static SmallVector<int64_t> rowMajor(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t dim = shape.size(); dim-- > 1;)
    strides[dim - 1] = strides[dim] * shape[dim];
  return strides;
}

Elements::Values Elements::compute(Value tensor, Positions at) {
  auto same = [&](Value value) { return Values(at.size(), value); };
  if (TypedAttr splat = splatOf(tensor))
    return same(arith::ConstantOp::create(b, loc, splat));
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return same(Value());
  auto mapEach = [&](Value source, llvm::function_ref<Position(const Position &)> map) {
    return get(source, llvm::map_to_vector(at, map));
  };
  return TypeSwitch<Operation *, Values>(op)
      .Case([&](bufferization::ToTensorOp read) { return load(read.getBuffer(), at); })
      .Case([&](UnrealizedConversionCastOp cast) { return get(cast.getOperand(0), at); })
      .Case([&](tensor::CastOp cast) { return get(cast.getSource(), at); })
      .Case([&](tensor::EmptyOp empty) {
        Type type = empty.getType().getElementType();
        return same(arith::ConstantOp::create(b, loc, b.getZeroAttr(type)));
      })
      .Case([&](linalg::FillOp fill) { return same(scalar(fill.getInputs()[0])); })
      .Case([&](linalg::GenericOp generic) {
        return this->generic(generic, cast<OpResult>(tensor).getResultNumber(), at);
      })
      .Case([&](tensor::InsertSliceOp insert) { return insertSlice(insert, at); })
      .Case([&](tensor::ExtractSliceOp slice) {
        if (!llvm::all_of(slice.getStaticOffsets(), [](int64_t n) { return !ShapedType::isDynamic(n); }) ||
            !llvm::all_of(slice.getStaticStrides(), [](int64_t n) { return !ShapedType::isDynamic(n); }))
          return same(fail(op, "static offsets"));
        llvm::SmallBitVector dropped = slice.getDroppedDims();
        return mapEach(slice.getSource(), [&](const Position &position) {
          Position from;
          size_t next = 0;
          for (auto [dim, offset] : llvm::enumerate(slice.getStaticOffsets()))
            from.push_back(
                idx.add(idx.mul(dropped[dim] ? Index(0) : position[next++], slice.getStaticStrides()[dim]), offset));
          return from;
        });
      })
      .Case<ReshapeOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp>([&](auto reshape) {
        Value source = reshape->getOperand(0);
        ArrayRef<int64_t> to = cast<RankedTensorType>(tensor.getType()).getShape();
        ArrayRef<int64_t> from = cast<RankedTensorType>(source.getType()).getShape();
        return mapEach(
            source, [&](const Position &position) { return idx.delinear(idx.linear(position, rowMajor(to)), from); });
      })
      .Default([&](Operation *other) { return same(fail(other, "ops that make elements")); });
}

Elements::Values Elements::insertSlice(tensor::InsertSliceOp op, Positions at) {
  if (llvm::any_of(op.getStaticOffsets(), ShapedType::isDynamic) ||
      llvm::any_of(op.getStaticStrides(), ShapedType::isDynamic))
    return Values(at.size(), fail(op, "static offsets"));
  auto destination = cast<RankedTensorType>(op.getDest().getType());
  llvm::SmallBitVector dropped = op.getDroppedDims();
  // Positions with the same condition go together.
  struct Part {
    Value inside;
    SmallVector<unsigned> lanes;
  };
  SmallVector<Part> parts;
  SmallVector<Position> inner(at.size());
  for (auto [lane, position] : llvm::enumerate(at)) {
    Value inside;
    bool outside = false;
    for (int64_t dim = 0; dim < destination.getRank(); ++dim) {
      int64_t offset = op.getStaticOffsets()[dim], size = op.getStaticSizes()[dim], stride = op.getStaticStrides()[dim];
      Index shifted = idx.add(position[dim], -offset), own = shifted;
      if (stride > 1)
        own = idx.floorDiv(shifted, stride);
      if (!dropped[dim])
        inner[lane].push_back(own);
      if (offset == 0 && size == destination.getDimSize(dim) && stride == 1)
        continue;
      if (shifted.isConstant()) {
        outside |= shifted.offset < 0 || shifted.offset >= size * stride || shifted.offset % stride != 0;
        continue;
      }
      inside = idx.logicalAnd(inside, idx.isBelow(shifted, (size - 1) * stride + 1));
      if (stride > 1)
        inside = idx.logicalAnd(inside, idx.isBelow(idx.mod(shifted, stride), 1));
    }
    if (outside)
      inside = arith::ConstantOp::create(b, loc, b.getBoolAttr(false));
    auto found = llvm::find_if(parts, [&](const Part &part) { return part.inside == inside; });
    if (found == parts.end())
      found = parts.insert(parts.end(), {inside, {}});
    found->lanes.push_back(lane);
  }
  Values result(at.size());
  for (Part &part : parts) {
    SmallVector<Position> own, whole;
    for (unsigned lane : part.lanes) {
      own.push_back(inner[lane]);
      whole.push_back(at[lane]);
    }
    Values values;
    auto direct = op.getSource().getDefiningOp<bufferization::ToTensorOp>();
    if (!part.inside) {
      values = get(op.getSource(), own);
    } else if (direct && isa<linalg::FillOp>(op.getDest().getDefiningOp())) {
      // Any element instead of a branch.
      for (Position &position : own)
        for (auto [dim, index] : llvm::enumerate(position)) {
          index = idx.select(part.inside, index);
          if (index.offset != 0 && (index.offset < 0 || index.offset >= op.getSourceType().getDimSize(dim)))
            index = idx.clamp(index, 0, op.getSourceType().getDimSize(dim) - 1);
        }
      for (auto [x, otherwise] : llvm::zip_equal(get(op.getSource(), own), get(op.getDest(), whole)))
        values.push_back(x ? arith::SelectOp::create(b, loc, part.inside, x, otherwise).getResult() : x);
    } else {
      auto branch = [&](Value tensor, ArrayRef<Position> positions) {
        return [this, tensor, positions](OpBuilder &inner, Location) {
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPoint(inner.getInsertionBlock(), inner.getInsertionPoint());
          Scope scope(*this);
          Values yielded = get(tensor, positions);
          for (Value &value : yielded)
            if (!value) // reported
              value = arith::ConstantOp::create(b, loc, b.getZeroAttr(getElementTypeOrSelf(tensor)));
          scf::YieldOp::create(b, loc, yielded);
        };
      };
      auto choice = scf::IfOp::create(b, loc, part.inside, branch(op.getSource(), own), branch(op.getDest(), whole));
      values.assign(choice.getResults().begin(), choice.getResults().end());
    }
    for (auto [lane, value] : llvm::zip_equal(part.lanes, values))
      result[lane] = value;
  }
  return result;
}

Value Elements::scalar(Value value) {
  if (scalars.contains(value))
    return scalars.lookup(value);
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumRegions() || !isPure(op) || llvm::any_of(op->getOperandTypes(), llvm::IsaPred<ShapedType>))
    return op ? fail(op, "numbers that are known") : Value();
  for (Value operand : op->getOperands())
    if (!scalar(operand))
      return {};
  // At the function's beginning: every region may use it.
  OpBuilder::InsertionGuard guard(b);
  if (op->getNumOperands() == 0)
    b.setInsertionPointToStart(entry);
  else if (Operation *last = scalars.lookup(op->getOperands().back()).getDefiningOp())
    b.setInsertionPointAfter(last);
  b.clone(*op, scalars);
  return scalars.lookup(value);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

namespace {
/// Neighbours that go in one access: `count` lanes from `first` on, in order.
struct Run {
  size_t first, count;
};
} // namespace

/// What an element is in memory. Bits are bytes.
static Type inMemory(Type type) {
  if (type.isIndex())
    return IntegerType::get(type.getContext(), 64);
  auto integer = dyn_cast<IntegerType>(type);
  return integer && !integer.isSignless() ? IntegerType::get(type.getContext(), integer.getWidth()) : type;
}

/// Accesses of up to 16 bytes, each aligned to its own size.
static SmallVector<Run> runsOf(ArrayRef<Index> at, const Indices &idx, int64_t bytes, int64_t baseAlign, bool canJoin) {
  SmallVector<Run> runs;
  for (size_t lane = 0; lane < at.size();) {
    size_t count = 1;
    for (size_t width = canJoin ? 16 / bytes : 1; width > 1; width /= 2) {
      int64_t unit = width * bytes;
      bool fits = lane + width <= at.size() && baseAlign % unit == 0 &&
                  (idx.multipleOf(at[lane]) * bytes) % unit == 0 && (at[lane].offset * bytes) % unit == 0;
      for (size_t i = 1; fits && i < width; ++i)
        fits = at[lane + i] == Index(at[lane].value, at[lane].offset + int64_t(i));
      if (fits) {
        count = width;
        break;
      }
    }
    runs.push_back({lane, count});
    lane += count;
  }
  return runs;
}

/// What the address of the first element of an argument is a multiple of.
static int64_t alignmentOf(MemRefType type, int64_t bytes) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) || ShapedType::isDynamic(offset))
    return bytes;
  return std::gcd<int64_t>(16, offset * bytes == 0 ? 16 : offset * bytes);
}

static Value addressOf(OpBuilder &b, Location loc, Indices &idx, Value pointer, Type type, Index at) {
  auto ptr = LLVM::LLVMPointerType::get(b.getContext());
  if (at.value)
    pointer = LLVM::GEPOp::create(b, loc, ptr, type, pointer, ArrayRef<LLVM::GEPArg>{at.value});
  if (at.offset)
    pointer = LLVM::GEPOp::create(b, loc, ptr, type, pointer, ArrayRef<LLVM::GEPArg>{int32_t(at.offset)});
  return pointer;
}

Elements::Values Elements::load(Value memref, Positions at) {
  auto memrefType = cast<MemRefType>(memref.getType());
  SmallVector<int64_t> strides;
  Value pointer = pointers.lookup(memref);
  if (!pointer || !isStaticMemRef(memrefType, strides)) {
    emitError(loc, "expected an argument of static layout in a kernel for GPUs, got ") << memrefType;
    return Values(at.size());
  }
  Type type = memrefType.getElementType(), stored = inMemory(type);
  bool isBit = type.isInteger(1);
  int64_t bytes = isBit ? 1 : stored.getIntOrFloatBitWidth() / 8;
  SmallVector<Index> offsets =
      llvm::map_to_vector(at, [&](const Position &position) { return idx.linear(position, strides); });
  Values result;
  for (Run run : runsOf(offsets, idx, bytes, alignmentOf(memrefType, bytes), !isBit)) {
    Value address = addressOf(b, loc, idx, pointer, isBit ? Type(b.getI8Type()) : stored, offsets[run.first]);
    unsigned align = run.count * bytes;
    if (run.count == 1) {
      Value value = LLVM::LoadOp::create(b, loc, isBit ? Type(b.getI8Type()) : stored, address, align);
      if (isBit)
        value = arith::TruncIOp::create(b, loc, type, value);
      if (type.isIndex())
        value = arith::IndexCastOp::create(b, loc, type, value);
      result.push_back(value);
      continue;
    }
    auto vector = VectorType::get(run.count, stored);
    Value value = LLVM::LoadOp::create(b, loc, vector, address, align);
    for (size_t i = 0; i < run.count; ++i) {
      Value lane = vector::ExtractOp::create(b, loc, value, int64_t(i));
      result.push_back(type.isIndex() ? arith::IndexCastOp::create(b, loc, type, lane).getResult() : lane);
    }
  }
  return result;
}

LogicalResult Elements::store(ArrayRef<Value> values, Value memref, Positions at) {
  auto memrefType = cast<MemRefType>(memref.getType());
  SmallVector<int64_t> strides;
  Value pointer = pointers.lookup(memref);
  if (!pointer || !isStaticMemRef(memrefType, strides))
    return emitError(loc, "expected an argument of static layout in a kernel for GPUs, got ") << memrefType;
  Type type = memrefType.getElementType(), stored = inMemory(type);
  bool isBit = type.isInteger(1);
  int64_t bytes = isBit ? 1 : stored.getIntOrFloatBitWidth() / 8;
  SmallVector<Index> offsets =
      llvm::map_to_vector(at, [&](const Position &position) { return idx.linear(position, strides); });
  SmallVector<Value> own(values);
  for (Value &value : own) {
    if (!value)
      return failure();
    if (isBit)
      value = arith::ExtUIOp::create(b, loc, b.getI8Type(), value);
    else if (type.isIndex())
      value = arith::IndexCastOp::create(b, loc, stored, value);
  }
  Type unit = isBit ? Type(b.getI8Type()) : stored;
  for (Run run : runsOf(offsets, idx, bytes, alignmentOf(memrefType, bytes), /*canJoin=*/true)) {
    Value address = addressOf(b, loc, idx, pointer, unit, offsets[run.first]);
    Value value = own[run.first];
    if (run.count > 1)
      value = vector::FromElementsOp::create(b, loc, VectorType::get(run.count, unit),
                                             ValueRange(own).slice(run.first, run.count));
    LLVM::StoreOp::create(b, loc, value, address, run.count * bytes);
  }
  return success();
}
