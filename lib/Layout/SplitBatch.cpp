// coat-split-batch: enters a graph of a known batch; leaves stretches of it whose activations outgrow the caches
// computed for a few images at a time, from their first op to their last, then for the next few. Left alone: symbolic
// sizes, and ops that look at several images.
//
//   %1 = coat.conv %x, %w : tensor<8x112x112x96xf32>          %x0 = tensor.extract_slice %x[0, ..] [1, ..]
//   %2 = coat.conv %1, %v : tensor<8x56x56x24xf32>            %10 = coat.conv %x0, %w : tensor<1x112x112x96xf32>
//                                                     ->      %20 = coat.conv %10, %v : tensor<1x56x56x24xf32>
//                                                             .. and seven times more
//                                                             %2 = tensor.concat dim(0) %20, %21, ..
//
// Why: op by op, each of them would read from memory what the one before wrote there: 8 images of MobileNetV2 take
// 87 ms on one core of Zen 3 with 32 MiB of cache, eight times one image 60. Deep layers, small and with many weights,
// keep the whole batch: its images share the weights. Kernels of the parts are equal and compiled once, slices are
// views, and the last ops write to where the concatenation has them. Why here: before schedules, which look at sizes.
#include "CpuOption.h"
#include "coat/Dialect/Coat.h"
#include "coat/Layout/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

namespace coat {
#define GEN_PASS_DEF_COATSPLITBATCH
#include "coat/Layout/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

namespace {
/// Operations for each byte read or written, from where on an op that moves them through memory hides it.
constexpr double opsThatHideByte = 128;
/// More would be a long list of launches.
constexpr int64_t mostParts = 32;

RankedTensorType tensorTypeOf(Value value) { return dyn_cast<RankedTensorType>(value.getType()); }
int64_t rowsOf(Value value) { return tensorTypeOf(value).getDimSize(0); }

RankedTensorType withRows(RankedTensorType type, int64_t rows) {
  SmallVector<int64_t> shape(type.getShape());
  shape[0] = rows;
  return type.clone(shape);
}

double bytesOf(Value value) {
  RankedTensorType type = tensorTypeOf(value);
  return double(type.getNumElements()) * type.getElementTypeBitWidth() / 8;
}

/// Part `number` of `parts` of the rows of `value`.
Value sliceRows(OpBuilder &b, Location loc, Value value, int64_t number, int64_t parts) {
  int64_t rows = rowsOf(value) / parts;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, value);
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0)), ones(sizes.size(), b.getIndexAttr(1));
  offsets[0] = b.getIndexAttr(number * rows);
  sizes[0] = b.getIndexAttr(rows);
  return tensor::ExtractSliceOp::create(b, loc, value, offsets, sizes, ones);
}

/// A part of the batch: `number` of `parts`.
struct Part {
  int64_t number, parts;
};

/// The stretch of ops that are computed part by part.
struct Stretch {
  SmallVector<Operation *> ops;
  llvm::SmallDenseSet<Value> values; // that they make

  void add(Operation *op) {
    ops.push_back(op);
    values.insert(op->getResult(0));
  }
  bool reads(Operation *op) const {
    return llvm::any_of(op->getOperands(), [&](Value operand) { return values.contains(operand); });
  }
};

class BatchSplitter {
public:
  BatchSplitter(Block &block, int64_t batch, double cache) : block(block), batch(batch), cache(cache) {}

  void run() {
    for (Operation *op = &block.front(); op;) {
      Operation *end = op;
      Stretch stretch = collect(end);
      Operation *behind = split(stretch);
      op = behind ? behind : end->getNextNode();
    }
  }

private:
  /// What stands for a value of the stretch in a part.
  using PartOfValue = llvm::function_ref<Value(Value)>;

  //===--- which ops ---===//

  /// The stretch from `op` on; `op` is then the first op that it cannot go beyond.
  Stretch collect(Operation *&op) {
    Stretch stretch;
    for (; !op->hasTrait<OpTrait::IsTerminator>(); op = op->getNextNode()) {
      if (canSplit(op, stretch))
        stretch.add(op);
      else if (stretch.reads(op))
        break;
    }
    return stretch;
  }

  bool isBatched(Value value) const {
    RankedTensorType type = tensorTypeOf(value);
    return type && type.getRank() > 0 && type.getDimSize(0) == batch && !matchPattern(value, m_Constant());
  }

