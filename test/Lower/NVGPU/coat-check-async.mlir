// RUN: coat-opt --pass-pipeline='builtin.module(gpu.module(coat-check-async))' %s | FileCheck %s
// What is fenced and waited for on every path stays as it is.

!sums = !llvm.struct<(f32, f32, f32, f32)>
// CHECK-LABEL: gpu.module @k
gpu.module @k {
  // CHECK: llvm.func @store
  llvm.func @store(%map: !llvm.ptr, %p: !llvm.ptr<3>, %x: i32, %lead: i1) {
    llvm.store %x, %p : i32, !llvm.ptr<3>
    nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
    nvvm.barrier0
    llvm.cond_br %lead, ^one, ^end
  ^one:
    nvvm.cp.async.bulk.tensor.global.shared.cta %map, %p, box [%x, %x] : !llvm.ptr, !llvm.ptr<3>
    nvvm.cp.async.bulk.commit.group
    nvvm.cp.async.bulk.wait_group 0 {read}
    llvm.br ^end
  ^end:
    llvm.return
  }

  // CHECK: llvm.func @load
  llvm.func @load(%map: !llvm.ptr, %to: !llvm.ptr<7>, %bar: !llvm.ptr<3>, %n: i32, %lead: i1) {
    llvm.cond_br %lead, ^one, ^all
  ^one:
    nvvm.mbarrier.init %bar, %n : !llvm.ptr<3>, i32
    nvvm.fence.mbarrier.init
    llvm.br ^all
  ^all:
    nvvm.barrier0
    nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %bar, box [%n, %n] : !llvm.ptr<7>, !llvm.ptr
    llvm.return
  }

  // The group in front of the last is done behind wait_group 1, the last behind wait_group 0.
  // CHECK: llvm.func @products
  llvm.func @products(%a: i64, %b: i64, %more: i1, %out: !llvm.ptr) {
    %zero = llvm.mlir.zero : !sums
    nvvm.wgmma.fence.aligned
    %0 = nvvm.wgmma.mma_async %a, %b, %zero, <m = 64, n = 8, k = 16>, D [<f32>, <one>], A [<f16>, <one>, <row>], B [<f16>, <one>, <col>] : !sums -> !sums
    nvvm.wgmma.commit.group.sync.aligned
    %1 = nvvm.wgmma.mma_async %a, %b, %zero, <m = 64, n = 8, k = 16>, D [<f32>, <one>], A [<f16>, <one>, <row>], B [<f16>, <one>, <col>] : !sums -> !sums
    nvvm.wgmma.commit.group.sync.aligned
    nvvm.wgmma.wait.group.sync.aligned 1
    %x = llvm.extractvalue %0[0] : !sums
    llvm.store %x, %out : f32, !llvm.ptr
    nvvm.wgmma.wait.group.sync.aligned 0
    %y = llvm.extractvalue %1[0] : !sums
    llvm.store %y, %out : f32, !llvm.ptr
    llvm.return
  }

  // CHECK: llvm.func @loop
  llvm.func @loop(%a: i64, %b: i64, %more: i1, %out: !llvm.ptr) {
    %zero = llvm.mlir.zero : !sums
    llvm.br ^body(%zero : !sums)
  ^body(%sums: !sums):
    nvvm.wgmma.fence.aligned
    %0 = nvvm.wgmma.mma_async %a, %b, %sums, <m = 64, n = 8, k = 16>, D [<f32>, <one>], A [<f16>, <one>, <row>], B [<f16>, <one>, <col>] : !sums -> !sums
    nvvm.wgmma.commit.group.sync.aligned
    nvvm.wgmma.wait.group.sync.aligned 1
    llvm.cond_br %more, ^body(%0 : !sums), ^end
  ^end:
    nvvm.wgmma.wait.group.sync.aligned 0
    %x = llvm.extractvalue %0[0] : !sums
    llvm.store %x, %out : f32, !llvm.ptr
    llvm.return
  }

  // CHECK: llvm.func @copies
  llvm.func @copies(%to: !llvm.ptr<3>, %from: !llvm.ptr<1>, %more: i1) {
    nvvm.cp.async.shared.global %to, %from, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
    nvvm.cp.async.commit.group
    llvm.br ^body
  ^body:
    nvvm.cp.async.wait.group 0
    nvvm.barrier0
    nvvm.cp.async.shared.global %to, %from, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
    nvvm.cp.async.commit.group
    %x = llvm.load %to : !llvm.ptr<3> -> i32
    llvm.cond_br %more, ^body, ^end
  ^end:
    llvm.return
  }

  // A path without copies in front of the loop is one without copies to wait for.
  // CHECK: llvm.func @no_first_tile
  llvm.func @no_first_tile(%to: !llvm.ptr<3>, %from: !llvm.ptr<1>, %some: i1, %more: i1) {
    llvm.cond_br %some, ^first, ^body
  ^first:
    nvvm.cp.async.shared.global %to, %from, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
    llvm.br ^body
  ^body:
    nvvm.cp.async.commit.group
    nvvm.cp.async.wait.group 0
    nvvm.barrier0
    nvvm.cp.async.shared.global %to, %from, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
    %x = llvm.load %to : !llvm.ptr<3> -> i32
    llvm.cond_br %more, ^body, ^end
  ^end:
    llvm.return
  }
}
