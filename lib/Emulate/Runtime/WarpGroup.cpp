// wgmma. A product is computed as late as it may be: when a wait_group covers it. Until then its results are boxes,
// NaNs that name the product and the register, which generated code passes on as they are and opens (coat_emu_settle)
// where it computes with one; so a kernel that reads a result before its wait, or frees the operands' shared memory too
// early, is caught. Operands lie as PTX ISA 9.7.15.5 says (canonical layouts of matrix descriptors), results
// as 9.7.15.5.1.
#include "Machine.h"
#include "Numbers.h"

using namespace coat::emulator;

namespace coat::emulator {
struct Product {
  const char *site;
  int32_t n, k, type, mnMajorA, mnMajorB, isAccumulating, signA, signB, isFromRegisters;
  uint64_t descriptorA, descriptorB;
  uint32_t arrived = 0;
  bool done = false;
  std::vector<Thread *> waiting;
  std::vector<uint32_t> fragments, accumulators; // [thread][4], [thread][n / 2]
  std::vector<float> result;                     // [64][n]
};
} // namespace coat::emulator

namespace {
struct ProductOperands {
  const char *site;
  uint64_t descriptorA, descriptorB;
  uint32_t fragments[4]; // of A, where it comes from registers
  int32_t n, k, type, mnMajorA, mnMajorB, isAccumulating, signA, signB, isFromRegisters;
  uint32_t accumulators[128]; // n / 2 of them
};
struct SiteOperands {
  const char *site;
};
struct WaitOperands {
  const char *site;
  int32_t left;
};
} // namespace

// ---- boxes: sign, exponent of NaN, signalling, 14 bits of the product's number, 1, 7 bits of the register

static constexpr uint64_t numbers = 1 << 14, kept = 256;

static uint32_t box(uint64_t number, uint32_t reg) {
  return 0xFF800000u | uint32_t(number % numbers) << 8 | 0x80 | reg;
}

static bool isBox(uint32_t bits) { return (bits & 0xFFC00080u) == 0xFF800080u; }

static uint64_t numberIn(uint32_t bits, const Thread &thread) {
  uint64_t last = thread.products - 1;
  return last - (last - (bits >> 8 & (numbers - 1))) % numbers;
}

static WarpGroup &groupOf(const Thread &thread) { return machine.warpGroups[thread.id / 128]; }

static Product &productAt(const char *site, WarpGroup &group, uint64_t number) {
  if (number < group.first)
    fault(site, "expected a result of one of the last %lu wgmma, got an older one: the emulator keeps no more",
          (unsigned long)kept);
  return *group.products[number - group.first];
}

static float resultOf(const Product &product, uint32_t thread, uint32_t reg) {
  uint32_t row = 16 * (thread / 32) + thread % 32 / 4 + 8 * (reg / 2 % 2),
           column = 8 * (reg / 4) + 2 * (thread % 4) + reg % 2;
  return product.result[row * product.n + column];
}

// ---- operands in shared memory

namespace {
struct Descriptor {
  uint32_t begin, leading, stride, span; // bytes; span: of the swizzle, 0 for none
  Descriptor(const char *site, uint64_t bits)
      : begin((sharedBegin() & ~0x3FFFFu) | uint32_t(bits & 0x3FFF) << 4), leading(uint32_t(bits >> 16 & 0x3FFF) << 4),
        stride(uint32_t(bits >> 32 & 0x3FFF) << 4), span((const uint32_t[]){0, 128, 64, 32}[bits >> 62]) {
    if (bits >> 49 & 7)
      fault(site, "expected a matrix descriptor with base offset 0: the emulator knows no other");
  }
  /// Where the 16 bytes lie that hold (mn, k) and what follows it along the major dimension.
  uint32_t chunk(uint32_t mn, uint32_t k, uint32_t elementBytes, bool mnMajor) const {
    uint32_t perChunk = 16 / elementBytes, offset;
    if (mnMajor) {
      uint32_t column = mn / perChunk, columns = span ? span / 16 : 1;
      offset = span ? column % columns * 16 + column / columns * leading + k % 8 * span + k / 8 * stride
                    : column * stride + k % 8 * 16 + k / 8 * leading;
    } else {
      offset = span ? mn % 8 * span + mn / 8 * stride + k / perChunk * 16
                    : mn % 8 * 16 + mn / 8 * stride + k / perChunk * leading;
    }
    uint32_t address = begin + offset;
    return span ? address ^ (address >> 7 & (span / 16 - 1)) << 4 : address;
  }
};
} // namespace