  bool canSplit(Operation *op, const Stretch &stretch) {
    auto hasElements = [](Value value) {
      RankedTensorType type = tensorTypeOf(value);
      return !type || (type.hasStaticShape() && type.getNumElements() > 0);
    };
    if (op->getNumResults() != 1 || op->getNumRegions() || !hasElements(op->getResult(0)) ||
        !llvm::all_of(op->getOperands(), hasElements))
      return false;
    RankedTensorType type = tensorTypeOf(op->getResult(0));
    if (!type || type.getRank() == 0 || type.getDimSize(0) % batch ||
        !(stretch.reads(op) || llvm::any_of(op->getOperands(), [&](Value value) { return isBatched(value); })))
      return false;
    // The first and the last image for a try: what is read for those between lies between.
    return llvm::all_of(ArrayRef<int64_t>{0, batch - 1}, [&](int64_t image) {
      Block scratch;
      OpBuilder b(op->getContext());
      b.setInsertionPointToEnd(&scratch);
      return succeeded(emitPart(b, op, {image, batch}, stretch, [&](Value value) -> Value {
        RankedTensorType part = withRows(tensorTypeOf(value), rowsOf(value) / batch);
        return tensor::EmptyOp::create(b, op->getLoc(), part.getShape(), part.getElementType());
      }));
    });
  }

  /// An op that reads or writes more than the cache holds, and computes too little for that not to matter.
  double bytesThroughMemory(Operation *op, const Stretch &stretch) const {
    auto cost = dyn_cast<CostOpInterface>(op);
    if (!cost || isa<ElementwiseOp, CastOp, PadOp, TransposeOp>(op)) // written by the kernel of another op
      return 0;
    double bytes = bytesOf(op->getResult(0));
    for (Value operand : op->getOperands())
      if (stretch.values.contains(operand) || isBatched(operand))
        bytes += bytesOf(operand);
    return bytes > cache && double(cost.getFlops()) < opsThatHideByte * bytes ? bytes : 0;
  }

  //===--- a part of an op ---===//

