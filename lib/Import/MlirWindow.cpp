// linalg's named convolutions and pooling ops. Their names say the layouts: conv_2d_nhwc_hwcf reads an input [n, h, w,
// c] and a filter [h, w, c, f]; m is the multiplier of a depthwise filter, g a group. All become the one op of coat
// between transposes, which Graph cancels or takes for a channels-last model.
#include "Mlir.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;

static bool isSpatial(char letter) { return StringRef("dhw").contains(letter); }
static std::string spatialOf(StringRef letters) {
  std::string result;
  llvm::copy_if(letters, std::back_inserter(result), isSpatial);
  return result;
}

/// `value`, whose dimensions have these letters, in another order, each group of letters one dimension; a letter that
/// is not there has size 1.
static Value arranged(MlirNode node, Value value, StringRef letters, ArrayRef<std::string> groups) {
  if (!value)
    return {};
  SmallVector<AffineExpr> dims = node->dims(value), shape;
  SmallVector<int64_t> permutation;
  for (const std::string &group : groups) {
    AffineExpr size = node->number(1);
    for (char letter : group)
      if (size_t dim = letters.find(letter); dim != StringRef::npos) {
        permutation.push_back(dim);
        size = node->symbols.product({size, dims[dim]});
      }
    shape.push_back(size);
  }
  return node->reshape(node->transpose(value, permutation), shape);
}

/// The inverse: each of `letters` of a value in the order of `groups`, `sizes` saying how groups come apart.
static Value arrangedBack(MlirNode node, Value value, StringRef order, StringRef letters, Value like) {
  if (!value)
    return {};
  SmallVector<AffineExpr> dims = node->dims(like), apart;
  SmallVector<int64_t> permutation;
  std::string there;
  for (char letter : order)
    if (size_t dim = letters.find(letter); dim != StringRef::npos) {
      apart.push_back(dims[dim]);
      there += letter;
    }
  for (char letter : letters)
    permutation.push_back(there.find(letter));
  return node->transpose(node->reshape(value, apart), permutation);
}

/// An attribute of one number a spatial dimension; 1 each where it is absent.
static SmallVector<int64_t> windowNumbers(MlirNode node, StringRef name, size_t count) {
  auto values = node.operation()->getAttrOfType<DenseIntElementsAttr>(name);
  if (!values)
    return SmallVector<int64_t>(count, 1);
  return llvm::to_vector(values.getValues<int64_t>());
}

static bool isUnsignedCast(MlirNode node) {
  auto cast = node.operation()->getAttrOfType<linalg::TypeFnAttr>("cast");
  return cast && cast.getValue() == linalg::TypeFn::cast_unsigned;
}

/// One group of a spatial letter each.
static SmallVector<std::string> groupsOf(ArrayRef<StringRef> leading, StringRef spatial) {
  SmallVector<std::string> groups;
  for (StringRef group : leading)
    groups.push_back(group.str());
  for (char letter : spatial)
    groups.push_back(std::string(1, letter));
  return groups;
}

static void importConv(MlirNode node) {
  SmallVector<StringRef> words;
  node->op().split(words, '_');
  bool quantized = words.back() == "q", depthwise = words.front() == "depthwise";
  if (quantized)
    words.pop_back();
  // conv_2d has neither batch nor channels.
  bool bare = words.back().ends_with("d") && llvm::isDigit(words.back().front());
  std::string only = StringRef("dhw").take_back(words.back().front() - '0').str();
  StringRef input = bare ? StringRef(only) : words[words.size() - 2], filter = bare ? StringRef(only) : words.back();
  std::string spatial = spatialOf(input), output;
  for (char letter : input)
    output += letter == 'c' && !depthwise ? 'f' : letter;
  if (StringRef(filter).contains('m'))
    output += 'm';
  if (isUnsignedCast(node))
    return node->refuse("attribute 'cast': expected cast_signed, got cast_unsigned");

  // Of a filter with g, f counts the channels of a group.
  Value x = node->convert(node->tensor(0u), node.declaredElement());
  Value w = node->convert(node->tensor(1u), node.declaredElement());
  if (quantized) {
    x = node->elementwise(ElementwiseKind::sub, {x, node->convert(node->tensor(2u), node.declaredElement())});
    w = node->elementwise(ElementwiseKind::sub, {w, node->convert(node->tensor(3u), node.declaredElement())});
  }
  Value init = node->tensor(quantized ? 4u : 2u);
  if (!x || !w || !init)
    return;
  int64_t group = 1;
  if (size_t dim = filter.find(depthwise ? 'c' : 'g'); dim != StringRef::npos) {
    auto count = constantOf(node->dims(w)[dim]);
    if (!count)
      return node->refuse("expected a static number of groups, got a symbolic one");
    group = *count;
  }
  SmallVector<std::string> ofFilter = depthwise ? groupsOf({"cm", ""}, spatial) : groupsOf({"gf", "c"}, spatial);
  x = arranged(node, x, input, groupsOf({"n", "gc"}, spatial));
  w = arranged(node, w, filter, ofFilter);
  Value result = node->emit<ConvOp>({x, w}, {node->attr("strides", windowNumbers(node, "strides", spatial.size())),
                                             node->attr("dilations", windowNumbers(node, "dilations", spatial.size())),
                                             node->attr("pads", SmallVector<int64_t>(2 * spatial.size(), 0)),
                                             node->attr("group", group)});
  std::string order = (depthwise ? "ncm" : "ngf") + spatial;
  node->set(0, accumulate(node.node, arrangedBack(node, result, order, output, init), init));
}

