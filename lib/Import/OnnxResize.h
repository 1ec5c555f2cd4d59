// Sizes of resized dimensions, and resizing along single ones by tables of weights.
#ifndef COAT_LIB_IMPORT_ONNXRESIZE_H
#define COAT_LIB_IMPORT_ONNXRESIZE_H

#include "Node.h"

namespace coat::onnx {

/// A dimension that changes.
struct ResizeAxis {
  int64_t axis, input, output;
  double scale;
  std::optional<CoordinateMode> coordinates; // none: tf_crop_and_resize, of this part
  double cropBegin = 0, cropEnd = 1;
  mlir::Value crop = {}; // its ends [2, 1, 1], f32, where only a run knows them
};

/// What is common to all dimensions.
struct ResizeFilter {
  ResizeMode mode;
  NearestMode nearest;
  double cubicCoefficient;
  bool antialias, excludeOutside;
  double extrapolation;
};

/// A size that floating-point arithmetic gave; an error and 1 where no tensor has it.
int64_t resizedSize(NodeImporter &node, double size);

mlir::Value resizeByWeights(NodeImporter &node, mlir::Value value, llvm::ArrayRef<ResizeAxis> axes,
                            const ResizeFilter &filter);

} // namespace coat::onnx

#endif
