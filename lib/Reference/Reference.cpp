// The reference: coat on tensors -> a list of launches of kernels that are written from the ops' formulas.
//
// Enters: a module after Import. Leaves: every function with coat.entry on memrefs as docs/Architecture.md ("Kernels")
// says, and its kernels. Functions without coat.entry are left alone.
//
//   %1 = coat.softmax %0 {axis = 1} : (tensor<2x8xf32>) -> tensor<2x8xf32>
//     -> %1 = memref.alloc() : memref<2x8xf32>
//        coat.launch @ref_0_softmax(%0) outs(%1)
//
// Shares nothing with the optimising stages, because it is what they are compared with.
#include "Formulas.h"
#include "coat/Reference/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

namespace coat {
#define GEN_PASS_DEF_REFERENCE
#include "coat/Reference/Passes.h.inc"
} // namespace coat

using namespace mlir;
using namespace coat;

static MemRefType memrefOf(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return MemRefType::get(type.getShape(), type.getElementType());
}

/// The body of the kernel of `op`.
static LogicalResult writeFormula(ScalarLoops &loops, Operation *op, ValueRange in, ValueRange out) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<ConvOp, ConvTransposeOp, MatmulOp, PoolOp, GlobalPoolOp, ResizeOp, AttentionOp, SoftmaxOp, BatchNormOp,
            LayerNormOp, GroupNormOp, LRNOp, ElementwiseOp, CastOp, ReduceOp, ArgReduceOp, TransposeOp, BroadcastOp,
            PadOp, GatherOp, tensor::ConcatOp>([&](auto typed) {
        using Op = decltype(typed);
        return formulas::write(loops, typed, typename Op::Adaptor(in, typed), out);
      })
      .Case([&](tensor::ExtractSliceOp slice) { return formulas::writeSlice(loops, slice, in, out[0]); })
      .Case([&](FormulaOpInterface formula) { return formula.writeFormula(loops, in, out); })
      .Default([](Operation *other) {
        return other->emitError("expected an op with a reference, got '") << other->getName() << "'";
      });
}

namespace {
/// The kernels of a module by what determines their body.
class Kernels {
public:
  explicit Kernels(ModuleOp module) : module(module) {}

  /// The kernel that `write` fills in, named after `name`; an earlier one with the same `key` if there is one.
  FailureOr<func::FuncOp> get(StringRef key, StringRef name, Location loc, TypeRange types,
                              llvm::function_ref<LogicalResult(ScalarLoops &, ValueRange)> write) {
    func::FuncOp &kernel = byKey[key];
    if (kernel)
      return kernel;
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    std::string symbol = ("ref_" + Twine(byKey.size() - 1) + "_" + name).str();
    kernel = func::FuncOp::create(builder, loc, symbol, builder.getFunctionType(types, {}));
    kernel.setPrivate();
    kernel->setAttr("coat.kernel", builder.getUnitAttr());
    Block *body = kernel.addEntryBlock();
    builder.setInsertionPointToStart(body);
    func::ReturnOp::create(builder, loc);
    builder.setInsertionPointToStart(body);
    ScalarLoops loops(builder, loc);
    if (failed(write(loops, body->getArguments())))
      return failure();
    return kernel;
  }

private:
  ModuleOp module;
  llvm::StringMap<func::FuncOp> byKey;
};

/// Rewrites one entry.
class Entry {
public:
  Entry(func::FuncOp entry, Kernels &kernels) : old(entry), kernels(kernels), builder(entry) {}

