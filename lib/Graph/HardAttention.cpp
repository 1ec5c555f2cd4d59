// TopK or ArgMax of scores, put back among all keys; see HardAttention.h.
//
// A threshold (scores below the k-th greatest are hidden) is another function: it keeps all equal ones.
#include "HardAttention.h"
#include "Match.h"
#include "coat/Dialect/IndexOps.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

static bool isLast(int64_t axis, Value value) { return axis == tensorType(value).getRank() - 1; }

/// Whether all elements of `value` are `number`, a constant in full or broadcast.
static bool isFilledWith(Value value, double number) {
  while (auto spread = value.getDefiningOp<BroadcastOp>())
    value = spread.getInput();
  return uniformConstant(value) == number;
}

/// The scores whose best indices are `indices` [.., k] or [..].
static BestKeys readIndices(Value indices) {
  auto best = indices.getDefiningOp<TopKOp>();
  if (best && indices == best.getIndices() && !best.getSmallest() && isLast(best.getAxis(), best.getInput()))
    return {best.getInput(), int64_t(best.getK())};
  auto greatest = indices.getDefiningOp<ArgReduceOp>();
  if (greatest && greatest.getKind() == ReduceKind::max && !greatest.getSelectLast() &&
      isLast(greatest.getAxis(), greatest.getInput()))
    return {greatest.getInput(), 1};
  return {};
}

/// scatter_elements(fill, indices of the best, update) over all keys.
static BestKeys readScatter(ScatterElementsOp scatter, double fill) {
  if (!scatter || scatter.getKind() != ScatterKind::replace || !isFilledWith(scatter.getInput(), fill) ||
      !isLast(scatter.getAxis(), scatter.getInput()))
    return {};
  Value indices = scatter.getIndices();
  if (auto wider = indices.getDefiningOp<ReshapeOp>(); wider && wider.getInput().getDefiningOp<ArgReduceOp>())
    indices = wider.getInput(); // [..] to [.., 1]
  BestKeys found = readIndices(indices);
  return found && tensorType(found.scores).getShape() == tensorType(scatter.getInput()).getShape() ? found : BestKeys();
}

BestKeys coat::graph::readBestScores(Value value) {
  if (!value.hasOneUse())
    return {};
  double low = -std::numeric_limits<double>::infinity();
  // scatter(-inf, indices, values) of top_k(scores)
  if (auto scatter = value.getDefiningOp<ScatterElementsOp>()) {
    BestKeys best = readScatter(scatter, low);
    auto chosen = scatter.getIndices().getDefiningOp<TopKOp>();
    bool same = best && chosen && scatter.getUpdates() == chosen.getValues() && best.scores.hasOneUse();
    return same ? best : BestKeys();
  }
  // select(scatter(false, indices, true), scores, -inf), or with the mask inverted
  ElementwiseOp select = definedBy(value, ElementwiseKind::select);
  if (!select)
    return {};
  Value mask = select.getInputs()[0], scores = select.getInputs()[1], hidden = select.getInputs()[2];
  if (ElementwiseOp inverted = definedBy(mask, ElementwiseKind::logical_not)) {
    mask = inverted.getInputs()[0];
    std::swap(scores, hidden);
  }
  BestKeys best;
  if (auto scatter = mask.getDefiningOp<ScatterElementsOp>(); scatter && isFilledWith(scatter.getUpdates(), 1))
    best = readScatter(scatter, 0);
  bool same = best && best.scores == scores && scores.hasNUses(2) && isFilledWith(hidden, low);
  return same ? best : BestKeys();
}

/// x of select(x < 0, x + T, x): indices from the end, which indices of the best are not.
static Value withoutWrap(Value value) {
  if (auto wider = value.getDefiningOp<ReshapeOp>())
    value = wider.getInput();
  ElementwiseOp select = definedBy(value, ElementwiseKind::select);
  ElementwiseOp less = select ? definedBy(select.getInputs()[0], ElementwiseKind::less) : ElementwiseOp();
  if (less && less.getInputs()[0] == select.getInputs()[2] && isUniform(less.getInputs()[1], 0))
    value = select.getInputs()[2];
  return value;
}

/// 0, 1 .. along the last dimension.
static bool countsKeys(Value value) {
  std::optional<ConstantTensor> constant = ConstantTensor::get(value);
  if (!constant || !constant->readable() || constant->size() != tensorType(value).getShape().back())
    return false;
  for (int64_t i = 0; i < constant->size(); ++i)
    if (constant->number(i) != double(i))
      return false;
  return true;
}

BestKeys coat::graph::readOneHot(Value weights) {
  Value value = weights;
  while (auto cast = value.getDefiningOp<CastOp>()) {
    if (!value.hasOneUse())
      return {};
    value = cast.getInput();
  }
  if (!value.hasOneUse())
    return {};
  BestKeys best;
  if (auto scatter = value.getDefiningOp<ScatterElementsOp>()) {
    if (isFilledWith(scatter.getUpdates(), 1))
      best = readScatter(scatter, 0);
  } else {
    ElementwiseOp select = definedBy(value, ElementwiseKind::select);
    if (select && (!isUniform(select.getInputs()[1], 1) || !isUniform(select.getInputs()[2], 0)))
      return {};
    ElementwiseOp hot = definedBy(select ? select.getInputs()[0] : value, ElementwiseKind::equal);
    if (!hot)
      return {};
    eitherOrder(hot, [&](Value index, Value positions) {
      if (countsKeys(positions))
        best = readIndices(withoutWrap(index));
      return bool(best);
    });
    if (best && tensorType(best.scores).getShape() != tensorType(weights).getShape())
      best = {};
  }
  return best && best.count == 1 && best.scores.hasOneUse() ? best : BestKeys();
}
