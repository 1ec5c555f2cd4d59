// Which ops make one kernel; see Groups.h.
#include "Groups.h"
#include "coat/Dialect/Coat.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace coat;

namespace {
bool computes(Operation &op) {
  return isa<tensor::ExtractSliceOp, tensor::ConcatOp>(op) ||
         (isa<CoatDialect>(op.getDialect()) && !isa<ReshapeOp, PrefixOp, RequireOp>(op));
}

/// A kernel of more ops costs the compiler more than the memory traffic it saves.
constexpr size_t mostOps = 64;

/// The element-wise op that can join a group ending in `last`, or null.
Operation *nextOf(Operation *last) {
  if (last->getNumResults() != 1 || !last->getResult(0).hasOneUse())
    return nullptr;
  // Moving elements is bound by memory either way; a concat or pad is written by its producers. A formula is all of its
  // kernel.
  if (isa<tensor::ConcatOp, tensor::ExtractSliceOp, PadOp, BroadcastOp, FormulaOpInterface>(last))
    return nullptr;
  Operation *user = *last->getResult(0).getUsers().begin();
  if (!isa<ElementwiseOp, CastOp>(user) || user->getBlock() != last->getBlock())
    return nullptr;
  auto from = cast<ShapedType>(last->getResult(0).getType()), to = cast<ShapedType>(user->getResult(0).getType());
  return from.getShape() == to.getShape() ? user : nullptr;
}

/// Whether `op` is a conversion that is computed in the kernel of its only reader (coat-narrow-storage,
/// coat-order-filters).
bool isPrologue(Operation *op) { return op && op->hasAttr("coat.prologue") && op->hasOneUse(); }

/// Appends `op`, and before it the conversions of its operands.
void append(Group &group, Operation *op, llvm::SmallDenseSet<Operation *> &taken) {
  for (Value operand : op->getOperands())
    if (Operation *cast = operand.getDefiningOp(); isPrologue(cast) && taken.insert(cast).second)
      append(group, cast, taken);
  group.push_back(op);
}

/// The op whose kernel computes `op` too: one without a schedule has no kernel of its own.
Operation *kernelOf(Operation *op) {
  if (!isa<WinogradInputOp>(op) || op->hasAttr("coat.schedule") || !op->hasOneUse())
    return nullptr;
  return *op->user_begin();
}
} // namespace

Operation *coat::rootOf(const Group &group) {
  for (Operation *op : group)
    if (op->hasAttr("coat.schedule"))
      return op;
  return group.front();
}

SmallVector<Group> coat::formGroups(Block &entry, bool fuse) {
  SmallVector<Group> groups;
  llvm::SmallDenseSet<Operation *> taken;
  for (Operation &op : entry) {
    if (!computes(op) || isPrologue(&op) || !taken.insert(&op).second)
      continue;
    Group group;
    append(group, &op, taken);
    if (Operation *root = kernelOf(&op); root && taken.insert(root).second)
      group.push_back(root);
    while (Operation *next = fuse ? nextOf(group.back()) : nullptr) {
      if (group.size() == mostOps || !taken.insert(next).second)
        break;
      append(group, next, taken);
    }
    // A conversion that nothing here reads belongs to its reader, whose kernel then reads the narrow type.
    while (group.size() > 1 && isPrologue(group.back())) {
      taken.erase(group.back());
      group.pop_back();
    }
    groups.push_back(std::move(group));
  }
  // A launch stands where the last op of its group stood: all its operands exist there.
  llvm::stable_sort(groups, [](const Group &a, const Group &b) { return a.back()->isBeforeInBlock(b.back()); });
  return groups;
}
