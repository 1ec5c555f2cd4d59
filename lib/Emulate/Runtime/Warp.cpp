// Instructions of a warp, by the fragment layouts of PTX ISA 9.7.14 (mma), 9.7.14.5.15 (ldmatrix, stmatrix) and 9.7.9.6
// (shfl). In all of them lane = 4 * row + column of an 8 x 4 arrangement of 32-bit registers.
#include "Machine.h"
#include "Numbers.h"

using namespace coat::emulator;

namespace {
struct ShuffleOperands {
  const char *site;
  uint32_t mask, value, offset, clamp;
  int32_t kind; // bfly, up, down, idx
};
struct ShuffleResults {
  uint32_t value, valid;
};
struct ReduceOperands {
  const char *site;
  uint32_t value, mask;
  int32_t kind, absolute, nan; // kind: NVVM::ReduxKind
};
struct VoteOperands {
  const char *site;
  uint32_t mask, predicate;
  int32_t kind; // any, all, ballot, uni
};
struct MaskOperands {
  const char *site;
  uint32_t mask;
};
struct LoadMatrixOperands {
  const char *site;
  uint64_t address;
  int32_t count, transposed;
};
struct StoreMatrixOperands {
  const char *site;
  uint64_t address;
  uint32_t registers[4];
  int32_t count, transposed;
};
struct MmaOperands {
  const char *site;
  int32_t k, type;
  uint32_t registers[10]; // of a, b, c, each as many as it has
};
} // namespace

template <typename T> static const T &of(const void *operands) { return *static_cast<const T *>(operands); }

static uint32_t shuffleSource(const ShuffleOperands &in, uint32_t lane, bool &valid) {
  uint32_t segment = in.clamp >> 8 & 31, clamp = in.clamp & 31, offset = in.offset & 31;
  uint32_t highest = (lane & segment) | (clamp & ~segment), lowest = lane & segment;
  int32_t source = 0;
  switch (in.kind) {
  case 0:
    source = lane ^ offset, valid = source <= int32_t(highest);
    break;
  case 1:
    source = int32_t(lane) - int32_t(offset), valid = source >= int32_t(highest);
    break;
  case 2:
    source = lane + offset, valid = source <= int32_t(highest);
    break;
  default:
    source = lowest | (offset & ~segment), valid = source <= int32_t(highest);
    break;
  }
  return valid ? uint32_t(source) : lane;
}

COAT_EMULATED void coat_emu_shfl(const ShuffleOperands *operands, ShuffleResults *results) {
  meet(operands->mask, operands->site, operands, results, [](Meeting &all) {
    for (uint32_t lane = 0; lane < 32; ++lane) {
      if (!(all.mask >> lane & 1))
        continue;
      bool valid;
      uint32_t source = shuffleSource(of<ShuffleOperands>(all.operands[lane]), lane, valid);
      // What a lane outside the mask holds is undefined: NaN, or -1.
      bool present = all.mask >> source & 1;
      auto *out = static_cast<ShuffleResults *>(all.results[lane]);
      *out = {present ? of<ShuffleOperands>(all.operands[source]).value : UINT32_MAX, valid};
    }
  });
}

static uint32_t combine(const ReduceOperands &how, uint32_t a, uint32_t b) {
  auto signedOf = [](uint32_t x) { return int32_t(x); };
  switch (how.kind) { // in the order of NVVM::ReduxKind
  case 1:
    return a + b;
  case 2:
    return a & b;
  case 3:
    return signedOf(a) > signedOf(b) ? a : b;
  case 4:
    return signedOf(a) < signedOf(b) ? a : b;
  case 5:
    return a | b;
  case 6:
    return a > b ? a : b;
  case 7:
    return a < b ? a : b;
  case 8:
    return a ^ b;
  default:
    break;
  }
  float x = floatOf(a), y = floatOf(b);
  if (how.absolute)
    x = x < 0 ? -x : x, y = y < 0 ? -y : y;
  if (x != x || y != y)
    return how.nan ? 0x7FFFFFFF : bitsOf(x != x ? y : x);
  return bitsOf((how.kind == 9) == (x < y) ? x : y); // fmin, fmax
}

COAT_EMULATED void coat_emu_redux(const ReduceOperands *operands, uint32_t *results) {
  meet(operands->mask, operands->site, operands, results, [](Meeting &all) {
    bool first = true;
    uint32_t sum = 0;
    for (uint32_t lane = 0; lane < 32; ++lane)
      if (all.mask >> lane & 1) {
        const auto &in = of<ReduceOperands>(all.operands[lane]);
        sum = first ? in.value : combine(in, sum, in.value);
        first = false;
      }
    for (uint32_t lane = 0; lane < 32; ++lane)
      if (all.mask >> lane & 1)
        *static_cast<uint32_t *>(all.results[lane]) = sum;
  });
}

COAT_EMULATED void coat_emu_vote(const VoteOperands *operands, uint32_t *results) {
  meet(operands->mask, operands->site, operands, results, [](Meeting &all) {
    uint32_t ballot = 0;
    for (uint32_t lane = 0; lane < 32; ++lane)
      if (all.mask >> lane & 1)
        ballot |= uint32_t(of<VoteOperands>(all.operands[lane]).predicate != 0) << lane;
    for (uint32_t lane = 0; lane < 32; ++lane)
      if (all.mask >> lane & 1) {
        uint32_t answers[] = {ballot != 0, ballot == all.mask, ballot, ballot == all.mask || !ballot};
        *static_cast<uint32_t *>(all.results[lane]) = answers[of<VoteOperands>(all.operands[lane]).kind];
      }
  });
}