/// Visits the chunks of 16 bytes of an operand of mns x ks elements: (address, mn, k).
template <typename Visit>
static void visitOperand(const Product &product, uint64_t descriptor, uint32_t mns, bool mnMajor, Visit visit) {
  uint32_t bytes = product.type == tf32 ? 4 : 2, perChunk = 16 / bytes;
  Descriptor layout(product.site, descriptor);
  for (uint32_t mn = 0; mn < mns; mn += mnMajor ? perChunk : 1)
    for (uint32_t k = 0; k < uint32_t(product.k); k += mnMajor ? 1 : perChunk) {
      uint32_t address = layout.chunk(mn, k, bytes, mnMajor);
      checkShared(product.site, address, 16, 16);
      visit(address, mn, k);
    }
}

/// values: [mn][k]
static void readOperand(const Product &product, uint64_t descriptor, uint32_t mns, bool mnMajor, float *values) {
  visitOperand(product, descriptor, mns, mnMajor, [&](uint32_t address, uint32_t mn, uint32_t k) {
    const uint8_t *from = sharedAt(address);
    if (product.type == tf32) {
      for (uint32_t i = 0; i < 4; ++i)
        values[mn * product.k + k + i] = truncateTf32(load<uint32_t>(from + 4 * i));
      return;
    }
    for (uint32_t i = 0; i < 8; ++i)
      values[mnMajor ? (mn + i) * product.k + k : mn * product.k + k + i] =
          widen(load<uint16_t>(from + 2 * i), product.type);
  });
}

static void readFragments(const Product &product, float *values) {
  int width = product.type == tf32 ? 1 : 2;
  for (uint32_t thread = 0; thread < 128; ++thread)
    for (uint32_t i = 0; i < 4; ++i) {
      uint32_t bits = product.fragments[thread * 4 + i];
      uint32_t row = 16 * (thread / 32) + thread % 32 / 4 + 8 * (i & 1),
               column = thread % 4 * width + 4 * width * (i >> 1);
      for (int half = 0; half < width; ++half)
        values[row * product.k + column + half] =
            product.type == tf32 ? truncateTf32(bits) : widen(uint16_t(bits >> 16 * half), product.type);
    }
}

// ---- products

static float accumulatorOf(const Product &product, WarpGroup &group, uint32_t thread, uint32_t reg) {
  uint32_t bits = product.accumulators[thread * (product.n / 2) + reg];
  if (!isBox(bits))
    return floatOf(bits);
  Thread &owner = *machine.threads[(&group - machine.warpGroups.data()) * 128 + thread];
  return resultOf(productAt(product.site, group, numberIn(bits, owner)), thread, bits & 0x7F);
}

static void compute(Product &product, WarpGroup &group) {
  uint32_t n = product.n, k = product.k;
  std::vector<float> a(64 * k), b(n * k), transposed(k * n);
  if (product.isFromRegisters)
    readFragments(product, a.data());
  else
    readOperand(product, product.descriptorA, 64, product.mnMajorA, a.data());
  readOperand(product, product.descriptorB, n, product.mnMajorB, b.data());
  for (uint32_t column = 0; column < n; ++column)
    for (uint32_t i = 0; i < k; ++i)
      transposed[i * n + column] = b[column * k + i] * float(product.signA * product.signB);
  product.result.assign(64 * n, 0);
  if (product.isAccumulating)
    for (uint32_t thread = 0; thread < 128; ++thread)
      for (uint32_t reg = 0; reg < n / 2; ++reg) {
        uint32_t row = 16 * (thread / 32) + thread % 32 / 4 + 8 * (reg / 2 % 2);
        uint32_t column = 8 * (reg / 4) + 2 * (thread % 4) + reg % 2;
        product.result[row * n + column] = accumulatorOf(product, group, thread, reg);
      }
  for (uint32_t row = 0; row < 64; ++row)
    for (uint32_t i = 0; i < k; ++i) {
      float factor = a[row * k + i], *sums = &product.result[row * n];
      const float *factors = &transposed[i * n];
      for (uint32_t column = 0; column < n; ++column)
        sums[column] += factor * factors[column];
    }
  product.done = true;
  product.accumulators = {};
  product.fragments = {};
}

