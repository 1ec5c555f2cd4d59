// Mutates JSON value by value, so that most mutants get past the parser: a value becomes another of the same text,
// goes, comes twice, or is changed where it stands. Other bytes, a quarter of all, get libFuzzer's own mutations.
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace json = llvm::json;
extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

namespace {
using Random = std::minstd_rand;

void collect(json::Value &value, std::vector<json::Value *> &all) {
  all.push_back(&value);
  if (json::Object *object = value.getAsObject())
    for (auto &[name, member] : *object)
      collect(member, all);
  else if (json::Array *array = value.getAsArray())
    for (json::Value &element : *array)
      collect(element, all);
}

int64_t interesting(Random &random) {
  static const int64_t values[] = {0,
                                   1,
                                   2,
                                   3,
                                   4,
                                   7,
                                   8,
                                   12,
                                   13,
                                   28,
                                   -1,
                                   -2,
                                   64,
                                   255,
                                   1 << 20,
                                   INT32_MAX,
                                   int64_t(1) << 32,
                                   int64_t(1) << 40,
                                   int64_t(1) << 62,
                                   INT64_MAX,
                                   INT64_MIN};
  return values[random() % std::size(values)];
}

std::string mutateText(std::string text) {
  size_t size = text.size();
  text.resize(size + 16);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(text.data()), size, text.size()));
  return json::fixUTF8(text);
}

void mutateArray(json::Array &array, Random &random) {
  size_t index = array.empty() ? 0 : random() % array.size();
  if (array.empty())
    array.push_back(interesting(random));
  else if (random() % 3 == 0)
    array.erase(array.begin() + index);
  else if (random() % 2)
    array.insert(array.begin() + index, json::Value(array[index]));
  else
    std::swap(array[index], array[random() % array.size()]);
}

void mutateObject(json::Object &object, Random &random) {
  if (object.empty())
    return;
  auto member = std::next(object.begin(), random() % object.size());
  std::string name = member->first.str();
  json::Value value = member->second;
  object.erase(member);
  if (random() % 2)
    object[mutateText(name)] = std::move(value);
}

void mutateValue(json::Value &value, const std::vector<json::Value *> &all, Random &random) {
  if (random() % 3 == 0)
    value = json::Value(*all[random() % all.size()]);
  else if (auto number = value.getAsInteger())
    value = random() % 2 ? interesting(random) : int64_t(uint64_t(*number) + random() % 3 - 1);
  else if (auto text = value.getAsString())
    value = mutateText(text->str());
  else if (auto flag = value.getAsBoolean())
    value = !*flag;
  else if (json::Array *array = value.getAsArray())
    mutateArray(*array, random);
  else if (json::Object *object = value.getAsObject())
    mutateObject(*object, random);
  else
    value = interesting(random);
}
} // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  Random random(seed + 1);
  auto parsed = json::parse(llvm::StringRef(reinterpret_cast<char *>(data), size));
  if (!parsed || random() % 4 == 0) {
    if (!parsed)
      llvm::consumeError(parsed.takeError());
    return LLVMFuzzerMutate(data, size, maxSize);
  }
  for (unsigned times = 1 + random() % 3; times; --times) {
    std::vector<json::Value *> all;
    collect(*parsed, all);
    mutateValue(*all[random() % all.size()], all, random);
  }
  std::string text = llvm::formatv("{0}", *parsed);
  if (text.size() > maxSize)
    return LLVMFuzzerMutate(data, size, maxSize);
  memcpy(data, text.data(), text.size());
  return text.size();
}
