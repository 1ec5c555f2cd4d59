// The argument checks of a compiled model (runtime/model.c), with a model by hand: what is wrong is refused, what is
// right runs, and neither touches memory that is not the caller's. What has to be refused is found here a second time.
#include "arguments_model.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fuzzer/FuzzedDataProvider.h>
#include <memory>
#include <vector>

#define EXPECT(what)                                                                                                   \
  do                                                                                                                   \
    if (!(what)) {                                                                                                     \
      fprintf(stderr, "expected %s (line %d)\n", #what, __LINE__);                                                     \
      abort();                                                                                                         \
    }                                                                                                                  \
  while (0)

namespace {
bool ran;
unsigned long sum;

/// Reads and writes through a pointer that coat has let pass.
void touch(void *pointer, size_t size, bool write) {
  for (size_t i = 0; i < size; ++i)
    write ? void(static_cast<volatile char *>(pointer)[i] = 1) : void(sum += static_cast<volatile char *>(pointer)[i]);
}

struct Part {
  int number;
};

void task(const void *args, int64_t index, char *scratch) {
  EXPECT(index >= 0 && index < 3 + static_cast<const Part *>(args)->number);
  touch(scratch, scratchSize, true);
}
} // namespace

extern "C" void runBody(coat_frame *frame) {
  ran = true;
  int64_t n = frame->symbols[0], m = frame->symbols[1];
  const int64_t dims[] = {n, 3, m, m, n, 8, m, n, 2 * m / 3 + 1, n, 8};
  EXPECT(memcmp(frame->dims, dims, sizeof dims) == 0);
  for (int t = 0; t < tensors; ++t) {
    EXPECT(frame->tensors[t] || isOptional(t) || bytesOf(t, n, m) == 0);
    if (frame->tensors[t])
      touch(frame->tensors[t], bytesOf(t, n, m), t >= inputs);
  }
  EXPECT(reinterpret_cast<uintptr_t>(frame->workspace) % COAT_ALIGNMENT == 0);
  EXPECT(reinterpret_cast<uintptr_t>(frame->scratch) % COAT_ALIGNMENT == 0);
  EXPECT(reinterpret_cast<uintptr_t>(frame->weights) % COAT_ALIGNMENT == 0);
  EXPECT(frame->scratch >= frame->workspace + workspaceSize && frame->scratch_stride >= scratchSize);
  touch(frame->workspace, workspaceSize, true);
  touch(const_cast<char *>(frame->weights), weightsSize, false);
  for (int worker = 0; worker < frame->options->threads; ++worker)
    touch(frame->scratch + worker * frame->scratch_stride, scratchSize, true);
  Part numbers[] = {{0}, {1}};
  coat_part parts[] = {{task, &numbers[0], 3}, {task, &numbers[1], 4}};
  coat_parallel(frame, 0, 2, parts);
}

namespace {
struct Hooks {
  FuzzedDataProvider *input;
  bool fails = false;
  size_t live = 0;
  int threads = 1;

  static void *alloc(void *self, size_t size, size_t) {
    auto *hooks = static_cast<Hooks *>(self);
    if (hooks->fails)
      return nullptr;
    ++hooks->live;
    return malloc(size);
  }
  static void release(void *self, void *pointer, size_t) {
    --static_cast<Hooks *>(self)->live;
    free(pointer);
  }
  static void parallelFor(void *self, int64_t n, coat_task_fn fn, void *arg) {
    for (int64_t i = n; i-- > 0;) // in any order
      fn(arg, i, int(i % static_cast<Hooks *>(self)->threads));
  }
  static void profile(void *, int32_t kernel, int begin) {
    EXPECT((kernel == 0 || kernel == 1) && (begin == 0 || begin == 1));
  }
};

using Block = std::unique_ptr<char, decltype(&free)>;
Block block(size_t size) { return Block(static_cast<char *>(aligned_alloc(64, (size + 64) / 64 * 64)), free); }

/// What is wrong with the tensors, as the header of coat.h says it.
bool wrongTensors(void *const *pointers, int64_t n, int64_t m) {
  for (int t = 0; t < tensors; ++t) {
    size_t size = bytesOf(t, n, m);
    auto begin = reinterpret_cast<uintptr_t>(pointers[t]);
    if (!begin && size && !isOptional(t))
      return true;
    if (begin % alignmentOf(t))
      return true;
    for (int o = 0; o < t && t >= inputs; ++o) {
      auto other = reinterpret_cast<uintptr_t>(pointers[o]);
      size_t otherSize = bytesOf(o, n, m);
      bool apart = !begin || !other || !size || !otherSize || begin >= other + otherSize || other >= begin + size;
      if (!apart && !(o == 2 && t == 5 && begin == other))
        return true;
    }
  }
  return false;
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  FuzzedDataProvider input(data, size);
  auto rarely = [&] { return input.ConsumeIntegralInRange(0, 15) == 15; };

  // The arguments: pointers into one arena, so that they overlap now and then; sizes in range fit behind each.
  struct {
    size_t structSize;
    void *pointers[tensors];
    int64_t sizes[symbols];
  } args = {sizeof args, {}, {}};
  args.sizes[0] = rarely() ? input.ConsumeIntegral<int64_t>() : input.ConsumeIntegralInRange(1, 4);
  args.sizes[1] = rarely() ? input.ConsumeIntegral<int64_t>() : input.ConsumeIntegralInRange(0, 7);
  int64_t n = args.sizes[0], m = args.sizes[1];
  bool wrongSizes = n < 1 || n > 4 || m < 0 || m > 7;
  constexpr size_t room = 512; // the largest tensor has 336 bytes
  Block arena = block(8 * room);
  for (int t = 0; t < tensors; ++t)
    if (!rarely())
      args.pointers[t] = arena.get() + t * room + (rarely() ? input.ConsumeIntegralInRange(0, 100) : 0);
  if (rarely())
    args.pointers[input.ConsumeIntegralInRange(0, tensors - 1)] =
        args.pointers[input.ConsumeIntegralInRange(0, tensors - 1)];
  if (input.ConsumeBool())
    args.pointers[5] = args.pointers[2];
  bool shortArgs = rarely();
  if (shortArgs)
    args.structSize = input.ConsumeIntegralInRange<size_t>(0, sizeof args - 1);

  Hooks hooks{&input};
  coat_options options = {};
  options.struct_size = sizeof options;
  options.threads = rarely() ? input.ConsumeIntegral<int32_t>() % 64 : input.ConsumeIntegralInRange(0, 4);
  hooks.threads = options.threads > 0 ? options.threads : 1;
  options.parallel_ctx = options.alloc_ctx = &hooks;
  if (!rarely())
    options.parallel_for = Hooks::parallelFor;
  bool hasHooks = input.ConsumeBool();
  options.alloc = hasHooks != rarely() ? Hooks::alloc : nullptr;
  options.free = hasHooks ? Hooks::release : nullptr;
  hooks.fails = rarely();
  if (input.ConsumeBool())
    options.profile = Hooks::profile;
  Block weights = block(weightsSize + 64);
  int shift = rarely() ? input.ConsumeIntegralInRange(0, 63) : 0;
  options.weights = rarely() ? nullptr : weights.get() + shift;
  std::vector<char> text(input.ConsumeIntegralInRange(0, 90));
  options.error = text.empty() ? nullptr : text.data();
  options.error_size = text.size();
  size_t need = coat_export_workspace_size(nullptr, &options);
  Block workspace = block(0);
  if (input.ConsumeBool() && need) {
    options.workspace_size = rarely() ? input.ConsumeIntegralInRange<size_t>(0, need) : need;
    workspace = block(need);
    options.workspace = workspace.get() + (rarely() ? 8 : 0);
  }
  // An older caller's options end early; what is missing counts as zero.
  size_t given = rarely() ? input.ConsumeIntegralInRange<size_t>(0, sizeof options + 16) : sizeof options;
  Block copy = block(given);
  memset(copy.get(), 0x5a, given);
  memcpy(copy.get(), &options, given < sizeof options ? given : sizeof options);
  if (given >= sizeof(size_t))
    memcpy(copy.get(), &given, sizeof given);
  else
    memset(copy.get(), 0, sizeof(size_t));
  coat_options seen = {};
  memcpy(&seen, &options, (given < sizeof options ? given : sizeof options) & ~size_t(7));

  bool wrongOptions = given < sizeof(size_t) || !seen.alloc != !seen.free || seen.threads < 0 ||
                      (seen.threads > 1 && !seen.parallel_for);
  bool wrongWorkspace =
      seen.workspace && (reinterpret_cast<uintptr_t>(seen.workspace) % 64 || seen.workspace_size < need);
  bool noMemory = !seen.workspace && seen.alloc && hooks.fails;
  bool wrongWeights = !seen.weights || reinterpret_cast<uintptr_t>(seen.weights) % 64;
  bool wrong = shortArgs || wrongSizes || wrongOptions || wrongWorkspace || noMemory || wrongWeights ||
               wrongTensors(args.pointers, n, m);

  ran = false;
  int status = coat_export_run(&args, reinterpret_cast<coat_options *>(copy.get()));
  EXPECT((status == COAT_OK) == !wrong);
  EXPECT((status == COAT_OK) == ran);
  EXPECT(hooks.live == 0);
  EXPECT(*coat_export_strerror(status));
  if (seen.error && seen.error_size)
    EXPECT(memchr(seen.error, 0, seen.error_size));
  return 0;
}
