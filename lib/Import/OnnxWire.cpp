// Walks the wire format of a model and leaves the weights out.
//
// Why: protobuf copies every raw_data it parses, gigabytes of them, and refuses
// messages above 2 GiB. Without them a model is a few kilobytes, and the weights
// stay views of the mapped file. Every raw_data is replaced, whatever its size,
// so that an index is never mistaken for data. The input is hostile until
// proven otherwise: all lengths are compared with what is left, nesting is bounded.
#include "OnnxWire.h"
#include "llvm/Support/Endian.h"

using namespace coat::onnx;

namespace {

/// The messages on the way to a TensorProto; the rest is copied unseen.
enum class Message { Model, Graph, Node, Attribute, Tensor, Sparse, Function, Opaque };

/// The message in field `field` of `parent` (field numbers of onnx-ml.proto).
Message childOf(Message parent, uint64_t field) {
  switch (parent) {
  case Message::Model:
    return field == 7 ? Message::Graph : field == 25 ? Message::Function : Message::Opaque;
  case Message::Graph:
    return field == 1 ? Message::Node : field == 5 ? Message::Tensor : field == 15 ? Message::Sparse : Message::Opaque;
  case Message::Function:
    return field == 7 ? Message::Node : field == 11 ? Message::Attribute : Message::Opaque;
  case Message::Node:
    return field == 5 ? Message::Attribute : Message::Opaque;
  case Message::Attribute:
    return field == 5 || field == 10    ? Message::Tensor
           : field == 6 || field == 11  ? Message::Graph
           : field == 22 || field == 23 ? Message::Sparse
                                        : Message::Opaque;
  case Message::Sparse:
    return field == 1 || field == 2 ? Message::Tensor : Message::Opaque;
  case Message::Tensor:
  case Message::Opaque:
    return Message::Opaque;
  }
  return Message::Opaque;
}

constexpr uint64_t rawDataField = 9;
constexpr unsigned maxDepth = 90; // protobuf itself stops at 100

class Walker {
public:
  Walker(llvm::ArrayRef<char> wire, std::vector<llvm::ArrayRef<char>> &blobs, std::string &error)
      : begin(wire.data()), blobs(blobs), error(error) {}

  bool walk(llvm::ArrayRef<char> bytes, Message message, unsigned depth, std::string &out);

private:
  bool fail(const char *at, const char *what) {
    error = "expected an ONNX model, got " + std::string(what) + " at byte " + std::to_string(at - begin);
    return false;
  }
  static bool readVarint(const char *&at, const char *end, uint64_t &value);
  static void writeVarint(std::string &out, uint64_t value);
  bool field(const char *&at, const char *end, Message message, unsigned depth, std::string &out);
  bool lengthDelimited(const char *start, const char *&at, const char *end, uint64_t tag, Message message,
                       unsigned depth, std::string &out);

  const char *begin;
  std::vector<llvm::ArrayRef<char>> &blobs;
  std::string &error;
};

bool Walker::readVarint(const char *&at, const char *end, uint64_t &value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
    uint8_t byte = *at++;
    if (shift == 63 && byte > 1)
      return false;
    value |= uint64_t(byte & 0x7f) << shift;
    if (byte < 0x80)
      return true;
  }
  return false;
}

void Walker::writeVarint(std::string &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(char(value | 0x80));
  out.push_back(char(value));
}

bool Walker::lengthDelimited(const char *start, const char *&at, const char *end, uint64_t tag, Message message,
                             unsigned depth, std::string &out) {
  uint64_t length;
  if (!readVarint(at, end, length))
    return fail(start, "a broken length");
  if (length > uint64_t(end - at))
    return fail(start, "a field that is longer than what is left of the file (truncated?)");
  llvm::ArrayRef<char> payload(at, length);
  at += length;
  if (message == Message::Tensor && tag >> 3 == rawDataField) {
    char index[8];
    llvm::support::endian::write64le(index, blobs.size());
    blobs.push_back(payload);
    writeVarint(out, tag);
    writeVarint(out, sizeof(index));
    out.append(index, sizeof(index));
    return true;
  }
  Message child = childOf(message, tag >> 3);
  if (child == Message::Opaque) {
    out.append(start, at);
    return true;
  }
  std::string inner;
  if (!walk(payload, child, depth + 1, inner))
    return false;
  writeVarint(out, tag);
  writeVarint(out, inner.size());
  out += inner;
  return true;
}

bool Walker::field(const char *&at, const char *end, Message message, unsigned depth, std::string &out) {
  const char *start = at;
  uint64_t tag, value;
  if (!readVarint(at, end, tag) || tag >> 3 == 0 || tag >> 32)
    return fail(start, "a broken field tag");
  switch (tag & 7) {
  case 0:
    if (!readVarint(at, end, value))
      return fail(start, "a broken integer");
    break;
  case 1:
  case 5: {
    ptrdiff_t size = (tag & 7) == 1 ? 8 : 4;
    if (end - at < size)
      return fail(start, "a truncated number");
    at += size;
    break;
  }
  case 2:
    return lengthDelimited(start, at, end, tag, message, depth, out);
  default:
    return fail(start, "a field of an unknown wire type");
  }
  out.append(start, at);
  return true;
}

bool Walker::walk(llvm::ArrayRef<char> bytes, Message message, unsigned depth, std::string &out) {
  if (depth > maxDepth)
    return fail(bytes.data(), "graphs nested too deeply");
  const char *at = bytes.begin(), *end = bytes.end();
  while (at < end)
    if (!field(at, end, message, depth, out))
      return false;
  return true;
}

} // namespace

bool coat::onnx::stripRawData(llvm::ArrayRef<char> wire, std::string &stripped,
                              std::vector<llvm::ArrayRef<char>> &blobs, std::string &error) {
  return Walker(wire, blobs, error).walk(wire, Message::Model, 0, stripped);
}