  /// `op` for one part; fails where a part of its result needs more of the stretch's values than that part of them.
  FailureOr<Value> emitPart(OpBuilder &b, Operation *op, Part part, const Stretch &stretch, PartOfValue partOfValue) {
    auto rowsAlone = [&](Value operand) {
      return stretch.values.contains(operand) ? partOfValue(operand)
                                              : sliceRows(b, op->getLoc(), operand, part.number, part.parts);
    };
    if (!isa<ElementwiseOp, CastOp, PadOp, TransposeOp, ReshapeOp>(op))
      return emitTile(b, op, part, stretch, partOfValue);
    RankedTensorType type = tensorTypeOf(op->getResult(0));
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      RankedTensorType from = tensorTypeOf(operand);
      bool broadcasts =
          isa<ElementwiseOp>(op) && (from.getRank() < type.getRank() || rowsOf(operand) != type.getDimSize(0));
      if (broadcasts ? stretch.values.contains(operand) : !keepsRows(op) || rowsOf(operand) % batch != 0)
        return failure();
      operands.push_back(broadcasts ? operand : rowsAlone(operand));
    }
    return mlir::clone(b, op, withRows(type, type.getDimSize(0) / part.parts), operands)->getResult(0);
  }

  /// Whether rows of the result are made of the same rows of the operand.
  static bool keepsRows(Operation *op) {
    if (auto pad = dyn_cast<PadOp>(op))
      return pad.getLow()[0] == 0 && pad.getHigh()[0] == 0;
    if (auto transpose = dyn_cast<TransposeOp>(op))
      return transpose.getPermutation()[0] == 0;
    return true; // of a reshape, as many elements
  }

  /// By the tiling of the op, which tells what it reads of its operands: it must read rows of one for rows of its
  /// result.
  FailureOr<Value> emitTile(OpBuilder &b, Operation *op, Part part, const Stretch &stretch, PartOfValue partOfValue) {
    auto tiled = dyn_cast<TilingInterface>(op);
    if (!tiled)
      return failure();
    ArrayRef<int64_t> shape = tensorTypeOf(op->getResult(0)).getShape();
    SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0)),
        sizes = getAsIndexOpFoldResult(b.getContext(), shape);
    offsets[0] = b.getIndexAttr(part.number * (shape[0] / part.parts));
    sizes[0] = b.getIndexAttr(shape[0] / part.parts);
    Operation *before = b.getInsertionPoint() == b.getBlock()->begin() ? nullptr : &*std::prev(b.getInsertionPoint());
    FailureOr<TilingResult> tile = tiled.getTiledImplementation(b, offsets, sizes);
    if (failed(tile))
      return failure();
    Value result = tile->tiledValues.front();
    auto first = before ? std::next(before->getIterator()) : b.getBlock()->begin();
    bool readsRows = false;
    for (Operation &made : llvm::make_early_inc_range(llvm::make_range(first, b.getInsertionPoint()))) {
      auto slice = dyn_cast<tensor::ExtractSliceOp>(made);
      if (!slice) {
        if (stretch.reads(&made))
          return failure();
        continue;
      }
      Value source = slice.getSource();
      readsRows |= (stretch.values.contains(source) || isBatched(source)) && isInPart(slice, part);
      FailureOr<Value> own = sliceOfPart(b, slice, part, stretch, partOfValue);
      if (failed(own))
        return failure();
      if (result == slice)
        result = *own;
      slice.replaceAllUsesWith(*own);
      slice.erase();
    }
    if (!readsRows)
      return failure();
    return result;
  }

  /// Whether `slice` is of the rows of `part` in its source.
  static bool isInPart(tensor::ExtractSliceOp slice, Part part) {
    int64_t rows = rowsOf(slice.getSource()) / part.parts, offset = slice.getStaticOffset(0),
            size = slice.getStaticSize(0);
    return !ShapedType::isDynamic(offset) && !ShapedType::isDynamic(size) && slice.getStaticStride(0) == 1 &&
           rowsOf(slice.getSource()) % part.parts == 0 && offset >= part.number * rows &&
           offset + size <= (part.number + 1) * rows;
  }

  /// `slice`, of the part of its source where that is the stretch's; the source itself where it is all of it.
  FailureOr<Value> sliceOfPart(OpBuilder &b, tensor::ExtractSliceOp slice, Part part, const Stretch &stretch,
                               PartOfValue partOfValue) {
    Value source = slice.getSource();
    SmallVector<OpFoldResult> offsets = slice.getMixedOffsets();
    if (stretch.values.contains(source)) {
      if (!isInPart(slice, part))
        return failure();
      int64_t rows = rowsOf(source) / part.parts;
      offsets[0] = b.getIndexAttr(slice.getStaticOffset(0) - part.number * rows);
      source = partOfValue(source);
    }
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(slice);
    return b.createOrFold<tensor::ExtractSliceOp>(slice.getLoc(), slice.getType(), source, offsets,
                                                  slice.getMixedSizes(), slice.getMixedStrides());
  }

  //===--- parts of a stretch ---===//

  /// Cuts `stretch` behind the last op that needs it, and replaces it by its parts. The op behind them; null where none
  /// needs it.
  Operation *split(Stretch &stretch) {
    double most = 0;
    size_t needed = 0, moving = 0;
    for (auto [i, op] : llvm::enumerate(stretch.ops))
      if (double bytes = bytesThroughMemory(op, stretch)) {
        most = std::max(most, bytes);
        needed = i + 1;
        ++moving;
      }
    if (moving < 2)
      return nullptr;
    // And what that op's kernel computes, or writes in place.
    while (needed < stretch.ops.size() && isa<ElementwiseOp, CastOp, PadOp, ReshapeOp>(stretch.ops[needed]))
      ++needed;
    int64_t parts = 1;
    for (int64_t count = 2; count <= std::min(batch, mostParts); ++count)
      if (batch % count == 0 && most / parts > cache)
        parts = count;
    if (parts == 1)
      return nullptr;
    stretch.ops.truncate(needed);
    stretch.values.clear();
    for (Operation *op : stretch.ops)
      stretch.values.insert(op->getResult(0));
    OpBuilder b(stretch.ops.back()->getContext());
    Operation *last = stretch.ops.back();
    b.setInsertionPointAfter(last);
    llvm::DenseMap<Value, SmallVector<Value>> partsOf;
    for (int64_t number = 0; number < parts; ++number)
      for (Operation *op : stretch.ops) {
        FailureOr<Value> value =
            emitPart(b, op, {number, parts}, stretch, [&](Value whole) { return partsOf.lookup(whole)[number]; });
        assert(succeeded(value) && "every op was tried");
        partsOf[op->getResult(0)].push_back(*value);
      }
    llvm::SmallPtrSet<Operation *, 16> own(stretch.ops.begin(), stretch.ops.end());
    for (Operation *op : stretch.ops) {
      Value whole = op->getResult(0);
      if (llvm::all_of(whole.getUsers(), [&](Operation *user) { return own.contains(user); }))
        continue;
      auto concat = tensor::ConcatOp::create(b, op->getLoc(), tensorTypeOf(whole), 0, partsOf[whole]);
      whole.replaceUsesWithIf(concat, [&](OpOperand &use) { return !own.contains(use.getOwner()); });
    }
    Operation *behind = &*b.getInsertionPoint();
    for (Operation *op : llvm::reverse(stretch.ops))
      op->erase();
    return behind;
  }

  Block &block;
  int64_t batch;
  double cache;
};

struct SplitBatch : coat::impl::CoatSplitBatchBase<SplitBatch> {
  using Base::Base;

  void runOnOperation() override {
    const CpuTarget *target = cpuOption(getOperation(), cpu);
    if (!target)
      return signalPassFailure();
    Block &block = getOperation().getBody().front();
    for (Value input : block.getArguments()) {
      RankedTensorType type = tensorTypeOf(input);
      if (!type || !type.hasStaticShape())
        return;
    }
    // The batch is the first dimension of the first input.
    if (block.getNumArguments() == 0 || tensorTypeOf(block.getArgument(0)).getRank() == 0)
      return;
    if (int64_t batch = rowsOf(block.getArgument(0)); batch > 1)
      BatchSplitter(block, batch, std::min<double>(target->l3, countedOfLastCache)).run();
  }
};
} // namespace
