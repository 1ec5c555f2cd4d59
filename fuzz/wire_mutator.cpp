// Mutates a protobuf message field by field, so that lengths stay right and most mutants get past the parser;
// libFuzzer's own mutations, which break them, are half of all. What a field means does not matter here: a payload that
// reads as fields is taken for a message.
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

namespace {
struct Field {
  uint64_t tag = 0;
  uint64_t number = 0; // of a varint
  std::string payload; // of the other kinds
  bool isBytes() const { return (tag & 7) == 2; }
};

using Random = std::minstd_rand;

bool readVarint(const std::string &text, size_t &at, uint64_t &value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && at < text.size(); shift += 7) {
    uint8_t byte = uint8_t(text[at++]);
    value |= uint64_t(byte & 0x7f) << shift;
    if (byte < 0x80)
      return true;
  }
  return false;
}

void writeVarint(std::string &text, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    text += char(value | 0x80);
  text += char(value);
}

bool parse(const std::string &text, std::vector<Field> &fields) {
  for (size_t at = 0; at < text.size();) {
    Field &field = fields.emplace_back();
    if (!readVarint(text, at, field.tag) || field.tag >> 3 == 0 || field.tag >> 32)
      return false;
    uint64_t length = 0;
    switch (field.tag & 7) {
    case 0:
      if (!readVarint(text, at, field.number))
        return false;
      continue;
    case 1:
    case 5:
      length = (field.tag & 7) == 1 ? 8 : 4;
      break;
    case 2:
      if (!readVarint(text, at, length))
        return false;
      break;
    default:
      return false;
    }
    if (length > text.size() - at)
      return false;
    field.payload = text.substr(at, length);
    at += length;
  }
  return !fields.empty();
}

std::string print(const std::vector<Field> &fields) {
  std::string text;
  for (const Field &field : fields) {
    writeVarint(text, field.tag);
    if ((field.tag & 7) == 0)
      writeVarint(text, field.number);
    if (field.isBytes())
      writeVarint(text, field.payload.size());
    text += field.payload;
  }
  return text;
}

uint64_t interesting(Random &random) {
  static const uint64_t values[] = {0,
                                    1,
                                    2,
                                    3,
                                    7,
                                    16,
                                    127,
                                    255,
                                    4096,
                                    uint64_t(-1),
                                    uint64_t(-2),
                                    uint64_t(INT64_MIN),
                                    INT64_MAX,
                                    uint64_t(1) << 31,
                                    uint64_t(1) << 32,
                                    uint64_t(1) << 40,
                                    uint64_t(1) << 62};
  return values[random() % std::size(values)];
}

void mutateBytes(std::string &bytes, size_t room) {
  size_t size = bytes.size();
  bytes.resize(size + room);
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(bytes.data()), size, bytes.size()));
}

void mutateField(Field &field, Random &random) {
  if ((field.tag & 7) == 0)
    field.number = random() % 2 ? interesting(random) : field.number + random() % 3 - 1;
  else if (field.isBytes())
    mutateBytes(field.payload, 32);
  else
    field.payload[random() % field.payload.size()] ^= char(1 << random() % 8);
}

/// Changes one field of a message, or of a message in it.
std::string mutateMessage(const std::string &text, Random &random, unsigned depth) {
  std::vector<Field> fields;
  if (!parse(text, fields)) {
    std::string bytes = text;
    mutateBytes(bytes, 32);
    return bytes;
  }
  size_t index = random() % fields.size();
  Field &field = fields[index];
  std::vector<Field> inside;
  if (field.isBytes() && depth < 12 && parse(field.payload, inside) && random() % 8)
    field.payload = mutateMessage(field.payload, random, depth + 1);
  else
    switch (random() % 6) {
    case 0:
      fields.erase(fields.begin() + index);
      break;
    case 1:
      fields.insert(fields.begin() + random() % fields.size(), Field(field));
      break;
    case 2:
      std::swap(field, fields[random() % fields.size()]);
      break;
    case 3: { // the same kind of field, another value of this message
      const Field &other = fields[random() % fields.size()];
      if ((other.tag & 7) == (field.tag & 7))
        field.payload = other.payload, field.number = other.number;
      break;
    }
    default:
      mutateField(field, random);
    }
  return print(fields);
}
} // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  Random random(seed + 1);
  if (random() % 4 == 0)
    return LLVMFuzzerMutate(data, size, maxSize);
  std::string text(reinterpret_cast<char *>(data), size);
  for (unsigned times = 1 + random() % 3; times; --times)
    text = mutateMessage(text, random, 0);
  if (text.size() > maxSize)
    return LLVMFuzzerMutate(data, size, maxSize);
  memcpy(data, text.data(), text.size());
  return text.size();
}
