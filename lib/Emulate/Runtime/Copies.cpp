// Asynchronous copies. A destination is NaN from the moment a copy is asked for until it arrives: cp.async when it is
// waited for, a bulk copy at a time that the seed chooses. A source is read when the copy arrives.
#include "Machine.h"
#include "Numbers.h"
#include "coat/Emulate/TensorMap.h"

using namespace coat::emulator;

namespace {
struct SiteOperands {
  const char *site;
};
struct CopyOperands {
  const char *site;
  uint64_t to;
  const uint8_t *from;
  uint32_t valid; // bytes that are copied, the rest is zeros
  int32_t bytes, argument;
};
struct GroupOperands {
  const char *site;
  int32_t left;
};
struct ArriveOperands {
  const char *site;
  uint64_t address;
  int32_t noIncrease;
};
struct TensorOperands {
  const char *site;
  uint64_t shared; // where to, where from
  const void *map;
  int32_t coordinates[5];
  uint64_t barrier;
  uint32_t offsets[3], predicate;
  int32_t rank, im2col;
};
struct BulkOperands {
  const char *site;
  uint64_t shared;
  uint8_t *global;
  uint64_t barrier;
  uint32_t bytes;
};
} // namespace

// ---- cp.async

static void arrive(const char *site, const Thread &thread, const Copy &copy) {
  noteWrite(site, thread, copy.to, copy.bytes);
  memcpy(sharedAt(copy.to), copy.from, copy.valid);
  memset(sharedAt(copy.to) + copy.valid, 0, copy.bytes - copy.valid);
}

COAT_EMULATED void coat_emu_read(const char *site, const void *pointer, uint32_t bytes, uint32_t alignment,
                                 int32_t argument);

COAT_EMULATED void coat_emu_cp_async(const CopyOperands *operands, void *) {
  const CopyOperands &in = *operands;
  checkShared(in.site, in.to, in.bytes, in.bytes);
  if (in.valid > uint32_t(in.bytes))
    fault(in.site, "expected at most %d bytes to copy, got %u", in.bytes, in.valid);
  if (in.valid)
    coat_emu_read(in.site, in.from, in.valid, in.bytes, in.argument);
  noteWrite(in.site, *machine.current, uint32_t(in.to), in.bytes);
  memset(sharedAt(uint32_t(in.to)), 0xFF, in.bytes);
  machine.current->openCopies.push_back({uint32_t(in.to), in.from, uint32_t(in.bytes), in.valid});
}

COAT_EMULATED void coat_emu_cp_async_commit(const SiteOperands *, void *) {
  Thread &self = *machine.current;
  self.copyGroups.emplace_back();
  self.copyGroups.back().swap(self.openCopies);
}

COAT_EMULATED void coat_emu_cp_async_wait(const GroupOperands *operands, void *) {
  Thread &self = *machine.current;
  for (; self.copyGroups.size() > size_t(operands->left); self.copyGroups.pop_front())
    for (const Copy &copy : self.copyGroups.front())
      arrive(operands->site, self, copy);
}

/// Arrives at an mbarrier when all copies so far have; without noinc the phase waits for one arrival more.
COAT_EMULATED void coat_emu_cp_async_mbarrier_arrive(const ArriveOperands *operands, void *) {
  Thread &self = *machine.current;
  MBarrier &barrier = barrierAt(operands->site, uint32_t(operands->address));
  if (!operands->noIncrease)
    ++barrier.pending;
  auto copies = std::make_shared<std::vector<Copy>>();
  for (auto &group : self.copyGroups)
    copies->insert(copies->end(), group.begin(), group.end());
  copies->insert(copies->end(), self.openCopies.begin(), self.openCopies.end());
  self.copyGroups.clear(), self.openCopies.clear();
  auto late = std::make_shared<Late>();
  late->run = [copies, &self, site = operands->site, address = uint32_t(operands->address)] {
    for (const Copy &copy : *copies)
      arrive(site, self, copy);
    MBarrier &barrier = barrierAt(site, address);
    --barrier.pending;
    settleBarrier(site, barrier);
  };
  machine.late.push_back(late);
}

// ---- bulk copies

static LateRef later(std::function<void()> run) {
  auto late = std::make_shared<Late>();
  late->run = std::move(run);
  machine.late.push_back(late);
  ++machine.progress;
  return late;
}

