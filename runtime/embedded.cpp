// Hands out the bytes that embedded.S takes in.
#include "embedded.h"

extern "C" {
extern const char coatModelX86Begin[], coatModelX86End[];
extern const char coatModelArmBegin[], coatModelArmEnd[];
extern const char coatCudaX86Begin[], coatCudaX86End[];
extern const char coatCudaArmBegin[], coatCudaArmEnd[];
extern const char coatHeaderBegin[], coatHeaderEnd[];
}

std::string_view coat::modelBitcode(std::string_view arch, bool onDevice) {
  auto between = [](const char *begin, const char *end) { return std::string_view(begin, size_t(end - begin)); };
  if (arch == "x86_64")
    return onDevice ? between(coatCudaX86Begin, coatCudaX86End) : between(coatModelX86Begin, coatModelX86End);
  if (arch == "aarch64")
    return onDevice ? between(coatCudaArmBegin, coatCudaArmEnd) : between(coatModelArmBegin, coatModelArmEnd);
  return {};
}

std::string_view coat::publicHeader() { return {coatHeaderBegin, size_t(coatHeaderEnd - coatHeaderBegin)}; }
