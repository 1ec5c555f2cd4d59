// Implementation of Team.h: shuffles within a warp, shared memory between warps.
#include "Team.h"

using namespace mlir;
using namespace coat;

Team::Team(GpuBuilder &g, TeamShape shape) : shape(shape), g(g) {
  if (shape.alongLanes) {
    member = g.rem(g.thread, shape.members);
    team = g.div(g.thread, shape.members);
  } else {
    member = g.div(g.thread, shape.teams());
    team = g.rem(g.thread, shape.teams());
  }
}

Value Team::join(Operation *combiner, Value x, Value y) {
  Operation *copy = g.b.clone(*combiner);
  copy->setOperands({x, y});
  return copy->getResult(0);
}

Value Team::combine(Value partial, Operation *combiner) {
  if (!shape.alongLanes)
    return throughShared(partial, combiner, g.thread, team, shape.members, shape.teams(), Value());
  for (int64_t distance = std::min<int64_t>(shape.members, 32) / 2; distance > 0; distance /= 2)
    partial = join(combiner, partial, g.shuffleXor(partial, distance));
  if (shape.members <= 32)
    return partial;
  return throughShared(partial, combiner, g.warp, g.i32(0), shape.members / 32, 1, g.equal(g.lane, 0));
}

/// Every thread for which `writes` holds stores its part at `place`; all join those at first, first + step, ..
Value Team::throughShared(Value partial, Operation *combiner, Value place, Value first, int64_t count, int64_t step,
                          Value writes) {
  Type type = partial.getType();
  g.barrier(); // what was joined before has been read
  g.when(writes, [&] { g.store(partial, g.step(g.shared, place, type), 4); });
  g.barrier();
  Value total;
  for (int64_t i = 0; i < count; ++i) {
    Value other = g.load(type, g.step(g.shared, g.add(first, i * step), type), 4);
    total = total ? join(combiner, total, other) : other;
  }
  return total;
}
