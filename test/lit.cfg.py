# Tests of one pass, one op family or one tool each; slow ones that compile whole models are run by scripts/check.sh.
import os
import lit.formats

config.name = "coat"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".c", ".cpp"]
config.excludes = ["Inputs", "Unit", "Gpu", "Avx512", "models"]
config.test_source_root = os.path.join(config.coat_source, "test")
config.test_exec_root = os.path.join(config.coat_build, "test")
config.environment["PATH"] = os.pathsep.join([config.coat_tools, config.llvm_tools, os.environ["PATH"]])
config.substitutions.append(("%python", config.python))
config.substitutions.append(("%source", config.coat_source))
config.substitutions.append(("%build", config.coat_build))
