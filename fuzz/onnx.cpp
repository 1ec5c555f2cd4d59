// ONNX models; wire_mutator.cpp makes them.
#include "importer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  importBytes(data, size);
  return 0;
}
