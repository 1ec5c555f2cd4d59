// The typed C header of a model. Its promise is runtime/coat.h's; what it adds are the types and names of this model.
#include "coat/Emit/Interface.h"
#include "coat/coat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace coat;
using llvm::StringRef;

static StringRef cType(int32_t dtype) {
  switch (dtype) {
  case COAT_BOOL:
  case COAT_U8:
    return "uint8_t";
  case COAT_I8:
    return "int8_t";
  case COAT_I16:
    return "int16_t";
  case COAT_I32:
    return "int32_t";
  case COAT_I64:
    return "int64_t";
  case COAT_U16:
    return "uint16_t";
  case COAT_U32:
    return "uint32_t";
  case COAT_U64:
    return "uint64_t";
  case COAT_F16:
    return "coat_f16";
  case COAT_BF16:
    return "coat_bf16";
  case COAT_F32:
    return "float";
  case COAT_F64:
    return "double";
  case COAT_F8E4M3FN:
    return "coat_f8e4m3fn";
  case COAT_F8E5M2:
    return "coat_f8e5m2";
  case COAT_I4:
    return "coat_i4x2";
  default:
    return "coat_u4x2";
  }
}

/// Names of a model may hold anything; inside a comment they must not end it, nor look like the start of another.
static std::string inComment(StringRef name) {
  std::string text;
  for (char c : name) {
    char last = text.empty() ? ' ' : text.back();
    bool marks = (last == '*' && c == '/') || (last == '/' && c == '*');
    text += (c >= 0 && c < ' ') || c == 127 || marks ? ' ' : c;
  }
  return text;
}

static std::string shapeText(const TensorDescription &tensor) {
  std::string text = "[";
  for (const DimDescription &dim : tensor.dims)
    text += (text.size() > 1 ? ", " : "") + inComment(dim.text);
  return text + "]";
}

/// One member a tensor and a symbol, comments aligned.
static void writeArgs(llvm::raw_ostream &os, const ModelDescription &model) {
  std::vector<std::pair<std::string, std::string>> members = {
      {"size_t struct_size;", "sizeof(" + model.name + "_args)"}};
  for (const TensorDescription &tensor : model.tensors) {
    std::string comment = shapeText(tensor) + (tensor.dtype == COAT_BOOL ? ", 0 or 1" : "");
    if (tensor.isCount)
      comment = "gets how many there are, at most " + std::to_string(tensor.most);
    if (tensor.field != tensor.name)
      comment += ", '" + inComment(tensor.name) + "'";
    members.push_back(
        {(tensor.isOutput ? "" : "const ") + cType(tensor.dtype).str() + " *" + tensor.field + ";", comment});
  }
  for (const SymbolDescription &symbol : model.symbols) {
    std::string comment = std::to_string(symbol.min) + ".." + std::to_string(symbol.max);
    if (symbol.field != symbol.name)
      comment += ", '" + inComment(symbol.name) + "'";
    members.push_back({"int64_t " + symbol.field + ";", comment});
  }
  size_t width = 0;
  for (auto &[member, comment] : members)
    width = std::max(width, member.size());
  os << (model.onDevice ? "/* Dense row-major tensors in the memory of the GPU, aligned to 16 bytes (or in that of the "
                          "host, with the flag\n"
                          " * COAT_HOST_TENSORS): inputs, then outputs; then the symbolic dimensions. */\n"
                        : "/* Dense row-major tensors: inputs, then outputs; then the symbolic dimensions. */\n")
     << "typedef struct " << model.name << "_args {\n";
  for (auto &[member, comment] : members)
    os << "  " << member << std::string(width - member.size() + 1, ' ') << "/* " << comment << " */\n";
  os << "} " << model.name << "_args;\n\n";
}

static int64_t roundUp(int64_t size) { return (size + COAT_ALIGNMENT - 1) / COAT_ALIGNMENT * COAT_ALIGNMENT; }

static void writeMacros(llvm::raw_ostream &os, const ModelDescription &model) {
  for (const SymbolDescription &symbol : model.symbols)
    os << llvm::formatv("#define {0}_{1}_MIN {2}\n#define {0}_{1}_MAX {3}\n", model.name, symbol.field, symbol.min,
                        symbol.max);
  for (const TensorDescription &tensor : model.tensors)
    if (tensor.isCount)
      os << llvm::formatv("#define {0}_{1}_MAX {2}\n", model.name, tensor.field, tensor.most);
  if (!model.symbols.empty())
    os << "\n";
  if (model.symbols.empty())
    os << "/* What " << model.name << "_workspace_size() returns, for "
       << (model.onDevice ? "device memory" : "static buffers") << " (aligned to COAT_ALIGNMENT). */\n"
       << llvm::formatv("#define {0}_WORKSPACE_SIZE(threads) ((size_t){1} + (size_t){2} * (size_t)(threads))\n",
                        model.name, roundUp(model.workspaceSize), roundUp(model.scratchSize));
  if (model.weightsInFile && model.weightsSize)
    os << "/* Bytes of " << model.name << ".weights, which coat_options::weights must point to. */\n"
       << llvm::formatv("#define {0}_WEIGHTS_SIZE ((size_t){1})\n", model.name, model.weightsSize);
  os << "\n";
}

