// A program of upstream dialects (tosa, linalg on tensors) as the importer's plain data.
#ifndef COAT_LIB_IMPORT_MLIRREADER_H
#define COAT_LIB_IMPORT_MLIRREADER_H

#include "OnnxModel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace coat::onnx {

/// Each op of `function` becomes a node under its dialect and name, which refers to the op. Arguments and results are
/// named by their attribute coat.name, else arg0 .. and result0 ..; symbolic sizes by coat.dims, else arg0_0 ..
bool readFunction(mlir::func::FuncOp function, Model &model, std::string &error);

} // namespace coat::onnx

#endif
