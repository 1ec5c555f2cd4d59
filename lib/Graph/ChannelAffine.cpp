// Scaling filters and shifting biases; see ChannelAffine.h.
#include "ChannelAffine.h"
#include "Match.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace coat;
using namespace coat::graph;

std::optional<int64_t> coat::graph::outputChannelDim(Operation *producer) {
  return TypeSwitch<Operation *, std::optional<int64_t>>(producer)
      .Case([](ConvOp conv) {
        return conv.getDataLayout() == coat::DataLayout::channels_last ? tensorType(conv).getRank() - 1 : 1;
      })
      .Case([](ConvTransposeOp) { return 1; })
      .Case([](MatmulOp product) { return tensorType(product).getRank() - 1; })
      .Default(std::nullopt);
}

namespace {
/// Where the output channel of a filter element is found: channel(i) for element i in row-major order.
struct FilterChannels {
  Value filter;
  llvm::unique_function<int64_t(int64_t)> channel;
};
} // namespace

/// Null when the filter has a batch dimension or is packed.
static std::optional<FilterChannels> filterChannels(Operation *producer) {
  if (auto conv = dyn_cast<ConvOp>(producer)) {
    RankedTensorType type = tensorType(conv.getFilter());
    if (conv.getFilterLayout() != FilterLayout::plain || !type.hasStaticShape())
      return std::nullopt;
    int64_t inner = type.getNumElements() / std::max<int64_t>(type.getDimSize(0), 1);
    return FilterChannels{conv.getFilter(), [=](int64_t i) { return i / inner; }};
  }
  if (auto conv = dyn_cast<ConvTransposeOp>(producer)) {
    RankedTensorType type = tensorType(conv.getFilter());
    if (!type.hasStaticShape() || type.getNumElements() == 0)
      return std::nullopt;
    int64_t perGroup = type.getDimSize(0) / conv.getGroup(), outputs = type.getDimSize(1);
    int64_t inner = type.getNumElements() / type.getDimSize(0) / outputs;
    return FilterChannels{conv.getFilter(), [=](int64_t i) {
                            int64_t input = i / inner / outputs;
                            return input / perGroup * outputs + i / inner % outputs;
                          }};
  }
  auto product = cast<MatmulOp>(producer);
  RankedTensorType type = tensorType(product.getRhs());
  if (product.getFilterLayout() != FilterLayout::plain || type.getRank() != 2 || !type.hasStaticShape())
    return std::nullopt;
  int64_t columns = type.getDimSize(1);
  if (product.getTransposeRhs())
    return FilterChannels{product.getRhs(), [=](int64_t i) { return i / columns; }};
  return FilterChannels{product.getRhs(), [=](int64_t i) { return i % columns; }};
}

template <typename T>
static void scaleElements(const ConstantTensor &filter, function_ref<double(int64_t)> factor, char *to) {
  // Not by number(i), which asks for the type each time.
  int64_t step = filter.splat ? 0 : sizeof(T);
  for (int64_t i = 0, e = filter.size(); i < e; ++i) {
    T value;
    std::memcpy(&value, filter.bytes.data() + i * step, sizeof(T));
    value = static_cast<T>(static_cast<double>(value) * factor(i));
    std::memcpy(to + i * sizeof(T), &value, sizeof(T));
  }
}

Value coat::graph::scaledFilter(OpBuilder &builder, Location loc, const ConstantTensor &filter,
                                function_ref<double(int64_t)> factor) {
  AsmResourceBlob blob = newBlob(filter.size() * filter.width());
  char *to = blob.getMutableData().data();
  if (filter.type.getElementType().isF32())
    scaleElements<float>(filter, factor, to);
  else
    scaleElements<double>(filter, factor, to);
  return blobConstant(builder, loc, filter.type, std::move(blob));
}

static Value biasOf(Operation *producer) {
  return TypeSwitch<Operation *, Value>(producer)
      .Case<ConvOp, ConvTransposeOp, MatmulOp>([](auto op) { return op.getBias(); })
      .Default(Value());
}

/// A copy of `producer` with another filter and bias.
static Value rebuilt(RewriterBase &rewriter, Operation *producer, Location loc, Value filter, Value bias) {
  Operation *copy = rewriter.clone(*producer);
  copy->setLoc(loc);
  copy->setOperand(1, filter);
  TypeSwitch<Operation *>(copy).Case<ConvOp, ConvTransposeOp, MatmulOp>(
      [&](auto op) { op.getBiasMutable().assign(bias); });
  return copy->getResult(0);
}

Value coat::graph::withChannelAffine(RewriterBase &rewriter, Operation *producer, Location loc, ArrayRef<double> scale,
                                     ArrayRef<double> shift) {
  if (!producer || !outputChannelDim(producer) || !producer->hasOneUse())
    return {};
  std::optional<FilterChannels> channels = filterChannels(producer);
  bool scales = llvm::any_of(scale, [](double factor) { return factor != 1; });
  Value filter = producer->getOperand(1), oldBias = biasOf(producer);
  std::optional<ConstantTensor> weights = ConstantTensor::get(filter);
  auto isReal = [](const std::optional<ConstantTensor> &c) { return c && c->isFloat() && c->readable(); };
  if (scales && (!channels || !isReal(weights)))
    return {};
  SmallVector<double> biases(shift);
  if (oldBias) {
    std::optional<ConstantTensor> constant = ConstantTensor::get(oldBias);
    if (!isReal(constant))
      return {};
    for (auto [c, bias] : llvm::enumerate(biases))
      bias += constant->number(c) * scale[c];
  }
  Type element = tensorType(filter).getElementType();
  if (!element.isF32() && !element.isF64())
    return {};
  Location fused = rewriter.getFusedLoc({producer->getLoc(), loc});
  if (scales)
    filter = scaledFilter(rewriter, fused, *weights, [&](int64_t i) { return scale[channels->channel(i)]; });
  auto biasType = RankedTensorType::get({static_cast<int64_t>(biases.size())}, element);
  return rebuilt(rewriter, producer, fused, filter, floatConstant(rewriter, fused, biasType, biases));
}
