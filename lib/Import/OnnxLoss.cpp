// Losses: NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss.
#include "Node.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

ArrayRef<Handler> coat::onnx::lossHandlers() { return {}; }