  LogicalResult convert() {
    if (!llvm::hasSingleElement(old.getBody()))
      return old.emitError("expected an entry with one block, got ") << old.getBody().getBlocks().size();
    if (failed(reifySizes()))
      return failure();
    createFunction();
    for (Operation &op : old.getBody().front())
      if (failed(convert(&op)))
        return failure();
    old.erase();
    return success();
  }

private:
  /// Writes the sizes of symbolic results as index arithmetic on the sizes of operands, ahead of each op.
  LogicalResult reifySizes() {
    SmallVector<Operation *> ops;
    for (Operation &op : old.getBody().front())
      if (!isa<ReshapeOp, tensor::CastOp, arith::ConstantOp>(op) && llvm::any_of(op.getResultTypes(), [](Type type) {
            auto tensor = dyn_cast<RankedTensorType>(type);
            return tensor && !tensor.hasStaticShape();
          }))
        ops.push_back(&op);
    for (Operation *op : ops) {
      OpBuilder before(op);
      ReifiedRankedShapedTypeDims shapes;
      if (failed(reifyResultShapes(before, op, shapes)))
        return op->emitError("expected an op that can tell the sizes of its results, got '") << op->getName() << "'";
      for (auto [result, shape] : llvm::zip(op->getResults(), shapes))
        sizes[result] = shape;
    }
    return success();
  }

  void createFunction() {
    SmallVector<Type> types = llvm::map_to_vector(old.getArgumentTypes(), [](Type t) -> Type { return memrefOf(t); });
    for (Type type : old.getResultTypes())
      types.push_back(memrefOf(type));
    entry = func::FuncOp::create(builder, old.getLoc(), old.getName(), builder.getFunctionType(types, {}));
    for (NamedAttribute attribute : old->getDiscardableAttrs())
      entry->setAttr(attribute.getName(), attribute.getValue());
    entry.setVisibility(old.getVisibility());
    Block *body = entry.addEntryBlock();
    unsigned inputs = old.getNumArguments();
    auto copyAttributes = [&](unsigned argument, DictionaryAttr attributes) {
      for (NamedAttribute attribute : attributes ? attributes.getValue() : ArrayRef<NamedAttribute>())
        entry.setArgAttr(argument, attribute.getName(), attribute.getValue());
    };
    for (unsigned i = 0; i < inputs; ++i) {
      copyAttributes(i, old.getArgAttrDict(i));
      values.map(old.getArgument(i), body->getArgument(i));
    }
    for (unsigned i = 0; i < old.getNumResults(); ++i) {
      copyAttributes(inputs + i, old.getResultAttrDict(i));
      entry.setArgAttr(inputs + i, "coat.result", builder.getUnitAttr());
      results.push_back(body->getArgument(inputs + i));
    }
    builder.setInsertionPointToStart(body);
  }

  LogicalResult convert(Operation *op) {
    Location loc = op->getLoc();
    if (auto constant = dyn_cast<arith::ConstantOp>(op); constant && isa<RankedTensorType>(constant.getType())) {
      auto weight = WeightOp::create(builder, loc, memrefOf(constant.getType()),
                                     cast<ElementsAttr>(constant.getValue()), IntegerAttr());
      values.map(constant.getResult(), weight.getResult());
      return success();
    }
    if (auto reshape = dyn_cast<ReshapeOp>(op))
      return convertReshape(reshape);
    if (auto cast = dyn_cast<tensor::CastOp>(op)) {
      Value source = values.lookup(cast.getSource());
      values.map(cast.getResult(), memref::CastOp::create(builder, loc, memrefOf(cast.getType()), source).getResult());
      return success();
    }
    if (auto prefix = dyn_cast<PrefixOp>(op)) {
      values.map(prefix.getResult(), viewOfSizes(values.lookup(prefix.getInput()), prefix.getResult()));
      return success();
    }
    if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
      auto number = memref::LoadOp::create(builder, loc, values.lookup(extract.getTensor()), extract.getIndices());
      values.map(extract.getResult(), number.getResult());
      return success();
    }
    if (auto require = dyn_cast<RequireOp>(op)) {
      RequireOp::create(builder, loc, values.lookup(require.getCondition()), require.getMessage());
      return success();
    }
    if (auto dim = dyn_cast<tensor::DimOp>(op)) {
      Value source = values.lookup(dim.getSource()), index = values.lookup(dim.getIndex());
      values.map(dim.getResult(), builder.createOrFold<memref::DimOp>(loc, source, index));
      return success();
    }
    if (isa<func::ReturnOp>(op))
      return convertReturn(op);
    auto isTensor = [](Type type) { return isa<TensorType>(type); };
    if (llvm::none_of(op->getOperandTypes(), isTensor) && llvm::none_of(op->getResultTypes(), isTensor)) {
      builder.clone(*op, values);
      return success();
    }
    return convertToKernel(op);
  }

