// The command line of every verb, parsed once into plain values.
#ifndef COAT_TOOLS_FLAGS_H
#define COAT_TOOLS_FLAGS_H

#include "Diagnose.h"
#include "coat/Emit/Emit.h"
#include "coat/Import/Onnx.h"
#include "coat/Pipeline/Pipeline.h"
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace coat::tool {

enum class Verb { compile, check, ops, run, bench, verify };

/// Flags that say how to compile; `compile`, `check` and `verify` share them.
struct CompileFlags {
  ImportOptions import;
  CompileOptions pipeline;
  EmitOptions emit;
  bool weightsInFile = false;
  bool verbose = false, saveTemps = false, timeReport = false;
  std::string command; // the flags that change the result, in a fixed order: part of the source hash
};

struct Flags {
  Verb verb;
  std::string input; // the model or the library
  std::string output;
  CompileFlags compile;
  bool package = false;
  bool json = false;

  // run, bench, verify
  std::vector<std::string> inputs;      // x.npy, name=x.npy or x.npz
  std::map<std::string, int64_t> sizes; // --dim N=3 of run and bench
  int threads = 1;
  uint64_t seed = 0;
  std::string weights; // the file of --weights=file; empty: beside the library
  double seconds = 2;
  bool profile = false;
  double rtol = 1e-3, atol = 1e-4;
  std::string reference; // --ref
};

/// Parses; prints what is wrong and returns the exit code, or ok.
Status parseFlags(int argc, char **argv, Flags &flags);

} // namespace coat::tool

#endif
