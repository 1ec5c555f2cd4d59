// The weight blob as an ELF object, written by hand: through LLVM (as a constant array, or with the assembler's
// .incbin) the blob would be copied twice or three times, at several times the memory and time. An object with one
// symbol and no relocation needs six sections and no library.
#include "coat/Emit/WeightsObject.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Object/ELFTypes.h"

using namespace llvm;
using namespace coat;

namespace {
/// Bytes of one element in memory; 0 for types that have no such thing.
int64_t elementBytes(mlir::Type type) {
  if (type.isIndex())
    return 8;
  if (!type.isIntOrFloat())
    return 0;
  unsigned bits = type.getIntOrFloatBitWidth();
  return bits == 1 ? 1 : bits % 8 ? 0 : bits / 8;
}

void writeRepeated(ArrayRef<char> bytes, int64_t count, raw_ostream &os) {
  // Large splats are common (zero biases), so blocks and not elements are written.
  constexpr int64_t blockElements = 4096;
  SmallVector<char> block;
  for (int64_t i = 0; i < std::min(count, blockElements); i++)
    block.append(bytes.begin(), bytes.end());
  for (; count > 0; count -= blockElements)
    os.write(block.data(), std::min(count, blockElements) * bytes.size());
}

/// The bytes of one constant, row-major; booleans are a byte each.
Error writeValue(mlir::ElementsAttr value, raw_ostream &os) {
  int64_t count = value.getShapedType().getNumElements();
  int64_t bytes = elementBytes(value.getElementType());
  if (!bytes) {
    std::string type;
    raw_string_ostream(type) << value.getElementType();
    return createStringError("expected weights of whole bytes, got %s", type.c_str());
  }
  if (auto resource = dyn_cast<mlir::DenseResourceElementsAttr>(value)) {
    mlir::AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || int64_t(blob->getData().size()) != count * bytes)
      return createStringError("expected %lld bytes in weight '%s', got %lld", (long long)(count * bytes),
                               resource.getRawHandle().getKey().str().c_str(),
                               (long long)(blob ? blob->getData().size() : 0));
    os.write(blob->getData().data(), blob->getData().size());
    return Error::success();
  }
  auto dense = dyn_cast<mlir::DenseElementsAttr>(value);
  if (!dense)
    return createStringError("expected dense weights");
  if (value.getElementType().isInteger(1)) {
    for (bool bit : dense.getValues<bool>())
      os << char(bit);
    return Error::success();
  }
  if (dense.isSplat())
    writeRepeated(dense.getRawData(), count, os);
  else
    os.write(dense.getRawData().data(), dense.getRawData().size());
  return Error::success();
}
} // namespace

Error coat::writeWeights(const ModelDescription &model, raw_ostream &os) {
  std::vector<WeightDescription> weights = model.weights;
  llvm::stable_sort(weights, [](auto &a, auto &b) { return a.offset < b.offset; });
  int64_t end = 0, last = -1;
  for (const WeightDescription &weight : weights) {
    if (weight.offset == last)
      continue; // several launches use one weight
    if (weight.offset < end)
      return createStringError("expected weights that do not overlap, got offset %lld before %lld",
                               (long long)weight.offset, (long long)end);
    os.write_zeros(weight.offset - end);
    if (Error error = writeValue(weight.value, os))
      return error;
    last = weight.offset;
    end = weight.offset + weight.value.getShapedType().getNumElements() * elementBytes(weight.value.getElementType());
  }
  if (end > model.weightsSize)
    return createStringError("expected %lld bytes of weights, got %lld", (long long)model.weightsSize, (long long)end);
  os.write_zeros(model.weightsSize - end);
  return Error::success();
}

Error coat::writeWeightsObject(const ModelDescription &model, StringRef symbol, const Triple &triple, raw_ostream &os) {
  using Elf = object::ELF64LE;
  // Code reaches the blob by 32-bit offsets.
  constexpr int64_t limit = 3 * (int64_t(1) << 29);
  if (model.weightsSize > limit)
    return createStringError("expected at most 1.5 GiB of embedded weights, got %lld bytes; try --weights=file",
                             (long long)model.weightsSize);
  enum { none, blob, symbols, strings, names, stack, count };
  std::string stringTable = std::string(1, '\0') + symbol.str() + '\0';
  const char nameTable[] = "\0.rodata\0.symtab\0.strtab\0.shstrtab\0.note.GNU-stack";
  Elf::Sym symbolTable[2] = {};
  symbolTable[1].st_name = 1;
  symbolTable[1].setBindingAndType(ELF::STB_GLOBAL, ELF::STT_OBJECT);
  symbolTable[1].st_other = ELF::STV_HIDDEN;
  symbolTable[1].st_shndx = blob;
  symbolTable[1].st_size = model.weightsSize;

  uint64_t blobAt = sizeof(Elf::Ehdr), symbolsAt = alignTo(blobAt + model.weightsSize, 8);
  uint64_t stringsAt = symbolsAt + sizeof symbolTable, namesAt = stringsAt + stringTable.size();
  uint64_t sectionsAt = alignTo(namesAt + sizeof nameTable, 8);
  static_assert(sizeof(Elf::Ehdr) == 64, "expected the blob to start aligned");

  Elf::Ehdr header = {};
  memcpy(header.e_ident,
         "\x7f"
         "ELF\2\1\1",
         7);
  header.e_type = ELF::ET_REL;
  header.e_machine = triple.isAArch64() ? ELF::EM_AARCH64 : ELF::EM_X86_64;
  header.e_version = ELF::EV_CURRENT;
  header.e_ehsize = sizeof header;
  header.e_shentsize = sizeof(Elf::Shdr);
  header.e_shnum = count;
  header.e_shstrndx = names;
  header.e_shoff = sectionsAt;

  Elf::Shdr sections[count] = {};
  auto set = [&](int i, unsigned name, unsigned type, uint64_t at, uint64_t size, unsigned align) {
    sections[i].sh_name = name;
    sections[i].sh_type = type;
    sections[i].sh_offset = at;
    sections[i].sh_size = size;
    sections[i].sh_addralign = align;
  };
  set(blob, 1, ELF::SHT_PROGBITS, blobAt, model.weightsSize, 64);
  sections[blob].sh_flags = ELF::SHF_ALLOC;
  set(symbols, 9, ELF::SHT_SYMTAB, symbolsAt, sizeof symbolTable, 8);
  sections[symbols].sh_link = strings;
  sections[symbols].sh_info = 1; // the first global symbol
  sections[symbols].sh_entsize = sizeof(Elf::Sym);
  set(strings, 17, ELF::SHT_STRTAB, stringsAt, stringTable.size(), 1);
  set(names, 25, ELF::SHT_STRTAB, namesAt, sizeof nameTable, 1);
  set(stack, 35, ELF::SHT_PROGBITS, sectionsAt, 0, 1);

  os.write(reinterpret_cast<const char *>(&header), sizeof header);
  if (Error error = writeWeights(model, os))
    return error;
  os.write_zeros(symbolsAt - blobAt - model.weightsSize);
  os.write(reinterpret_cast<const char *>(symbolTable), sizeof symbolTable);
  os << stringTable;
  os.write(nameTable, sizeof nameTable);
  os.write_zeros(sectionsAt - namesAt - sizeof nameTable);
  os.write(reinterpret_cast<const char *>(sections), sizeof sections);
  return Error::success();
}