/// What can be said when all 128 threads have issued a product: its operands must be visible to the async proxy.
static void checkOperands(const Product &product) {
  auto check = [&](uint32_t address, uint32_t, uint32_t) { checkFenced(product.site, address, 16); };
  if (!product.isFromRegisters)
    visitOperand(product, product.descriptorA, 64, product.mnMajorA, check);
  visitOperand(product, product.descriptorB, product.n, product.mnMajorB, check);
}

static Product &startProduct(WarpGroup &group, const ProductOperands &in) {
  if (in.n % 8 || in.n < 8 || in.n > 256 || in.k != (in.type == tf32 ? 8 : 16) ||
      (in.type == tf32 && (in.mnMajorA || in.mnMajorB)))
    fault(in.site, "expected a shape and layout that wgmma has, got n = %d, k = %d", in.n, in.k);
  auto product = std::make_shared<Product>();
  product->site = in.site;
  product->n = in.n, product->k = in.k, product->type = in.type;
  product->mnMajorA = in.mnMajorA, product->mnMajorB = in.mnMajorB;
  product->isAccumulating = in.isAccumulating, product->signA = in.signA, product->signB = in.signB;
  product->isFromRegisters = in.isFromRegisters;
  product->descriptorA = in.descriptorA, product->descriptorB = in.descriptorB;
  product->fragments.resize(128 * 4);
  product->accumulators.resize(128 * (in.n / 2));
  group.products.push_back(std::move(product));
  while (group.products.size() > kept && group.products.front()->done)
    group.products.pop_front(), ++group.first;
  return *group.products.back();
}

COAT_EMULATED void coat_emu_wgmma(const ProductOperands *operands, uint32_t *results) {
  const ProductOperands &in = *operands;
  Thread &self = *machine.current;
  WarpGroup &group = groupOf(self);
  const uint32_t *accumulators = in.accumulators;
  uint64_t number = self.products++;
  bool isFirst = number == group.first + group.products.size();
  Product &product = isFirst ? startProduct(group, in) : productAt(in.site, group, number);
  if (product.site != in.site || product.descriptorB != in.descriptorB ||
      (!in.isFromRegisters && product.descriptorA != in.descriptorA))
    fault(in.site,
          "expected all threads of a warpgroup to issue one wgmma with one pair of descriptors, got another at %s",
          product.site);
  if (!self.registersFenced && (in.isFromRegisters || !isBox(accumulators[0])))
    fault(in.site, "expected wgmma.fence between the registers' last use and wgmma");
  uint32_t thread = self.id % 128;
  memcpy(&product.fragments[thread * 4], in.fragments, sizeof in.fragments);
  memcpy(&product.accumulators[thread * (in.n / 2)], accumulators, in.n / 2 * 4);
  for (int32_t reg = 0; reg < in.n / 2; ++reg)
    results[reg] = box(number, reg);
  ++machine.progress;
  if (++product.arrived < 128)
    return;
  checkOperands(product);
  for (Thread *waiting : product.waiting)
    wake(waiting);
  product.waiting.clear();
}

COAT_EMULATED void coat_emu_wgmma_fence(const SiteOperands *, void *) { machine.current->registersFenced = true; }

COAT_EMULATED void coat_emu_wgmma_commit(const SiteOperands *, void *) {
  machine.current->productGroups.push_back(machine.current->products);
}

COAT_EMULATED void coat_emu_wgmma_wait(const WaitOperands *operands, void *) {
  Thread &self = *machine.current;
  WarpGroup &group = groupOf(self);
  self.registersFenced = false;
  for (; self.productGroups.size() > size_t(operands->left); self.productGroups.pop_front())
    for (uint64_t end = self.productGroups.front(); self.waited < end; ++self.waited) {
      if (self.waited < group.first)
        continue;
      while (productAt(operands->site, group, self.waited).arrived < 128) {
        productAt(operands->site, group, self.waited).waiting.push_back(&self);
        sleepAt(operands->site);
      }
      if (Product &product = productAt(operands->site, group, self.waited); !product.done)
        compute(product, group);
    }
}

/// What a register holds that may be a result of wgmma.
COAT_EMULATED float coat_emu_settle(const char *site, float value) {
  uint32_t bits = bitsOf(value);
  if (!isBox(bits))
    return value;
  Thread &self = *machine.current;
  uint64_t number = numberIn(bits, self);
  if (number >= self.waited)
    fault(site, "expected wgmma.wait_group before a result of wgmma is used");
  return resultOf(productAt(site, groupOf(self), number), self.id % 128, bits & 0x7F);
}
