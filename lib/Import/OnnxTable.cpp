// The table of ONNX ops: the families' rows, found by name and opset.
#include "Node.h"

using namespace coat::onnx;

static const llvm::StringMap<llvm::SmallVector<const Handler *, 1>> &table() {
  static const auto *rows = [] {
    auto *result = new llvm::StringMap<llvm::SmallVector<const Handler *, 1>>;
    for (llvm::ArrayRef<Handler> family : {atenConvHandlers(),
                                           atenElementwiseHandlers(),
                                           atenProductHandlers(),
                                           atenReduceHandlers(),
                                           atenShapeHandlers(),
                                           attentionHandlers(),
                                           contribHandlers(),
                                           controlHandlers(),
                                           convHandlers(),
                                           einsumHandlers(),
                                           elementwiseHandlers(),
                                           gradientHandlers(),
                                           indexHandlers(),
                                           listHandlers(),
                                           lossHandlers(),
                                           movementHandlers(),
                                           normHandlers(),
                                           padHandlers(),
                                           poolHandlers(),
                                           productHandlers(),
                                           quantHandlers(),
                                           randomHandlers(),
                                           recurrentHandlers(),
                                           reduceHandlers(),
                                           resizeHandlers(),
                                           samplingHandlers(),
                                           selectHandlers(),
                                           sequenceHandlers(),
                                           shapeHandlers(),
                                           signalHandlers(),
                                           sliceHandlers(),
                                           stringHandlers(),
                                           trainingHandlers(),
                                           mlirLinalgHandlers(),
                                           mlirScalarHandlers(),
                                           mlirTensorHandlers(),
                                           mlirWindowHandlers(),
                                           tosaConvHandlers(),
                                           tosaElementwiseHandlers(),
                                           tosaMovementHandlers()})
      for (const Handler &handler : family)
        (*result)[handler.op].push_back(&handler);
    return result;
  }();
  return *rows;
}

const Handler *coat::onnx::findHandler(const Node &node, std::string &refusal) {
  std::string name = node.domain.empty() ? node.op : node.domain + "." + node.op;
  auto found = table().find(name);
  if (found == table().end()) {
    refusal = "expected an operator that coat compiles, got " + name;
    return nullptr;
  }
  for (const Handler *handler : found->second)
    if (handler->first <= node.opset && node.opset <= handler->last)
      return handler;
  refusal = "expected opset " + std::to_string(found->second.front()->first) + " to " +
            std::to_string(found->second.back()->last) + ", got " + std::to_string(node.opset);
  return nullptr;
}

std::vector<coat::SupportedOp> coat::supportedOps() {
  std::vector<SupportedOp> ops;
  for (const auto &entry : table())
    for (const Handler *handler : entry.second)
      ops.push_back({entry.first().str(), handler->first, handler->last});
  llvm::sort(ops, [](const SupportedOp &a, const SupportedOp &b) {
    return std::tie(a.name, a.first) < std::tie(b.name, b.first);
  });
  return ops;
}
