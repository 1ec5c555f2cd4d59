// Sizes at the optimum; see AtOptimum.h.
//
// Types are inferred anew from the arguments on, op by op in order, so that Strategy, which reads types only, needs to
// know nothing of symbols. What cannot be told stays `?` and counts as any symbolic size does.
#include "AtOptimum.h"
#include "coat/Dialect/Coat.h"
#include "coat/Dialect/SymbolicDims.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace coat;

AtOptimum::AtOptimum(func::FuncOp entry) {
  SmallVector<StringRef> names;
  SmallVector<AffineExpr> optima;
  bool any = false;
  auto list = entry->getAttrOfType<ArrayAttr>("coat.symbols");
  for (Attribute attribute : list ? list.getValue() : ArrayRef<Attribute>()) {
    auto fields = dyn_cast<DictionaryAttr>(attribute);
    auto name = fields ? fields.getAs<StringAttr>("name") : StringAttr();
    auto optimum = fields ? fields.getAs<IntegerAttr>("optimum") : IntegerAttr();
    names.push_back(name ? name.getValue() : "");
    optima.push_back(optimum ? getAffineConstantExpr(optimum.getInt(), entry.getContext())
                             : getAffineSymbolExpr(optima.size(), entry.getContext()));
    any |= bool(optimum);
  }
  if (!any || !entry.getBody().hasOneBlock())
    return;
  copy = entry.clone();
  for (BlockArgument argument : copy->getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    auto dims = entry.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "coat.dims");
    if (!type || !dims || int64_t(dims.size()) != type.getRank())
      continue;
    SmallVector<int64_t> shape(type.getShape());
    for (auto [size, text] : llvm::zip(shape, dims.getAsValueRange<StringAttr>())) {
      AffineExpr expr = ShapedType::isDynamic(size) ? parseSymbolicDim(text, names, entry.getContext()) : AffineExpr();
      if (auto known = expr ? dyn_cast<AffineConstantExpr>(expr.replaceSymbols(optima)) : AffineConstantExpr())
        size = known.getValue();
    }
    argument.setType(type.clone(shape));
  }
  for (auto [own, other] : llvm::zip(entry.getBody().front(), copy->getBody().front())) {
    copies[&own] = &other;
    setSizes(other);
  }
}

Operation *AtOptimum::of(Operation *op) const {
  Operation *found = copies.lookup(op);
  return found ? found : op;
}

std::optional<int64_t> AtOptimum::number(Value size) const {
  auto found = numbers.find(size);
  return found == numbers.end() ? std::nullopt : std::optional(found->second);
}

void AtOptimum::setResult(Operation &op, ArrayRef<int64_t> shape) {
  op.getResult(0).setType(cast<RankedTensorType>(op.getResult(0).getType()).clone(shape));
}

void AtOptimum::setGivenSizes(Operation &op, ValueRange given) {
  SmallVector<int64_t> shape(cast<RankedTensorType>(op.getResult(0).getType()).getShape());
  for (int64_t &size : shape)
    if (ShapedType::isDynamic(size) && !given.empty()) {
      size = number(given.front()).value_or(ShapedType::kDynamic);
      given = given.drop_front();
    }
  setResult(op, shape);
}

void AtOptimum::setSizes(Operation &op) {
  if (auto inferred = dyn_cast<InferTypeOpInterface>(op)) {
    SmallVector<Type> types;
    ScopedDiagnosticHandler quiet(op.getContext(), [](Diagnostic &) { return success(); });
    if (isa<CoatDialect>(op.getDialect()) &&
        succeeded(inferred.inferReturnTypes(op.getContext(), op.getLoc(), op.getOperands(),
                                            op.getDiscardableAttrDictionary(), op.getPropertiesStorage(),
                                            op.getRegions(), types)) &&
        types.size() == op.getNumResults())
      for (auto [result, type] : llvm::zip(op.getResults(), types))
        result.setType(type);
    if (isa<CoatDialect>(op.getDialect()))
      return;
  }
  llvm::TypeSwitch<Operation *>(&op)
      .Case([&](CastOp cast) { setResult(op, cast.getInput().getType().getShape()); })
      .Case<ReshapeOp, BroadcastOp, PrefixOp>([&](auto sized) { setGivenSizes(op, sized.getSizes()); })
      .Case([&](tensor::ExtractSliceOp slice) { setGivenSizes(op, slice.getSizes()); })
      .Case([&](tensor::ConcatOp concat) {
        setResult(op, tensor::ConcatOp::inferResultType(concat.getDim(), concat.getInputs().getTypes()).getShape());
      })
      .Case([&](tensor::DimOp dim) {
        auto axis = number(dim.getIndex());
        auto type = dyn_cast<RankedTensorType>(dim.getSource().getType());
        if (axis && type && *axis >= 0 && *axis < type.getRank() && !type.isDynamicDim(*axis))
          numbers[dim.getResult()] = type.getDimSize(*axis);
      })
      .Default([&](Operation *) { // arithmetic on sizes
        if (op.getNumResults() != 1 || !op.getResult(0).getType().isIntOrIndex())
          return;
        Builder builder(op.getContext());
        SmallVector<Attribute> operands;
        for (Value operand : op.getOperands()) {
          auto known = number(operand);
          operands.push_back(known && operand.getType().isIndex() ? builder.getIndexAttr(*known) : Attribute());
        }
        SmallVector<OpFoldResult> folded;
        if (failed(op.fold(operands, folded)) || folded.size() != 1)
          return;
        auto constant = dyn_cast<Attribute>(folded.front());
        if (auto integer = dyn_cast_or_null<IntegerAttr>(constant))
          numbers[op.getResult(0)] = integer.getInt();
        else if (auto same = dyn_cast<Value>(folded.front()); same && number(same))
          numbers[op.getResult(0)] = *number(same);
      });
}
