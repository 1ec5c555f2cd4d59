// Threads that compute one row together: each takes a part of a reduction, and all get the whole.
#ifndef COAT_LIB_LOWER_NVGPU_TEAM_H
#define COAT_LIB_LOWER_NVGPU_TEAM_H

#include "GpuBuilder.h"

namespace coat {
/// How the threads of a block are divided.
///
///   along lanes:   |0 1 2 .. 31|0 1 2 .. 31|   members of a team are neighbours, up to a whole block of one team
///   across warps:  |0 0 0 .. 0 |1 1 1 .. 1 |   the n-th lanes of all warps are a team
struct TeamShape {
  int64_t members = 32, threads = 256;
  bool alongLanes = true;

  int64_t teams() const { return threads / members; }
  /// Bytes of shared memory that combining needs.
  int64_t sharedBytes() const { return alongLanes && members <= 32 ? 0 : alongLanes ? members / 32 * 4 : threads * 4; }
};

class Team {
public:
  Team(GpuBuilder &g, TeamShape shape);

  /// Whether partial results of `type` can be combined.
  static bool combines(mlir::Type type) { return type.isIntOrFloat() && type.getIntOrFloatBitWidth() == 32; }
  /// `partial` of all members, joined by clones of `combiner`, in every member. All threads of the block must call it.
  mlir::Value combine(mlir::Value partial, mlir::Operation *combiner);
  mlir::Value join(mlir::Operation *combiner, mlir::Value x, mlir::Value y);

  TeamShape shape;
  mlir::Value member, team; // numbers of the thread

private:
  mlir::Value throughShared(mlir::Value partial, mlir::Operation *combiner, mlir::Value place, mlir::Value first,
                            int64_t count, int64_t step, mlir::Value writes);

  GpuBuilder &g;
};
} // namespace coat

#endif
