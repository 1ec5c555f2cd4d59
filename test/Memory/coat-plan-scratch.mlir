// RUN: coat-opt --coat-plan-scratch %s | FileCheck %s

// Small and static: the stack, at the start of the task even where the buffer is made in a loop.
// CHECK-LABEL: func private @stack
// CHECK-SAME: attributes {coat.kernel}
func.func private @stack(%o: memref<8x16xf32>) attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %f = arith.constant 0.0 : f32
  // CHECK: scf.forall
  // CHECK-NEXT: memref.alloca() {alignment = 64 : i64} : memref<16xf32>
  // CHECK: scf.for
  // CHECK-NOT: memref.alloc
  // CHECK-NOT: memref.dealloc
  scf.forall (%i) in (8) {
    scf.for %j = %c0 to %c16 step %c1 {
      %0 = memref.alloc() : memref<16xf32>
      memref.store %f, %0[%j] : memref<16xf32>
      %1 = memref.load %0[%j] : memref<16xf32>
      memref.store %1, %o[%i, %j] : memref<8x16xf32>
      memref.dealloc %0 : memref<16xf32>
    }
  }
  return
}

// One element above 1 KiB: the scratch. The two are needed at once.
// CHECK-LABEL: func private @scratch
// CHECK-SAME: coat.scratch = 2176 : i64
func.func private @scratch(%o: memref<8xf32>) attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  %f = arith.constant 0.0 : f32
  scf.forall (%i) in (8) {
    // CHECK: %[[A:.*]] = coat.scratch {offset = 0 : i64} : memref<257xf32>
    // CHECK: %[[B:.*]] = coat.scratch {offset = 1088 : i64} : memref<257xf32>
    %0 = memref.alloc() : memref<257xf32>
    %1 = memref.alloc() : memref<257xf32>
    // CHECK: memref.store %{{.*}}, %[[A]]
    memref.store %f, %0[%i] : memref<257xf32>
    memref.store %f, %1[%i] : memref<257xf32>
    %2 = memref.load %0[%c0] : memref<257xf32>
    %3 = memref.load %1[%c0] : memref<257xf32>
    %4 = arith.addf %2, %3 : f32
    memref.store %4, %o[%i] : memref<8xf32>
  }
  return
}

// One after the other: the same bytes. A buffer that is written in a loop is alive during all of it.
// CHECK-LABEL: func private @lifetimes
// CHECK-SAME: coat.scratch = 2176 : i64
func.func private @lifetimes(%o: memref<8xf32>) attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %f = arith.constant 0.0 : f32
  // CHECK: coat.scratch {offset = 0 : i64}
  %0 = memref.alloc() : memref<257xf32>
  scf.for %i = %c0 to %c8 step %c1 {
    // CHECK: coat.scratch {offset = 1088 : i64}
    %1 = memref.alloc() : memref<257xf32>
    memref.store %f, %0[%i] : memref<257xf32>
    memref.store %f, %1[%i] : memref<257xf32>
  }
  // CHECK: coat.scratch {offset = 0 : i64}
  %2 = memref.alloc() : memref<257xf32>
  memref.store %f, %2[%c0] : memref<257xf32>
  return
}

// Above the forall, but used by the tasks only: every task has its own.
// CHECK-LABEL: func private @above
func.func private @above(%o: memref<8xf32>) attributes {coat.kernel} {
  %f = arith.constant 0.0 : f32
  // CHECK: scf.forall
  // CHECK-NEXT: memref.alloca
  %0 = memref.alloc() : memref<8xf32>
  scf.forall (%i) in (8) {
    memref.store %f, %0[%i] : memref<8xf32>
  }
  return
}

// At most 8 KiB of stack: the ninth of 1 KiB goes to the scratch.
// CHECK-LABEL: func private @full_stack
// CHECK-SAME: coat.scratch = 1024 : i64
// CHECK-COUNT-8: memref.alloca
// CHECK: coat.scratch
func.func private @full_stack() attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  %f = arith.constant 0.0 : f32
  %0 = memref.alloc() : memref<256xf32>
  %1 = memref.alloc() : memref<256xf32>
  %2 = memref.alloc() : memref<256xf32>
  %3 = memref.alloc() : memref<256xf32>
  %4 = memref.alloc() : memref<256xf32>
  %5 = memref.alloc() : memref<256xf32>
  %6 = memref.alloc() : memref<256xf32>
  %7 = memref.alloc() : memref<256xf32>
  %8 = memref.alloc() : memref<256xf32>
  memref.store %f, %8[%c0] : memref<256xf32>
  return
}

