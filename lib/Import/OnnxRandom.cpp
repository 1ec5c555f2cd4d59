// Ops that draw random numbers: refused, with the reason.
#include "Node.h"

using namespace mlir;
using namespace coat::onnx;

static void refuseRandom(NodeImporter &node) {
  node.refuse(
      "expected results that follow from the inputs, got random numbers; try making them an input of the model");
}

ArrayRef<Handler> coat::onnx::randomHandlers() {
  static const Handler rows[] = {
      {"Bernoulli", 1, newest, refuseRandom},     {"Multinomial", 1, newest, refuseRandom},
      {"RandomNormal", 1, newest, refuseRandom},  {"RandomNormalLike", 1, newest, refuseRandom},
      {"RandomUniform", 1, newest, refuseRandom}, {"RandomUniformLike", 1, newest, refuseRandom},
  };
  return rows;
}