static void importPool(MlirNode node) {
  SmallVector<StringRef> words; // pooling, layout, kind
  node->op().split(words, '_');
  StringRef letters = words[1], kind = words[2];
  std::string spatial = spatialOf(letters);
  Value x = node->convert(node->tensor(0u), node.declaredElement()), init = node->tensor(2u);
  RankedTensorType window = node->type(1);
  if (!x || !init || !window)
    return;
  if (!window.hasStaticShape())
    return node->refuse("expected a window of static shape, got a symbolic one");
  if (isUnsignedCast(node))
    return node->refuse("attribute 'cast': expected cast_signed, got cast_unsigned");
  PoolKind pool = kind == "sum" ? PoolKind::sum : PoolKind::max;
  bool least = kind == "min";
  x = arranged(node, x, letters, groupsOf({"n", "c"}, spatial));
  x = least ? node->elementwise(ElementwiseKind::neg, x) : x;
  Value result = node->emit<PoolOp>(x, {node->attr("kind", PoolKindAttr::get(node->context, pool)),
                                        node->attr("kernel", window.getShape()),
                                        node->attr("strides", windowNumbers(node, "strides", spatial.size())),
                                        node->attr("dilations", windowNumbers(node, "dilations", spatial.size())),
                                        node->attr("pads", SmallVector<int64_t>(2 * spatial.size(), 0))});
  result = least ? node->elementwise(ElementwiseKind::neg, result) : result;
  result = arrangedBack(node, result, "nc" + spatial, letters, init);
  if (pool == PoolKind::sum)
    return node->set(0, accumulate(node.node, result, init));
  if (!result || uniformValue(init) == (least ? 1 : -1) * std::numeric_limits<double>::infinity())
    return node->set(0, result);
  node->set(0, node->elementwise(least ? ElementwiseKind::min : ElementwiseKind::max, {init, result}));
}

ArrayRef<Handler> coat::onnx::mlirWindowHandlers() {
#define CONV(op) {"linalg." op, 1, newest, mlirOp<importConv>}
#define POOL(op)                                                                                                       \
  {                                                                                                                    \
    "linalg.pooling_" op, 1, newest, mlirOp<importPool>                                                                \
  }
  static const Handler rows[] = {
      CONV("conv_1d"),
      CONV("conv_1d_ncw_fcw"),
      CONV("conv_1d_nwc_wcf"),
      CONV("conv_2d"),
      CONV("conv_2d_nchw_fchw"),
      CONV("conv_2d_nchw_fchw_q"),
      CONV("conv_2d_ngchw_fgchw"),
      CONV("conv_2d_ngchw_gfchw"),
      CONV("conv_2d_ngchw_gfchw_q"),
      CONV("conv_2d_nhwc_fhwc"),
      CONV("conv_2d_nhwc_fhwc_q"),
      CONV("conv_2d_nhwc_hwcf"),
      CONV("conv_2d_nhwc_hwcf_q"),
      CONV("conv_2d_nhwgc_gfhwc"),
      CONV("conv_2d_nhwgc_gfhwc_q"),
      CONV("conv_3d"),
      CONV("conv_3d_ncdhw_fcdhw"),
      CONV("conv_3d_ndhwc_dhwcf"),
      CONV("conv_3d_ndhwc_dhwcf_q"),
      CONV("depthwise_conv_1d_ncw_cw"),
      CONV("depthwise_conv_1d_nwc_wc"),
      CONV("depthwise_conv_1d_nwc_wcm"),
      CONV("depthwise_conv_2d_nchw_chw"),
      CONV("depthwise_conv_2d_nhwc_hwc"),
      CONV("depthwise_conv_2d_nhwc_hwc_q"),
      CONV("depthwise_conv_2d_nhwc_hwcm"),
      CONV("depthwise_conv_2d_nhwc_hwcm_q"),
      CONV("depthwise_conv_3d_ncdhw_cdhw"),
      CONV("depthwise_conv_3d_ndhwc_dhwc"),
      CONV("depthwise_conv_3d_ndhwc_dhwcm"),
      POOL("nchw_max"),
      POOL("nchw_sum"),
      POOL("ncw_max"),
      POOL("ncw_sum"),
      POOL("ndhwc_max"),
      POOL("ndhwc_min"),
      POOL("ndhwc_sum"),
      POOL("nhwc_max"),
      POOL("nhwc_min"),
      POOL("nhwc_sum"),
      POOL("nwc_max"),
      POOL("nwc_min"),
      POOL("nwc_sum"),
  };
#undef CONV
#undef POOL
  return rows;
}
