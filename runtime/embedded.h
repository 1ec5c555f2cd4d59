// The files that the tool carries inside: model.c and cuda.c as LLVM bitcode, and coat.h for --package.
#ifndef COAT_EMBEDDED_H
#define COAT_EMBEDDED_H

#include <string_view>

namespace coat {

/// model.c, or with `onDevice` cuda.c, compiled for an architecture ("x86_64" or "aarch64"), position-independent; empty for
/// any other.
std::string_view modelBitcode(std::string_view arch, bool onDevice);

/// The text of coat.h.
std::string_view publicHeader();

} // namespace coat

#endif