// The largest size is found at the launches: 100 rows from the first, 2 * 60 from the second.
// CHECK-LABEL: func private @symbolic
// CHECK-SAME: coat.scratch = 1920 : i64
func.func private @symbolic(%x: memref<?x4xf32>, %o: memref<?x4xf32>) attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  %f = arith.constant 0.0 : f32
  %n = memref.dim %x, %c0 : memref<?x4xf32>
  scf.forall (%i) in (8) {
    // CHECK: coat.scratch sizes %{{.*}} {offset = 0 : i64} : memref<?x4xf32>
    %0 = memref.alloc(%n) : memref<?x4xf32>
    memref.store %f, %0[%i, %c0] : memref<?x4xf32>
  }
  return
}
func.func @entry(%x: memref<?x4xf32> {coat.dims = ["N", "4"]}, %y: memref<?x4xf32> {coat.dims = ["N", "4"], coat.result},
    %z: memref<?x8xf32> {coat.dims = ["M", "8"]})
    attributes {coat.entry, coat.symbols = [{name = "N", min = 1 : i64, max = 100 : i64}, {name = "M", min = 1 : i64, max = 60 : i64}]} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  coat.launch @symbolic(%x) outs(%y) : (memref<?x4xf32>, memref<?x4xf32>) -> ()
  %m = memref.dim %z, %c0 : memref<?x8xf32>
  %rows = arith.muli %m, %c2 : index
  %v = memref.reinterpret_cast %z to offset: [0], sizes: [%rows, 4], strides: [4, 1] : memref<?x8xf32> to memref<?x4xf32>
  coat.launch @symbolic(%v) outs(%y) : (memref<?x4xf32>, memref<?x4xf32>) -> ()
  return
}

// A collapsed view is as long as the dimensions that it joins.
// CHECK-LABEL: func private @joined
// CHECK-SAME: coat.scratch = 3200 : i64
func.func private @joined(%x: memref<?x4x10xf32>) attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  %f = arith.constant 0.0 : f32
  %n = memref.dim %x, %c0 : memref<?x4x10xf32>
  %0 = memref.alloc(%n) : memref<?x16xf32>
  memref.store %f, %0[%c0, %c0] : memref<?x16xf32>
  return
}
func.func @joins(%z: memref<?x5x1x2x2x10xf32> {coat.name = "z", coat.dims = ["N", "5", "1", "2", "2", "10"]}) attributes {coat.entry,
    coat.symbols = [{name = "N", min = 1 : i64, max = 10 : i64}]} {
  %v = memref.collapse_shape %z [[0, 1, 2], [3, 4], [5]] : memref<?x5x1x2x2x10xf32> into memref<?x4x10xf32>
  coat.launch @joined(%v) outs() : (memref<?x4x10xf32>) -> ()
  return
}

// A tile at the end of a symbolic extent is no larger than the tile.
// CHECK-LABEL: func private @tile
// CHECK-SAME: coat.scratch = 1280 : i64
func.func private @tile(%x: memref<?x4xf32>) attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  %f = arith.constant 0.0 : f32
  %n = memref.dim %x, %c0 : memref<?x4xf32>
  scf.forall (%i) in (8) {
    %rows = affine.min affine_map<(d0)[s0] -> (20, s0 - d0 * 20)>(%i)[%n]
    %0 = memref.alloc(%rows) : memref<?x16xf32>
    memref.store %f, %0[%c0, %c0] : memref<?x16xf32>
  }
  return
}

// Not a kernel.
// CHECK-LABEL: func private @other
// CHECK: memref.alloc()
func.func private @other() -> memref<16xf32> {
  %0 = memref.alloc() : memref<16xf32>
  return %0 : memref<16xf32>
}

// Stack that the microkernel has taken counts.
// CHECK-LABEL: func private @taken_stack
// CHECK-SAME: coat.scratch = 128 : i64
func.func private @taken_stack() attributes {coat.kernel} {
  %c0 = arith.constant 0 : index
  %f = arith.constant 0.0 : f32
  %0 = memref.alloca() : memref<2048xf32>
  // CHECK: coat.scratch
  %1 = memref.alloc() : memref<32xf32>
  memref.store %f, %1[%c0] : memref<32xf32>
  return
}
