// Which ops make one kernel.
#ifndef COAT_KERNELS_GROUPS_H
#define COAT_KERNELS_GROUPS_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"

namespace coat {

/// Ops of one kernel in program order: a root, then the element-wise ops fused to it. Before the root stands what
/// Strategy wants computed as part of it.
using Group = llvm::SmallVector<mlir::Operation *>;

/// The op whose schedule is that of the kernel.
mlir::Operation *rootOf(const Group &group);

/// The groups of an entry block, in the order of their last ops. Every op that
/// computes is in exactly one; constants, reshapes, index arithmetic and the
/// terminator are in none.
///
/// A group grows from its root along single uses: an element-wise op or cast
/// joins when it consumes the group's only result at full size. Another
/// operand of it may come from anywhere before; it cannot depend on the group,
/// whose result has no other use.
llvm::SmallVector<Group> formGroups(mlir::Block &entry, bool fuse);

} // namespace coat

#endif