COAT_EMULATED void coat_emu_syncwarp(const MaskOperands *operands, void *) {
  meet(operands->mask, operands->site, operands, nullptr, [](Meeting &) {});
}

/// Which lane is elected is not said, only that it is always the same: here it depends on the seed.
COAT_EMULATED void coat_emu_elect(const MaskOperands *operands, uint32_t *result) {
  meet(operands->mask, operands->site, operands, result, [](Meeting &all) {
    uint32_t leader = machine.electedLane;
    while (!(all.mask >> leader & 1))
      leader = (leader + 1) % 32;
    for (uint32_t lane = 0; lane < 32; ++lane)
      if (all.mask >> lane & 1)
        *static_cast<uint32_t *>(all.results[lane]) = lane == leader;
  });
}

/// All lanes of the warp, at an instruction that is `.aligned`.
static uint32_t wholeWarp() {
  uint32_t left = machine.threadCount - machine.current->registers.warp * 32;
  return left >= 32 ? UINT32_MAX : (1u << left) - 1;
}

/// setmaxnreg: how many registers there are changes nothing here, but the warp must be together.
COAT_EMULATED void coat_emu_setmaxnreg(const MaskOperands *operands, void *) {
  meet(wholeWarp(), operands->site, operands, nullptr, [](Meeting &) {});
}

COAT_EMULATED void coat_emu_ldmatrix(const LoadMatrixOperands *operands, uint32_t *results) {
  meet(wholeWarp(), operands->site, operands, results, [](Meeting &all) {
    const auto &how = of<LoadMatrixOperands>(all.operands[0]);
    for (int32_t matrix = 0; matrix < how.count; ++matrix) {
      uint16_t elements[8][8];
      for (int row = 0; row < 8; ++row) {
        uint64_t address = of<LoadMatrixOperands>(all.operands[matrix * 8 + row]).address;
        checkShared(how.site, address, 16, 16);
        memcpy(elements[row], sharedAt(address), 16);
      }
      for (int lane = 0; lane < 32; ++lane) {
        int row = lane / 4, column = lane % 4 * 2;
        uint16_t low = how.transposed ? elements[column][row] : elements[row][column];
        uint16_t high = how.transposed ? elements[column + 1][row] : elements[row][column + 1];
        static_cast<uint32_t *>(all.results[lane])[matrix] = low | uint32_t(high) << 16;
      }
    }
  });
}

COAT_EMULATED void coat_emu_stmatrix(const StoreMatrixOperands *operands, void *) {
  meet(wholeWarp(), operands->site, operands, nullptr, [](Meeting &all) {
    const auto &how = of<StoreMatrixOperands>(all.operands[0]);
    for (int32_t matrix = 0; matrix < how.count; ++matrix)
      for (int row = 0; row < 8; ++row) {
        auto address = uint32_t(of<StoreMatrixOperands>(all.operands[matrix * 8 + row]).address);
        checkShared(how.site, address, 16, 16);
        for (int column = 0; column < 8; ++column) {
          int lane = how.transposed ? column * 4 + row / 2 : row * 4 + column / 2;
          int half = how.transposed ? row % 2 : column % 2;
          uint32_t pair = of<StoreMatrixOperands>(all.operands[lane]).registers[matrix];
          store<uint16_t>(sharedAt(address + column * 2), uint16_t(pair >> 16 * half));
          noteWrite(how.site, *machine.threads[machine.current->registers.warp * 32 + lane], address + column * 2, 2);
        }
      }
  });
}

/// D = A * B + C of 16 x 8 x k.
static void multiply(Meeting &all) {
  const auto &how = of<MmaOperands>(all.operands[0]);
  float a[16][16] = {}, b[16][8] = {}, d[16][8];
  int width = how.type == tf32 ? 1 : 2, ofA = how.k / (2 * width), ofB = ofA / 2, ofA4 = 4 * width;
  for (int lane = 0; lane < 32; ++lane) {
    const uint32_t *registers = of<MmaOperands>(all.operands[lane]).registers;
    int row = lane / 4, column = lane % 4 * width;
    for (int half = 0; half < width; ++half) {
      auto value = [&](uint32_t bits) {
        return how.type == tf32 ? truncateTf32(bits) : widen(uint16_t(bits >> 16 * half), how.type);
      };
      for (int i = 0; i < ofA; ++i)
        a[row + 8 * (i & 1)][column + half + ofA4 * (i >> 1)] = value(registers[i]);
      for (int i = 0; i < ofB; ++i)
        b[column + half + ofA4 * i][row] = value(registers[ofA + i]);
    }
    for (int i = 0; i < 4; ++i)
      d[row + 8 * (i >> 1)][lane % 4 * 2 + (i & 1)] = floatOf(registers[ofA + ofB + i]);
  }
  for (int m = 0; m < 16; ++m)
    for (int k = 0; k < how.k; ++k)
      for (int n = 0; n < 8; ++n)
        d[m][n] += a[m][k] * b[k][n];
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i)
      static_cast<float *>(all.results[lane])[i] = d[lane / 4 + 8 * (i >> 1)][lane % 4 * 2 + (i & 1)];
}

COAT_EMULATED void coat_emu_mma(const MmaOperands *operands, float *results) {
  meet(wholeWarp(), operands->site, operands, results, multiply);
}
