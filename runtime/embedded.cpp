// Hands out the bytes that embedded.S takes in.
#include "embedded.h"

extern "C" {
extern const char coatModelX86Begin[], coatModelX86End[];
extern const char coatModelArmBegin[], coatModelArmEnd[];
extern const char coatHeaderBegin[], coatHeaderEnd[];
}

std::string_view coat::modelBitcode(std::string_view arch) {
  if (arch == "x86_64")
    return {coatModelX86Begin, size_t(coatModelX86End - coatModelX86Begin)};
  if (arch == "aarch64")
    return {coatModelArmBegin, size_t(coatModelArmEnd - coatModelArmBegin)};
  return {};
}

std::string_view coat::publicHeader() { return {coatHeaderBegin, size_t(coatHeaderEnd - coatHeaderBegin)}; }