  /// A dense row-major buffer has every shape of its elements.
  LogicalResult convertReshape(ReshapeOp op) {
    Location loc = op.getLoc();
    MemRefType type = memrefOf(op.getType());
    SmallVector<OpFoldResult> shape, strides(type.getRank());
    unsigned nextDynamic = 0;
    for (int64_t size : type.getShape())
      shape.push_back(ShapedType::isDynamic(size) ? OpFoldResult(values.lookup(op.getSizes()[nextDynamic++]))
                                                  : builder.getIndexAttr(size));
    OpFoldResult stride = builder.getIndexAttr(1);
    for (int64_t i = type.getRank() - 1; i >= 0; --i) {
      strides[i] = stride;
      AffineExpr a, b;
      bindSymbols(op.getContext(), a, b);
      stride = affine::makeComposedFoldedAffineApply(builder, loc, a * b, {stride, shape[i]});
    }
    values.map(op.getResult(), memref::ReinterpretCastOp::create(builder, loc, type, values.lookup(op.getInput()),
                                                                 builder.getIndexAttr(0), shape, strides)
                                   .getResult());
    return success();
  }

  /// A result that no kernel writes into directly (an argument, a constant, a view, a value returned twice).
  LogicalResult convertReturn(Operation *op) {
    for (auto [i, value] : llvm::enumerate(op->getOperands())) {
      if (written.contains(i))
        continue;
      Value in = values.lookup(value), out = placeOfResult(i, value);
      std::string key = "copy";
      llvm::raw_string_ostream(key) << in.getType() << out.getType();
      auto kernel = kernels.get(key, "copy", op->getLoc(), {in.getType(), out.getType()},
                                [](ScalarLoops &loops, ValueRange arguments) {
                                  formulas::writeCopy(loops, arguments[0], arguments[1]);
                                  return success();
                                });
      LaunchOp::create(builder, op->getLoc(), kernel->getSymName(), in, out);
    }
    func::ReturnOp::create(builder, op->getLoc());
    return success();
  }

  LogicalResult convertToKernel(Operation *op) {
    SmallVector<Value> inputs = inputsOf(op), outputs;
    for (OpResult result : op->getResults()) {
      outputs.push_back(bufferFor(result));
      values.map(result, outputs.back());
    }
    SmallVector<Type> types(ValueRange(inputs).getTypes());
    llvm::append_range(types, ValueRange(outputs).getTypes());
    std::string key;
    llvm::raw_string_ostream stream(key);
    stream << op->getName() << op->getAttrDictionary();
    llvm::interleaveComma(op->getOperandTypes(), stream);
    llvm::interleaveComma(types, stream);
    auto kernel = kernels.get(
        key, op->getName().stripDialect(), op->getLoc(), types, [&](ScalarLoops &loops, ValueRange arguments) {
          return writeFormula(loops, op, arguments.take_front(inputs.size()), arguments.drop_front(inputs.size()));
        });
    if (failed(kernel))
      return failure();
    LaunchOp::create(builder, op->getLoc(), kernel->getSymName(), inputs, outputs);
    return success();
  }