static const coat_emulated_map &mapAt(const TensorOperands &in) {
  if (load<uint64_t>(in.map) != COAT_EMULATED_MAP_MAGIC)
    fault(in.site, "expected a tensor map, got other bytes");
  const auto &map = *load<const coat_emulated_map *>(static_cast<const uint8_t *>(in.map) + 8);
  if (map.rank != in.rank || map.im2col != in.im2col)
    fault(in.site, "expected a copy of rank %d by %s as the map says, got rank %d by %s", map.rank,
          map.im2col ? "im2col" : "tile", in.rank, in.im2col ? "im2col" : "tile");
  uint64_t inner = map.strides[0] * (map.im2col ? map.channels : map.box[0]);
  if (map.swizzle && inner != uint64_t(map.swizzle))
    fault(in.site, "expected rows of the %d bytes that are swizzled, got %lu: the emulator knows no other", map.swizzle,
          (unsigned long)inner);
  return map;
}

static uint64_t boxBytes(const coat_emulated_map &map) {
  uint64_t bytes = map.strides[0];
  if (map.im2col)
    return bytes * map.channels * map.pixels;
  for (int dim = 0; dim < map.rank; ++dim)
    bytes *= map.box[dim];
  return bytes;
}

/// The swizzle is a function of the address in shared memory: chunks of 16 bytes are permuted by the row of 128 bytes.
static uint32_t swizzled(uint32_t address, int32_t swizzle) {
  uint32_t mask = swizzle == 128 ? 7 : swizzle == 64 ? 3 : swizzle == 32 ? 1 : 0;
  return address ^ (address >> 7 & mask) << 4;
}

/// Visits the rows of the box (innermost dimension) as (offset in the box, coordinates of its first element).
static void visitTile(const coat_emulated_map &map, const int64_t begin[5],
                      const std::function<void(uint64_t, const int64_t *)> &visit) {
  int64_t at[5] = {begin[0], begin[1], begin[2], begin[3], begin[4]};
  uint64_t rows = 1, row = map.box[0] * map.strides[0];
  for (int dim = 1; dim < map.rank; ++dim)
    rows *= map.box[dim];
  for (uint64_t number = 0; number < rows; ++number) {
    uint64_t rest = number;
    for (int dim = 1; dim < map.rank; ++dim, rest /= map.box[dim - 1])
      at[dim] = begin[dim] + int64_t(rest % map.box[dim]) * map.elementStrides[dim];
    visit(number * row, at);
  }
}

/// Im2col: the box is `pixels` positions of the filter's origin, from the coordinates on, through the bounding box that
/// `lower` and `upper` leave of the image; the offsets move from the origin to the filter's element.
static void visitIm2col(const coat_emulated_map &map, const int64_t begin[5], const uint32_t offsets[3],
                        const std::function<void(uint64_t, const int64_t *)> &visit) {
  int spatial = map.rank - 2;
  int64_t origin[5] = {begin[0], begin[1], begin[2], begin[3], begin[4]}, at[5];
  for (uint32_t pixel = 0; pixel < map.pixels; ++pixel) {
    memcpy(at, origin, sizeof at);
    for (int dim = 0; dim < spatial; ++dim)
      at[1 + dim] += offsets[dim];
    visit(uint64_t(pixel) * map.channels * map.strides[0], at);
    int dim = 0;
    for (; dim < spatial; ++dim) {
      origin[1 + dim] += map.elementStrides[1 + dim];
      if (origin[1 + dim] <= int64_t(map.sizes[1 + dim]) - 1 + map.upper[dim])
        break;
      origin[1 + dim] = map.lower[dim];
    }
    if (dim == spatial)
      ++origin[map.rank - 1];
  }
}

static constexpr int32_t ofTf32 = 11; // CU_TENSOR_MAP_DATA_TYPE_TFLOAT32: f32 in global memory, rounded on the way

