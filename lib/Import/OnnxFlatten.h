// The nodes of a model as one checked list, before any IR is built.
#ifndef COAT_LIB_IMPORT_ONNXFLATTEN_H
#define COAT_LIB_IMPORT_ONNXFLATTEN_H

#include "OnnxModel.h"

namespace coat::onnx {

/// Copies the graph's nodes, calls of the model's own functions replaced by their bodies, with the opset of
/// each node filled in, and so in the graphs of If, Loop and Scan, whose names become unique in the model. False, with
/// `error`, on recursion, a missing opset import or an unbound attribute.
bool flatten(const Model &model, std::vector<Node> &nodes, std::string &error);

/// Checks versions, names and order, sorts `nodes` topologically if need be and drops those that no output needs.
/// `notSupported` is set when the model is sound but newer than this importer.
bool validate(const Model &model, std::vector<Node> &nodes, std::string &error, bool &notSupported);

} // namespace coat::onnx

#endif
