// Offsets in one arena: buffers that live together never overlap, those that do not share bytes.
#include "Memory/ArenaPlan.h"
#include <gtest/gtest.h>
#include <random>

using namespace coat;

static bool liveTogether(const ArenaBuffer &a, const ArenaBuffer &b) { return a.begin <= b.end && b.begin <= a.end; }
static bool overlap(const ArenaBuffer &a, const ArenaBuffer &b) {
  return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}

TEST(ArenaPlan, NothingNeedsNothing) {
  std::vector<ArenaBuffer> none;
  EXPECT_EQ(planArena(none), 0);
}

TEST(ArenaPlan, SizesAreRoundedToCacheLines) {
  std::vector<ArenaBuffer> buffers = {{1, 0, 1}, {65, 0, 1}};
  EXPECT_EQ(planArena(buffers), 3 * bufferAlignment);
}

TEST(ArenaPlan, ChainTakesTwoPlaces) {
  // Each buffer is read by the step that writes the next one.
  std::vector<ArenaBuffer> buffers;
  for (int64_t step = 0; step < 10; ++step)
    buffers.push_back({1024, step, step + 1});
  EXPECT_EQ(planArena(buffers), 2048);
}

TEST(ArenaPlan, SmallestHoleIsTaken) {
  // Two holes of 256 and 128 bytes are free when the last buffer comes.
  std::vector<ArenaBuffer> buffers = {{1024, 0, 9}, {512, 0, 9}, {256, 0, 3}, {192, 0, 9},
                                      {128, 0, 3},  {110, 0, 9}, {100, 5, 6}};
  planArena(buffers);
  EXPECT_EQ(buffers[6].offset, buffers[4].offset);
}

TEST(ArenaPlan, LiveBuffersNeverOverlap) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<ArenaBuffer> buffers;
    int64_t largest = 0, sum = 0;
    for (int i = 0; i < 40; ++i) {
      int64_t begin = random() % 30, size = 1 + random() % 5000;
      buffers.push_back({size, begin, begin + int64_t(random() % 8)});
      largest = std::max(largest, size);
      sum += size + bufferAlignment;
    }
    int64_t arena = planArena(buffers);
    EXPECT_GE(arena, largest);
    EXPECT_LE(arena, sum);
    for (size_t i = 0; i < buffers.size(); ++i) {
      EXPECT_EQ(buffers[i].offset % bufferAlignment, 0);
      EXPECT_LE(buffers[i].offset + buffers[i].size, arena);
      for (size_t j = 0; j < i; ++j)
        EXPECT_FALSE(liveTogether(buffers[i], buffers[j]) && overlap(buffers[i], buffers[j])) << i << " and " << j;
    }
  }
}

TEST(ArenaPlan, OffsetsArePureFunctionOfBuffers) {
  std::vector<ArenaBuffer> once = {{100, 0, 2}, {100, 1, 3}, {300, 2, 4}, {100, 3, 5}}, again = once;
  planArena(once);
  again.reserve(100); // another address
  planArena(again);
  for (size_t i = 0; i < once.size(); ++i)
    EXPECT_EQ(once[i].offset, again[i].offset);
}
