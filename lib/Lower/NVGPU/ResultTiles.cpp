// See ResultTiles.h.
#include "ResultTiles.h"

using namespace mlir;
using namespace coat;

ResultTiles::Place ResultTiles::placeOf(GpuBuilder &g, Value number) const {
  int64_t perBatch = rows() * columns(), together = rows() % 8 == 0 ? 8 : 1;
  Place place;
  place.batch = c.batch == 1 ? g.i32(0) : g.div(number, perBatch);
  Value tile = c.batch == 1 ? number : g.rem(number, perBatch);
  Value group = g.div(tile, together * columns()), within = g.rem(tile, together * columns());
  place.m = g.mul(g.add(g.mul(group, together), g.rem(within, together)), m);
  place.n = g.mul(g.div(within, together), n);
  return place;
}

void coat::storeSums(GpuBuilder &g, const ResultTiles &tiles, const ResultTiles::Place &place, Epilogue &epilogue,
                     ArrayRef<SumRow> rows, ArrayRef<Value> sums) {
  const Contraction &c = tiles.c;
  int64_t length = rows.front().runs.front().sums.size();
  // Where a run may be half inside, its elements go one by one.
  bool aligned = c.n % length == 0 && c.batchColumns % length == 0;
  int64_t pieces = aligned ? 1 : length, width = length / pieces;
  Value firstRow = g.add(g.mul(place.batch, c.batchRows), place.m);
  Value firstColumn = g.add(g.mul(place.batch, c.batchColumns), place.n);
  for (const SumRow &row : rows) {
    Value insideRow = c.m % tiles.m ? g.less(g.add(place.m, row.row), c.m) : Value();
    g.when(insideRow, [&] {
      for (const SumRun &run : row.runs)
        for (int64_t piece = 0; piece < pieces; ++piece) {
          Value column = g.add(run.column, piece * width);
          Values values;
          for (int64_t i = 0; i < width; ++i)
            values.push_back(sums[run.sums[piece * width + i]]);
          Value inside = c.n % tiles.n ? g.less(g.add(place.n, column), c.n) : Value();
          g.when(inside,
                 [&] { epilogue.store(g.add(firstRow, row.row), g.add(firstColumn, column), values, aligned); });
        }
    });
  }
}
