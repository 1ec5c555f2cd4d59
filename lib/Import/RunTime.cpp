// What only a run can tell: sizes that the data decide, and run-time values that must give the shapes that the model
// declares.
//
// A size that an op counts is one more symbol: the op's count, read back between two launches, held within its range.
// A result of such a size is an output with room for the most there may be, and its count is a result of its own:
//
//   %list, %n = coat.non_zero %x        ->   func @net(..) -> (tensor<2x?xi64> {coat.name = "y", coat.dims = ["2",
//   %0 = coat.prefix %list sizes %i            "y_count"], coat.counted}, tensor<i64> {coat.name = "y_count"})
#include "Node.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

//===--- counts ---===//

AffineExpr Importer::addCount(Value count, int64_t most, StringRef name) {
  Location loc = count.getLoc();
  AffineExpr symbol = symbols.add((name + "#" + Twine(symbols.all().size())).str(), 0, most);
  Value number = tensor::ExtractOp::create(builder, loc, count, ValueRange());
  Value index = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), number);
  index = arith::MaxSIOp::create(builder, loc, index, arith::ConstantIndexOp::create(builder, loc, 0));
  index = arith::MinSIOp::create(builder, loc, index, arith::ConstantIndexOp::create(builder, loc, most));
  // Sizes computed from it stand behind it.
  lastSize = index.getDefiningOp();
  sizeValues[symbol] = index;
  sizeExprs[index] = symbol;
  counts[symbol] = count;
  return symbol;
}

bool Importer::dependsOnCount(AffineExpr size) const {
  bool found = false;
  if (size && !counts.empty())
    size.walk([&](AffineExpr part) { found |= counts.contains(part); });
  return found;
}

/// A size as an i64 scalar; null when it is no sum or product of counts.
Value Importer::countOf(AffineExpr size) {
  if (Value count = counts.lookup(size))
    return count;
  auto type = RankedTensorType::get({}, builder.getI64Type());
  if (auto constant = constantOf(size))
    return arith::ConstantOp::create(builder, entry.getLoc(), DenseElementsAttr::get(type, *constant));
  auto binary = dyn_cast<AffineBinaryOpExpr>(size);
  if (!binary || (size.getKind() != AffineExprKind::Add && size.getKind() != AffineExprKind::Mul))
    return {};
  Value a = countOf(binary.getLHS()), b = countOf(binary.getRHS());
  if (!a || !b)
    return {};
  ElementwiseKind kind = size.getKind() == AffineExprKind::Add ? ElementwiseKind::add : ElementwiseKind::mul;
  OperationState state(entry.getLoc(), ElementwiseOp::getOperationName(), {a, b}, type,
                       builder.getNamedAttr("kind", ElementwiseKindAttr::get(context, kind)));
  return builder.create(state)->getResult(0);
}

/// Appends the counts that sizes of results depend on to `results`, and their names to the symbols.
bool Importer::nameCounts(const Model &model, SmallVectorImpl<Value> &results) {
  SmallVector<mlir::Attribute> records;
  if (auto list = entry->getAttrOfType<ArrayAttr>("coat.symbols"))
    llvm::append_range(records, list);
  for (auto [output, result] : llvm::zip_equal(model.graph.outputs, llvm::to_vector(results)))
    for (AffineExpr size : dims(result)) {
      if (!dependsOnCount(size) || countNames.contains(size))
        continue;
      Value count = countOf(size);
      auto range = symbols.range(size);
      if (!count || !range) {
        notSupported = true;
        return fail("output '" + output.name + "': expected sizes that are sums and products of counts, got " +
                    symbols.print(size));
      }
      std::string name = output.name + "_count";
      for (int n = 2; values.contains(name) || llvm::is_contained(llvm::make_second_range(countNames), name); ++n)
        name = output.name + "_count" + std::to_string(n);
      countNames[size] = name;
      results.push_back(count);
      records.push_back(builder.getDictionaryAttr({builder.getNamedAttr("name", builder.getStringAttr(name)),
                                                   builder.getNamedAttr("min", builder.getI64IntegerAttr(range->min)),
                                                   builder.getNamedAttr("max", builder.getI64IntegerAttr(range->max)),
                                                   builder.getNamedAttr("count", builder.getUnitAttr())}));
    }
  if (!countNames.empty())
    entry->setAttr("coat.symbols", builder.getArrayAttr(records));
  return true;
}

//===--- what a node sees of it ---===//

std::optional<SmallVector<int64_t>> NodeImporter::declaredShape(unsigned output) const {
  auto found = output < node.outputs.size() ? importer.declared.find(node.outputs[output]) : importer.declared.end();
  return found == importer.declared.end() ? std::nullopt : std::optional(found->second);
}

void NodeImporter::require(Value truth, const Twine &message) {
  if (!failed() && truth)
    RequireOp::create(builder, loc, truth, "node '" + node.label().str() + "': " + message.str());
}

AffineExpr NodeImporter::count(Value count, AffineExpr most) {
  auto range = most ? symbols.range(most) : std::nullopt;
  if (count && !range)
    refuse("expected a bounded number of elements, got " + print(most));
  return failed() || !count ? AffineExpr() : importer.addCount(count, range->max, node.label());
}

Value NodeImporter::prefix(Value list, ArrayRef<AffineExpr> shape) {
  if (failed() || !list || llvm::is_contained(shape, AffineExpr()))
    return {};
  auto sizes =
      llvm::map_to_vector(shape, [](AffineExpr size) { return constantOf(size).value_or(ShapedType::kDynamic); });
  OperationState state(loc, PrefixOp::getOperationName(), list,
                       RankedTensorType::get(sizes, cast<RankedTensorType>(list.getType()).getElementType()));
  for (AffineExpr size : shape)
    if (!constantOf(size))
      state.addOperands(importer.size(size));
  return insert(state, shape);
}
