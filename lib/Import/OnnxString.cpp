// StringNormalizer. A tensor of strings [..] is a tensor of bytes [.., string_bytes] (docs/rationale/strings.md): words
// are compared and changed by element-wise ops, and taken out by Compress.
#include "OnnxBytes.h"
#include "coat/Dialect/IndexOps.h"

using namespace mlir;
using namespace coat;
using namespace coat::onnx;
using Kind = ElementwiseKind;

namespace {
/// Strings [count, width], and what can be done with them.
class Words {
public:
  Words(NodeImporter &node, Value bytes, int64_t width) : bytes(bytes), node(node), width(width) {}

  /// Letters from `first` to `last` moved by `distance`.
  Value moved(char first, char last, int64_t distance);
  Value lower() { return moved('A', 'Z', 'a' - 'A'); }
  Value upper() { return moved('a', 'z', 'A' - 'a'); }
  /// Runs with other characters end with an error: how to change their case is a matter of tables and languages.
  void requireAscii();
  /// [count]: whether each one is none of `words`.
  Value differFrom(ArrayRef<std::string> words);
  /// Those for which `keep` is true, or one empty string if there are none. Their number.
  AffineExpr filter(Value keep);

  Value bytes;

private:
  Value byte(int64_t value) {
    return node.scalar(double(value), IntegerType::get(node.context, 8, IntegerType::Unsigned));
  }

  NodeImporter &node;
  int64_t width;
};
} // namespace

Value Words::moved(char first, char last, int64_t distance) {
  Value from = node.elementwise(Kind::greater_equal, {bytes, byte(first)});
  Value to = node.elementwise(Kind::less_equal, {bytes, byte(last)});
  Value letter = node.elementwise(Kind::logical_and, {from, to});
  Kind kind = distance < 0 ? Kind::sub : Kind::add;
  return node.elementwise(Kind::select, {letter, node.elementwise(kind, {bytes, byte(std::abs(distance))}), bytes});
}

void Words::requireAscii() {
  Value largest = node.reduce(ReduceKind::max, node.convert(bytes, IntegerType::get(node.context, 32)), {0, 1}, false);
  Value limit = node.scalar(128, IntegerType::get(node.context, 32));
  node.require(node.elementwise(Kind::less, {largest, limit}), "expected ASCII characters where their case matters");
}

Value Words::differFrom(ArrayRef<std::string> words) {
  SmallVector<uint8_t> table;
  int64_t rows = 0;
  for (StringRef word : words) {
    if (int64_t(word.size()) > width) // no input can be it
      continue;
    ++rows;
    table.append(word.bytes_begin(), word.bytes_end());
    table.resize(rows * width, 0);
  }
  Type u8 = IntegerType::get(node.context, 8, IntegerType::Unsigned), i32 = IntegerType::get(node.context, 32);
  AffineExpr count = node.dims(bytes)[0];
  if (rows == 0)
    return node.broadcast(node.scalar(1, IntegerType::get(node.context, 1)), count);
  Value wanted = node.constant(DenseElementsAttr::get(RankedTensorType::get({rows, width}, u8), ArrayRef(table)));
  Value each = node.reshape(bytes, {count, node.number(1), node.number(width)});
  Value differs = node.convert(node.elementwise(Kind::logical_not, node.elementwise(Kind::equal, {each, wanted})), i32);
  // A word differs where some byte does; the string is kept where every word differs.
  Value kept = node.reduce(ReduceKind::min, node.reduce(ReduceKind::max, differs, 2, false), 1, false);
  return node.elementwise(Kind::greater, {kept, node.scalar(0, i32)});
}

AffineExpr Words::filter(Value keep) {
  if (node.failed())
    return {};
  Type i32 = IntegerType::get(node.context, 32);
  Value any = node.reduce(ReduceKind::max, node.convert(keep, i32), 0);
  Value none = node.elementwise(Kind::equal, {any, node.scalar(0, i32)});
  Value empty = node.broadcast(byte(0), {node.number(1), node.number(width)});
  Value all = node.concat({bytes, empty}, 0);
  Operation *op = node.create<CompressOp>({all, node.concat({keep, none}, 0)}, node.attr("axis", int64_t(0)));
  if (!op)
    return {};
  AffineExpr count = node.count(op->getResult(1), node.dims(all)[0]);
  bytes = node.prefix(op->getResult(0), {count, node.number(width)});
  return count;
}

static void importStringNormalizer(NodeImporter &node) {
  std::string change = node.string("case_change_action", "NONE"), locale = node.string("locale", "en_US");
  bool sensitive = node.integer("is_case_sensitive", 0) != 0;
  SmallVector<std::string> words = node.strings("stopwords");
  auto [input, type] = bytesOf(node, 0);
  if (change != "NONE" && change != "LOWER" && change != "UPPER")
    node.fail("attribute 'case_change_action': expected NONE, LOWER or UPPER, got '" + change + "'");
  if (locale != "en_US" && locale != "C")
    node.refuse("attribute 'locale': expected en_US or C, got '" + locale + "'");
  if (type != String)
    node.refuse("expected strings that are an input of the model or computed from one, got others");
  if (node.failed())
    return;
  SmallVector<AffineExpr> shape = node.dims(input);
  bool row = shape.size() == 3;
  if (shape.size() < 2 || shape.size() > 3 || (row && constantOf(shape[0]) != 1))
    return node.fail("expected strings [C] or [1, C], got " + node.print(ArrayRef(shape).drop_back()));
  AffineExpr count = shape[row], width = shape.back();
  if (!constantOf(width))
    return node.refuse("expected one size of strings, got " + node.print(width) + "; try --dim string_bytes=64");
  Words strings(node, node.reshape(input, {count, width}), *constantOf(width));
  if (change != "NONE" || (!sensitive && !words.empty()))
    strings.requireAscii();
  if (!words.empty()) {
    Words compared(node, sensitive ? strings.bytes : strings.lower(), *constantOf(width));
    if (!sensitive)
      for (std::string &word : words)
        word = StringRef(word).lower();
    count = strings.filter(compared.differFrom(words));
  }
  if (node.failed())
    return;
  Value result = change == "LOWER" ? strings.lower() : change == "UPPER" ? strings.upper() : strings.bytes;
  setBytes(node, 0, row ? node.reshape(result, {node.number(1), count, width}) : result, String);
}

ArrayRef<Handler> coat::onnx::stringHandlers() {
  static const Handler rows[] = {
      {"StringNormalizer", 10, newest, importStringNormalizer},
  };
  return rows;
}