  /// The kernel's inputs: the tensors. Kernels take memrefs only; a size reaches them as a size of the result, and a
  /// dynamic offset or stride of a slice as the size of a view of the source that is never read.
  SmallVector<Value> inputsOf(Operation *op) {
    SmallVector<Value> inputs;
    for (Value operand : op->getOperands())
      if (isa<TensorType>(operand.getType()))
        inputs.push_back(values.lookup(operand));
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
      SmallVector<OpFoldResult> numbers = slice.getMixedOffsets();
      llvm::append_range(numbers, slice.getMixedStrides());
      Value source = inputs[0];
      auto type = MemRefType::get({ShapedType::kDynamic}, cast<MemRefType>(source.getType()).getElementType());
      for (OpFoldResult number : numbers)
        if (!getConstantIntValue(number))
          inputs.push_back(memref::ReinterpretCastOp::create(builder, op->getLoc(), type, source,
                                                             builder.getIndexAttr(0),
                                                             ArrayRef<OpFoldResult>(values.lookup(cast<Value>(number))),
                                                             ArrayRef<OpFoldResult>(builder.getIndexAttr(1))));
    }
    return inputs;
  }

  /// The result argument that `result` is returned as, or a new buffer.
  Value bufferFor(OpResult result) {
    for (OpOperand &use : result.getUses())
      if (isa<func::ReturnOp>(use.getOwner()) && isFirstReturnOf(use)) {
        written.insert(use.getOperandNumber());
        return placeOfResult(use.getOperandNumber(), result);
      }
    MemRefType type = memrefOf(result.getType());
    SmallVector<Value> dynamicSizes;
    for (OpFoldResult size : sizesOf(result))
      if (auto value = dyn_cast<Value>(size))
        dynamicSizes.push_back(value);
    return memref::AllocOp::create(builder, result.getLoc(), type, dynamicSizes);
  }

  /// Sizes of a value: attributes where static.
  SmallVector<OpFoldResult> sizesOf(Value tensor) {
    SmallVector<OpFoldResult> result;
    for (auto [i, size] : llvm::enumerate(memrefOf(tensor.getType()).getShape())) {
      OpFoldResult own = builder.getIndexAttr(size);
      if (auto found = sizes.find(tensor); ShapedType::isDynamic(size) && found != sizes.end())
        own = found->second[i];
      else if (ShapedType::isDynamic(size))
        own = memref::DimOp::create(builder, tensor.getLoc(), values.lookup(tensor), i).getResult();
      if (auto value = dyn_cast<Value>(own); value && values.contains(value))
        own = values.lookup(value);
      result.push_back(own);
    }
    return result;
  }

  /// The first elements of a dense buffer in the shape of `tensor`.
  Value viewOfSizes(Value memref, Value tensor) {
    SmallVector<OpFoldResult> shape = sizesOf(tensor), strides(shape.size());
    OpFoldResult stride = builder.getIndexAttr(1);
    for (int64_t i = int64_t(shape.size()) - 1; i >= 0; --i) {
      strides[i] = stride;
      AffineExpr a, b;
      bindSymbols(builder.getContext(), a, b);
      stride = affine::makeComposedFoldedAffineApply(builder, tensor.getLoc(), a * b, {stride, shape[i]});
    }
    return memref::ReinterpretCastOp::create(builder, tensor.getLoc(), memrefOf(tensor.getType()), memref,
                                             builder.getIndexAttr(0), shape, strides);
  }

  /// A result of a size that was counted fills the beginning of an argument that has room for more.
  Value placeOfResult(unsigned number, Value tensor) {
    return old.getResultAttr(number, "coat.counted") ? viewOfSizes(results[number], tensor) : results[number];
  }

  static bool isFirstReturnOf(OpOperand &use) {
    auto operands = use.getOwner()->getOperands();
    return llvm::find(operands, use.get()).getIndex() == use.getOperandNumber();
  }

  func::FuncOp old, entry;
  Kernels &kernels;
  OpBuilder builder;
  IRMapping values;
  SmallVector<Value> results;
  DenseSet<unsigned> written;
  DenseMap<Value, SmallVector<OpFoldResult>> sizes;
};

struct Reference : coat::impl::ReferenceBase<Reference> {
  void runOnOperation() override {
    Kernels kernels(getOperation());
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (function->hasAttr("coat.entry") && failed(Entry(function, kernels).convert()))
        return signalPassFailure();
  }
};
} // namespace