/// Elements of a row that lie inside the tensor are moved; outside, a load gives zeros and a store does nothing.
static void moveRow(const coat_emulated_map &map, uint32_t shared, uint64_t offset, const int64_t *at, bool isStore) {
  uint64_t bytes = map.strides[0], elements = map.im2col ? map.channels : map.box[0];
  bool inside = true;
  uint8_t *global = static_cast<uint8_t *>(map.address);
  for (int dim = 1; dim < map.rank; ++dim) {
    inside &= at[dim] >= 0 && at[dim] < int64_t(map.sizes[dim]);
    global += at[dim] * int64_t(map.strides[dim]);
  }
  for (uint64_t element = 0; element < elements; ++element) {
    int64_t x = at[0] + int64_t(element) * (map.im2col ? 1 : map.elementStrides[0]);
    uint8_t *place = sharedAt(swizzled(uint32_t(shared + offset + element * bytes), map.swizzle));
    bool exists = inside && x >= 0 && x < int64_t(map.sizes[0]);
    if (isStore && exists)
      memcpy(global + x * int64_t(bytes), place, bytes);
    else if (!isStore && exists && map.type == ofTf32)
      store(place, roundToTf32(load<float>(global + x * int64_t(bytes))));
    else if (!isStore && exists)
      memcpy(place, global + x * int64_t(bytes), bytes);
    else if (!isStore)
      memset(place, 0, bytes);
  }
}

static void moveBox(const coat_emulated_map &map, uint32_t shared, const int32_t coordinates[5],
                    const uint32_t offsets[3], bool isStore) {
  int64_t begin[5];
  for (int dim = 0; dim < 5; ++dim)
    begin[dim] = dim < map.rank ? coordinates[dim] : 0;
  auto move = [&](uint64_t offset, const int64_t *at) { moveRow(map, shared, offset, at, isStore); };
  if (map.im2col)
    visitIm2col(map, begin, offsets, move);
  else
    visitTile(map, begin, move);
}

COAT_EMULATED void coat_emu_tensor_load(const TensorOperands *operands, void *) {
  if (!operands->predicate)
    return;
  TensorOperands in = *operands;
  const coat_emulated_map &map = mapAt(in);
  uint64_t bytes = boxBytes(map);
  auto shared = uint32_t(in.shared), address = uint32_t(in.barrier);
  checkShared(in.site, in.shared, bytes, 128);
  checkBarrierFenced(in.site, barrierAt(in.site, address));
  poison(in.site, shared, bytes);
  later([=, &map] {
    moveBox(map, shared, in.coordinates, in.offsets, false);
    land(shared, bytes);
    MBarrier &barrier = barrierAt(in.site, address);
    barrier.bytes -= bytes;
    settleBarrier(in.site, barrier);
  });
}

COAT_EMULATED void coat_emu_tensor_store(const TensorOperands *operands, void *) {
  if (!operands->predicate)
    return;
  TensorOperands in = *operands;
  const coat_emulated_map &map = mapAt(in);
  auto shared = uint32_t(in.shared);
  checkShared(in.site, in.shared, boxBytes(map), 128);
  checkFenced(in.site, shared, boxBytes(map));
  machine.current->openStores.push_back(later([=, &map] { moveBox(map, shared, in.coordinates, in.offsets, true); }));
}

COAT_EMULATED void coat_emu_bulk_load(const BulkOperands *operands, void *) {
  BulkOperands in = *operands;
  checkShared(in.site, in.shared, in.bytes, 16);
  coat_emu_read(in.site, in.global, in.bytes, 16, -1);
  checkBarrierFenced(in.site, barrierAt(in.site, uint32_t(in.barrier)));
  poison(in.site, uint32_t(in.shared), in.bytes);
  later([in] {
    memcpy(sharedAt(uint32_t(in.shared)), in.global, in.bytes);
    land(uint32_t(in.shared), in.bytes);
    MBarrier &barrier = barrierAt(in.site, uint32_t(in.barrier));
    barrier.bytes -= in.bytes;
    settleBarrier(in.site, barrier);
  });
}

COAT_EMULATED void coat_emu_bulk_store(const BulkOperands *operands, void *) {
  BulkOperands in = *operands;
  checkShared(in.site, in.shared, in.bytes, 16);
  checkGlobal(in.site, in.global, in.bytes, 16, "a bulk store");
  checkFenced(in.site, uint32_t(in.shared), in.bytes);
  machine.current->openStores.push_back(later([in] { memcpy(in.global, sharedAt(uint32_t(in.shared)), in.bytes); }));
}

COAT_EMULATED void coat_emu_bulk_commit(const SiteOperands *, void *) {
  Thread &self = *machine.current;
  self.storeGroups.emplace_back();
  self.storeGroups.back().swap(self.openStores);
}

COAT_EMULATED void coat_emu_bulk_wait(const GroupOperands *operands, void *) {
  Thread &self = *machine.current;
  for (; self.storeGroups.size() > size_t(operands->left); self.storeGroups.pop_front())
    for (const LateRef &store : self.storeGroups.front())
      if (!store->done) {
        store->done = true;
        store->run();
      }
}
