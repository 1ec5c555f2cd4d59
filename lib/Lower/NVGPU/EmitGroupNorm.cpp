// Emitter of group normalization: a block has a group of channels of one image, in three passes over it.
//
//   x: [N, D.., C], channels last        mean = sum of x / count;  variance = sum of (x - mean)^2 / count
//   thread: every n-th chunk of 1 to 8   (x - mean) * scale / sqrt(variance + epsilon) + bias, then the epilogue
//   neighbouring channels of a pixel
//
// Why not emitRows: a group is neither whole dimensions nor elements that lie together. Does not apply to:
// channels-first data, inputs that the kernel computes first.
#include "Epilogue.h"
#include "KernelFunction.h"
#include "Team.h"
#include "coat/Dialect/Coat.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace coat;

namespace {
/// One number a channel: a constant, or from an argument.
struct PerChannel {
  FailureOr<Source> source = failure();
  std::optional<double> constant;

  static FailureOr<PerChannel> of(Value tensor) {
    PerChannel result;
    DenseFPElementsAttr dense;
    if (matchPattern(tensor, m_Constant(&dense)) && dense.isSplat())
      result.constant = dense.getSplatValue<APFloat>().convertToDouble();
    else if (result.source = findSource(tensor); failed(result.source))
      return failure();
    return result;
  }
};

struct GroupShape {
  Source input;
  int64_t images, pixels, groups, perGroup, width; // width: of a chunk, divides perGroup
  Digits place;                                    // of a pixel in the input

  int64_t chunks() const { return pixels * (perGroup / width); }
};

class GroupNormEmitter {
public:
  GroupNormEmitter(GpuBuilder &g, GroupNormOp op, const GroupShape &shape, int64_t threads, Epilogue &epilogue,
                   ValueRange pointers)
      : g(g), op(op), shape(shape), threads(threads), epilogue(epilogue), pointers(pointers),
        team(g, {/*members=*/threads, threads, /*alongLanes=*/true}) {}

  void emit(const PerChannel &scale, const PerChannel &bias);

private:
  struct Chunk {
    Value inside, pixel, channel; // channel: of the whole image
    Values x;
  };
  /// `body` on each chunk of this thread.
  Values forChunks(ValueRange carried, llvm::function_ref<Values(const Chunk &, ValueRange)> body);
  Values load(Value pointer, Type memory, Value at, int64_t count, int64_t stride);
  Values numbersOf(const PerChannel &numbers, const Chunk &chunk);
  /// The sum over all chunks of what `term` makes of an element, divided by their number.
  Value mean(llvm::function_ref<Value(Value)> term);
  template <typename Op> Value make(Value a, Value b) { return Op::create(g.b, g.loc, a, b); }

  GpuBuilder &g;
  GroupNormOp op;
  const GroupShape &shape;
  int64_t threads;
  Epilogue &epilogue;
  ValueRange pointers;
  Team team;
};
} // namespace

/// Neighbours in one access where they are such; as f32.
Values GroupNormEmitter::load(Value pointer, Type memory, Value at, int64_t count, int64_t stride) {
  Values values;
  int64_t bytes = memory.getIntOrFloatBitWidth() / 8;
  if (count > 1 && stride == 1) {
    Value vector = g.load(VectorType::get(count, memory), g.step(pointer, at, memory), count * bytes);
    for (int64_t i = 0; i < count; ++i)
      values.push_back(vector::ExtractOp::create(g.b, g.loc, vector, i));
  } else {
    for (int64_t i = 0; i < count; ++i)
      values.push_back(g.load(memory, g.step(pointer, g.add(at, i * stride), memory), bytes));
  }
  for (Value &value : values)
    if (!memory.isF32())
      value = arith::ExtFOp::create(g.b, g.loc, g.b.getF32Type(), value);
  return values;
}

Values GroupNormEmitter::numbersOf(const PerChannel &numbers, const Chunk &chunk) {
  if (numbers.constant)
    return Values(shape.width, g.f32(*numbers.constant));
  Values values;
  for (int64_t i = 0; i < shape.width; ++i)
    llvm::append_range(values, load(pointers[numbers.source->argument], numbers.source->memory,
                                    g.mul(g.add(chunk.channel, i), numbers.source->strides[0]), 1, 1));
  return values;
}

Values GroupNormEmitter::forChunks(ValueRange carried, llvm::function_ref<Values(const Chunk &, ValueRange)> body) {
  int64_t count = shape.chunks(), perPixel = shape.perGroup / shape.width;
  Value image = g.div(g.block, shape.groups), group = g.rem(g.block, shape.groups);
  return g.loop(g.i32(0), g.i32(llvm::divideCeil(count, threads)), carried, [&](Value round, ValueRange inner) {
    Chunk chunk;
    Value number = g.add(g.mul(round, threads), g.thread);
    if (count % threads) { // threads behind the last chunk read the first
      chunk.inside = g.less(number, count);
      number = g.select(chunk.inside, number, g.i32(0));
    }
    chunk.pixel = g.div(number, perPixel);
    chunk.channel = g.add(g.mul(group, shape.perGroup), g.mul(g.rem(number, perPixel), shape.width));
    Value at = g.add(g.mul(image, shape.input.strides.front()), g.mul(chunk.channel, shape.input.strides.back()));
    Value rest = chunk.pixel;
    for (auto [i, digit] : llvm::enumerate(llvm::reverse(shape.place))) {
      bool isFirst = i + 1 == shape.place.size();
      at = g.add(at, g.mul(isFirst ? rest : g.rem(rest, digit.size), digit.stride));
      rest = g.div(rest, digit.size);
    }
    chunk.x = load(pointers[shape.input.argument], shape.input.memory, at, shape.width, shape.input.strides.back());
    chunk.pixel = g.add(g.mul(image, shape.pixels), chunk.pixel);
    return body(chunk, inner);
  });
}

