// The texts that come with a compiled model: headers, the .json and the files of a package. All are functions of the
// description alone, hold no time, no path and no pointer, and so are the same bytes on every machine.
#ifndef COAT_EMIT_INTERFACE_H
#define COAT_EMIT_INTERFACE_H

#include "coat/Emit/Description.h"

namespace coat {

/// What coat_model_info::compiler and every generated file say.
constexpr const char *compilerVersion = "coat 0.1.0";

/// net.h: net_args with the shapes as comments, and the functions of runtime/coat.h's promise.
std::string headerText(const ModelDescription &model);
/// net.hpp: the same for C++, errors as exceptions.
std::string cppHeaderText(const ModelDescription &model);
/// net.json: tensors, symbols, memory and one record a kernel launch.
std::string jsonText(const ModelDescription &model);

/// One file of a package, by its path inside the package.
struct PackageFile {
  std::string path, text;
};
/// Everything of a package but the libraries, which belong at lib/lib<name>.so and lib/lib<name>.a.
std::vector<PackageFile> packageFiles(const ModelDescription &model);

} // namespace coat

#endif
