// What lowering the launch list is made of, wherever the kernels run: the frame (coat_frame of runtime/model.h),
// tensors, weights and workspace as memrefs.
#ifndef COAT_LOWER_CPU_ENTRYFRAME_H
#define COAT_LOWER_CPU_ENTRYFRAME_H

#include "KernelSignature.h"
#include "coat/Dialect/Coat.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace coat {

class EntryFrame {
public:
  EntryFrame(mlir::ModuleOp module, mlir::func::FuncOp entry);

protected:
  /// `entry` becomes @<entry>_body(frame); its arguments stay, behind the frame, until bindTensors().
  mlir::LogicalResult openFrame();
  /// Inputs and results come from the frame: pointers by number, sizes from the list of all dimensions.
  mlir::LogicalResult bindTensors();

  mlir::LogicalResult lower(WeightOp op);
  mlir::LogicalResult lower(WorkspaceOp op);
  mlir::LogicalResult replace(mlir::Operation *op, mlir::Value value);

  mlir::Value constant(mlir::Location loc, int64_t n);
  mlir::Value constant32(mlir::Location loc, int32_t n);
  /// Word `index` of the array at `base`.
  mlir::Value load(mlir::Location loc, mlir::Type type, mlir::Value base, int64_t index);
  mlir::Value address(mlir::Location loc, mlir::Value array, int32_t word);

  mlir::ModuleOp module;
  mlir::func::FuncOp entry;
  std::string prefix;
  mlir::OpBuilder b;
  mlir::LLVMTypeConverter converter;
  mlir::Type ptr, i64;
  mlir::Value frame, workspace, weights;
};

} // namespace coat

#endif
