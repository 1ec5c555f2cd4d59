// Inputs that ONNX lets a model compute at run time though they decide a shape: axes, pads, sizes, target shapes. Where
// the model declares the static shape of the result, that is the shape, and a run whose values give another ends with
// an error. Each function returns whether it has imported the node, that is, whether such an input is computed at run
// time and the shape is declared.
#ifndef COAT_LIB_IMPORT_DECLARED_H
#define COAT_LIB_IMPORT_DECLARED_H

#include "Node.h"

namespace coat::onnx {

/// Whether nothing is known of the elements of `input` that is there.
bool comesAtRunTime(NodeImporter &node, unsigned input);

/// The sizes that input `input` says: its expressions, or those that the model declares of result 0.
llvm::SmallVector<mlir::AffineExpr> sizesOrDeclared(NodeImporter &node, unsigned input, llvm::StringRef what);
/// The same where the input has a size for each of `axes` only.
llvm::SmallVector<mlir::AffineExpr> sizesOrDeclared(NodeImporter &node, unsigned input, llvm::StringRef what,
                                                    llvm::ArrayRef<int64_t> axes);

/// The sizes [N, C, d1..] of an image whose grid [N, d1.., k] is result 0: C, which no result depends on, is 1 where
/// only a run knows it.
llvm::SmallVector<mlir::AffineExpr> imageOrDeclared(NodeImporter &node, unsigned input, llvm::StringRef what);

/// The scales of a Resize along `axes` that input `input` gives: the numbers, or the ratios to the declared sizes.
llvm::SmallVector<double> scalesOrDeclared(NodeImporter &node, unsigned input, llvm::ArrayRef<int64_t> axes);

bool reshapeAsDeclared(NodeImporter &node, bool allowZero);
bool expandAsDeclared(NodeImporter &node);
bool tileAsDeclared(NodeImporter &node);
bool squeezeAsDeclared(NodeImporter &node);
bool unsqueezeAsDeclared(NodeImporter &node);
bool rangeAsDeclared(NodeImporter &node);
bool sliceAsDeclared(NodeImporter &node);
bool padAsDeclared(NodeImporter &node, PadMode mode);
bool reduceAsDeclared(NodeImporter &node, bool keepDims,
                      llvm::function_ref<mlir::Value(llvm::ArrayRef<int64_t>)> reduce);

} // namespace coat::onnx

#endif
