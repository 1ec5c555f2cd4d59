// Steps of optimizers (domain ai.onnx.preview.training): Adagrad, Adam, Momentum.
#include "Node.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

ArrayRef<Handler> coat::onnx::trainingHandlers() { return {}; }
