// A package: a folder that find_package() and pkg-config take a compiled model from, wherever it is moved to.
#include "coat/Emit/Interface.h"
#include "embedded.h"
#include "llvm/ADT/StringRef.h"

using namespace coat;

constexpr const char *cmakeText = R"(# The compiled model @: targets @::@ (shared) and @::@_static.
get_filename_component(_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET @::@)
  add_library(@::@ SHARED IMPORTED)
  set_target_properties(@::@ PROPERTIES
    IMPORTED_LOCATION "${_prefix}/lib/lib@.so"
    INTERFACE_INCLUDE_DIRECTORIES "${_prefix}/include")
  add_library(@::@_static STATIC IMPORTED)
  set_target_properties(@::@_static PROPERTIES
    IMPORTED_LOCATION "${_prefix}/lib/lib@.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_prefix}/include")
endif()
set(@_JSON "${_prefix}/share/@/@.json")
unset(_prefix)
)";

/// CUDA models: the driver is found by dlopen, which old C libraries have in a library of its own.
constexpr const char *dlText = R"(set_property(TARGET @::@_static PROPERTY INTERFACE_LINK_LIBRARIES ${CMAKE_DL_LIBS})
)";

constexpr const char *pkgConfigText = R"(prefix=${pcfiledir}/../..

Name: @
Description: the model @, compiled by coat
Version: 1
Cflags: -I${prefix}/include
Libs: -L${prefix}/lib -l@
)";

static std::string named(llvm::StringRef text, const std::string &name) {
  std::string result;
  for (char c : text)
    if (c == '@')
      result += name;
    else
      result += c;
  return result;
}

std::vector<PackageFile> coat::packageFiles(const ModelDescription &model) {
  const std::string &name = model.name;
  return {{"include/" + name + ".h", headerText(model)},
          {"include/" + name + ".hpp", cppHeaderText(model)},
          {"include/coat/coat.h", std::string(publicHeader())},
          {"lib/cmake/" + name + "/" + name + "Config.cmake",
           named(std::string(cmakeText) + (model.onDevice ? dlText : ""), name)},
          {"lib/pkgconfig/" + name + ".pc", named(pkgConfigText, name)},
          {"share/" + name + "/" + name + ".json", jsonText(model)}};
}
