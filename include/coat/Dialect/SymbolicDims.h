// The strings of `coat.dims`: "224", "N" or an affine expression of symbols such as "(H - 1) floordiv 2 + 1".
#ifndef COAT_DIALECT_SYMBOLICDIMS_H
#define COAT_DIALECT_SYMBOLICDIMS_H

#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace coat {

/// The expression that `text` spells, symbol number i standing for `symbols[i]`; null when it is none. Names of symbols
/// are the model's own and may hold anything ("batch size", "W/2"); the longest name that fits wins.
mlir::AffineExpr parseSymbolicDim(llvm::StringRef text, llvm::ArrayRef<llvm::StringRef> symbols,
                                  mlir::MLIRContext *context);

} // namespace coat

#endif