constexpr const char *before = R"(/* Names, types, shapes and kernels. */
const coat_model_info *@_info(void);

/* Bytes that one run needs at coat_options::workspace; depends on the dimensions and the thread count. */
size_t @_workspace_size(const @_args *args, const coat_options *options);

)";

constexpr const char *onCpu =
    R"(/* Runs the model. COAT_OK or another coat_status; nothing is computed then. `options` may be NULL. Re-entrant. */
)";

constexpr const char *onDevice =
    R"(/* Queues the model on coat_options::stream, with coat_options::state as @_init() filled it. COAT_OK or another
 * coat_status. Neither allocates nor waits, so it may be captured in a CUDA graph; <coat/coat.h> says more. With
 * coat_options::flags = COAT_HOST_TENSORS it takes tensors of the host, copies them, and waits. Re-entrant. */
)";

constexpr const char *after = R"(int @_run(const @_args *args, const coat_options *options);

/* The same without types: pointers and values of symbols in the order of @_info(). */
int @_run_flat(void *const *tensors, const int64_t *dims, const coat_options *options);

/* State between runs: allocate @_state_size() bytes aligned to COAT_ALIGNMENT (0: none needed), then init. */
size_t @_state_size(void);
int @_init(void *state, const coat_options *options);
void @_fini(void *state);

/* What a coat_status means; a static string. */
const char *@_strerror(int code);
)";

/// `text` with every @ replaced by the model's name.
static std::string named(StringRef text, const ModelDescription &model) {
  std::string result;
  for (char c : text)
    if (c == '@')
      result += model.name;
    else
      result += c;
  return result;
}

std::string coat::headerText(const ModelDescription &model) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << named("/* @.h: the C interface of the model @. Generated by ", model) << compilerVersion
     << "; <coat/coat.h> explains the rest.\n"
        " *\n"
        " * Names that are not C identifiers have '_' for each other character, a keyword has '_' after it, and a "
        "name\n"
        " * already taken has \"_2\" after it; the names in the model stand in quotes beside theirs and in the info. "
        "*/\n"
     << named("#ifndef COAT_MODEL_@_H\n#define COAT_MODEL_@_H\n\n", model)
     << "#include \"coat/coat.h\"\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  writeArgs(os, model);
  writeMacros(os, model);
  os << named(before, model) << named(model.onDevice ? onDevice : onCpu, model) << named(after, model);
  os << "\n#ifdef __cplusplus\n} /* extern \"C\" */\n#endif\n\n#endif\n";
  return text;
}

constexpr const char *cppText = R"(// @.hpp: the model @ for C++11 and later. Generated; @.h explains each function.
#ifndef COAT_MODEL_@_HPP
#define COAT_MODEL_@_HPP

#include "@.h"
#include <stdexcept>
#include <string>

namespace @ {

/// Arguments with struct_size set and everything else zero.
struct args : ::@_args {
  args() : ::@_args() { struct_size = sizeof(::@_args); }
};

/// Options with struct_size set and everything else zero.
struct options : ::coat_options {
  options() : ::coat_options() { struct_size = sizeof(::coat_options); }
};

/// A coat_status other than COAT_OK.
class error : public std::runtime_error {
public:
  error(int status, const std::string &message) : std::runtime_error(message), status(status) {}
  const int status;
};

inline const coat_model_info &info() { return *::@_info(); }

inline std::size_t workspace_size(const ::@_args &args, const ::coat_options &options = @::options()) {
  return ::@_workspace_size(&args, &options);
}

/// Runs the model; throws @::error.
inline void run(const ::@_args &args, ::coat_options options = @::options()) {
  char message[256] = "";
  if (!options.error) {
    options.error = message;
    options.error_size = sizeof message;
  }
  int status = ::@_run(&args, &options);
  if (status != COAT_OK)
    throw error(status, options.error[0] ? options.error : ::@_strerror(status));
}

} // namespace @

#endif
)";

std::string coat::cppHeaderText(const ModelDescription &model) { return named(cppText, model); }