Value GroupNormEmitter::mean(llvm::function_ref<Value(Value)> term) {
  Operation *last = nullptr;
  Value sum = forChunks(g.f32(0), [&](const Chunk &chunk, ValueRange carried) {
                Value total = carried.front();
                for (Value x : chunk.x) {
                  Value value = term(x);
                  total = make<arith::AddFOp>(total, chunk.inside ? g.select(chunk.inside, value, g.f32(0)) : value);
                  last = total.getDefiningOp();
                }
                return Values{total};
              }).front();
  return make<arith::DivFOp>(team.combine(sum, last), g.f32(double(shape.pixels * shape.perGroup)));
}

void GroupNormEmitter::emit(const PerChannel &scale, const PerChannel &bias) {
  Value center = mean([](Value x) { return x; });
  Value variance = mean([&](Value x) {
    Value difference = make<arith::SubFOp>(x, center);
    return make<arith::MulFOp>(difference, difference);
  });
  Value deviation =
      math::SqrtOp::create(g.b, g.loc, make<arith::AddFOp>(variance, g.f32(op.getEpsilon().convertToDouble())));
  Value inverse = make<arith::DivFOp>(g.f32(1), deviation);
  forChunks({}, [&](const Chunk &chunk, ValueRange) {
    g.when(chunk.inside, [&] {
      Values factors = numbersOf(scale, chunk), terms = numbersOf(bias, chunk), results;
      for (auto [x, factor, term] : llvm::zip_equal(chunk.x, factors, terms)) {
        Value scaled = make<arith::MulFOp>(make<arith::SubFOp>(x, center), make<arith::MulFOp>(factor, inverse));
        results.push_back(make<arith::AddFOp>(scaled, term));
      }
      epilogue.store(chunk.pixel, chunk.channel, results, /*aligned=*/true);
    });
    return Values();
  });
}

static FailureOr<GroupShape> shapeOf(GroupNormOp op) {
  FailureOr<Source> input = findSource(op.getInput());
  if (op.getDataLayout() != coat::DataLayout::channels_last || failed(input) || !isa<FloatType>(input->memory) ||
      input->memory.isF64() || input->memory != input->narrowest || !getElementTypeOrSelf(op.getResult()).isF32())
    return failure();
  GroupShape shape;
  shape.input = *input;
  shape.images = input->shape.front();
  shape.groups = op.getGroups();
  shape.perGroup = input->shape.back() / shape.groups;
  shape.pixels = 1;
  for (auto [size, stride] : llvm::drop_end(llvm::drop_begin(llvm::zip(input->shape, input->strides)))) {
    shape.place.push_back({size, stride});
    shape.pixels *= size;
  }
  simplify(shape.place);
  // Chunks of up to 16 bytes that are aligned to their size.
  auto fits = [&](int64_t width) {
    return shape.perGroup % width == 0 && input->strides.back() == 1 && input->offset % width == 0 &&
           llvm::all_of(ArrayRef<int64_t>(input->strides).drop_back(),
                        [&](int64_t stride) { return stride % width == 0; });
  };
  shape.width = 16 / (input->memory.getIntOrFloatBitWidth() / 8);
  while (shape.width > 1 && !fits(shape.width))
    shape.width /= 2;
  return shape;
}

FailureOr<GpuKernel> coat::emitGroupNorm(func::FuncOp kernel, const GpuTarget &, const GpuOptions &,
                                         gpu::GPUModuleOp into) {
  auto ops = llvm::to_vector(kernel.getOps<GroupNormOp>());
  if (ops.size() != 1 || !Epilogue::covers(kernel, ops.front(), Value()))
    return failure();
  FailureOr<GroupShape> shape = shapeOf(ops.front());
  FailureOr<PerChannel> scale = PerChannel::of(ops.front().getScale()), bias = PerChannel::of(ops.front().getBias());
  if (failed(shape) || failed(scale) || failed(bias))
    return failure();
  int64_t threads = shape->chunks() >= 4096 ? 1024 : shape->chunks() >= 1024 ? 512 : 128;
  KernelFunction function(kernel, into);
  GpuBuilder g(function.builder, kernel.getLoc());
  Values pointers = function.globalPointers(g);
  Epilogue epilogue(g, kernel, ops.front(), Value(), pointers);
  GroupNormEmitter(g, ops.front(), *shape, threads, epilogue, pointers).emit(*scale, *bias);
  return function.finish(shape->images * shape->groups, threads, threads / 32 * 4);
}
