// Signals: DFT, STFT, windows, MelWeightMatrix.
#include "Node.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

ArrayRef<Handler> coat::onnx::signalHandlers() { return {}; }
