// RUN: coat-opt --pass-pipeline='builtin.module(gpu.module(coat-check-async))' --split-input-file --verify-diagnostics %s

gpu.module @no_fence_for_the_store {
  llvm.func @k(%map: !llvm.ptr, %p: !llvm.ptr<3>, %x: i32) {
    llvm.store %x, %p : i32, !llvm.ptr<3> // expected-note {{written here}}
    nvvm.barrier0
    // expected-error @+1 {{expected fence.proxy.async on every path from a write to shared memory to this read}}
    nvvm.cp.async.bulk.tensor.global.shared.cta %map, %p, box [%x, %x] : !llvm.ptr, !llvm.ptr<3>
    nvvm.cp.async.bulk.commit.group
    nvvm.cp.async.bulk.wait_group 0
    llvm.return
  }
}

// -----

gpu.module @no_fence_on_one_path {
  llvm.func @k(%map: !llvm.ptr, %p: !llvm.ptr<3>, %x: i32, %c: i1) {
    llvm.store %x, %p : i32, !llvm.ptr<3> // expected-note {{written here}}
    llvm.cond_br %c, ^fence, ^store
  ^fence:
    nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
    llvm.br ^store
  ^store:
    nvvm.barrier0
    // expected-error @+1 {{expected fence.proxy.async on every path}}
    nvvm.cp.async.bulk.tensor.global.shared.cta %map, %p, box [%x, %x] : !llvm.ptr, !llvm.ptr<3>
    nvvm.cp.async.bulk.commit.group
    nvvm.cp.async.bulk.wait_group 0
    llvm.return
  }
}

// -----

// The one thread that stores fences, those that wrote do not.
gpu.module @only_the_reader_fences {
  llvm.func @k(%map: !llvm.ptr, %p: !llvm.ptr<3>, %x: i32, %lead: i1) {
    llvm.store %x, %p : i32, !llvm.ptr<3> // expected-note {{written here}}
    nvvm.barrier0
    llvm.cond_br %lead, ^one, ^end
  ^one:
    nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
    // expected-error @+1 {{expected fence.proxy.async on every path}}
    nvvm.cp.async.bulk.tensor.global.shared.cta %map, %p, box [%x, %x] : !llvm.ptr, !llvm.ptr<3>
    nvvm.cp.async.bulk.commit.group
    nvvm.cp.async.bulk.wait_group 0
    llvm.br ^end
  ^end:
    llvm.return
  }
}

// -----

!sums = !llvm.struct<(f32, f32, f32, f32)>
gpu.module @no_fence_for_wgmma {
  llvm.func @k(%a: i64, %b: i64, %p: !llvm.ptr<3>, %x: i32) {
    %zero = llvm.mlir.zero : !sums
    nvvm.stmatrix %p, %x {layout = #nvvm.mma_layout<row>, shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>} : !llvm.ptr<3>, i32 // expected-note {{written here}}
    nvvm.barrier0
    nvvm.wgmma.fence.aligned
    // expected-error @+1 {{expected fence.proxy.async on every path}}
    %0 = nvvm.wgmma.mma_async %a, %b, %zero, <m = 64, n = 8, k = 16>, D [<f32>, <one>], A [<f16>, <one>, <row>], B [<f16>, <one>, <col>] : !sums -> !sums
    llvm.return
  }
}

// -----

gpu.module @no_fence_for_the_mbarrier {
  llvm.func @k(%map: !llvm.ptr, %to: !llvm.ptr<7>, %bar: !llvm.ptr<3>, %n: i32) {
    nvvm.mbarrier.init %bar, %n : !llvm.ptr<3>, i32
    nvvm.barrier0
    // expected-error @+1 {{expected a fence on every path from mbarrier.init to this copy}}
    nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %map, %bar, box [%n, %n] : !llvm.ptr<7>, !llvm.ptr
    llvm.return
  }
}

// -----

!sums = !llvm.struct<(f32, f32, f32, f32)>
gpu.module @no_wait_for_the_result {
  llvm.func @k(%a: i64, %b: i64, %out: !llvm.ptr) {
    %zero = llvm.mlir.zero : !sums
    nvvm.wgmma.fence.aligned
    %0 = nvvm.wgmma.mma_async %a, %b, %zero, <m = 64, n = 8, k = 16>, D [<f32>, <one>], A [<f16>, <one>, <row>], B [<f16>, <one>, <col>] : !sums -> !sums
    nvvm.wgmma.commit.group.sync.aligned
    nvvm.wgmma.wait.group.sync.aligned 1
    %x = llvm.extractvalue %0[0] : !sums
    // expected-error @+1 {{expected wgmma.wait_group on every path from a wgmma to the use of its result}}
    llvm.store %x, %out : f32, !llvm.ptr
    llvm.return
  }
}

// -----

!sums = !llvm.struct<(f32, f32, f32, f32)>
gpu.module @a_group_that_was_not_committed {
  llvm.func @k(%a: i64, %b: i64, %out: !llvm.ptr) {
    %zero = llvm.mlir.zero : !sums
    nvvm.wgmma.fence.aligned
    %0 = nvvm.wgmma.mma_async %a, %b, %zero, <m = 64, n = 8, k = 16>, D [<f32>, <one>], A [<f16>, <one>, <row>], B [<f16>, <one>, <col>] : !sums -> !sums
    nvvm.wgmma.wait.group.sync.aligned 0
    %x = llvm.extractvalue %0[0] : !sums
    // expected-error @+1 {{expected wgmma.wait_group on every path}}
    %y = llvm.fneg %x : f32
    llvm.return
  }
}

// -----

!sums = !llvm.struct<(f32, f32, f32, f32)>
gpu.module @no_wgmma_fence {
  llvm.func @k(%a: i64, %b: i64) {
    %zero = llvm.mlir.zero : !sums
    nvvm.wgmma.fence.aligned
    nvvm.wgmma.wait.group.sync.aligned 0
    // expected-error @+1 {{expected wgmma.fence on every path to this wgmma}}
    %0 = nvvm.wgmma.mma_async %a, %b, %zero, <m = 64, n = 8, k = 16>, D [<f32>, <one>], A [<f16>, <one>, <row>], B [<f16>, <one>, <col>] : !sums -> !sums
    llvm.return
  }
}

// -----

gpu.module @no_wait_for_cp_async {
  llvm.func @k(%to: !llvm.ptr<3>, %from: !llvm.ptr<1>) {
    nvvm.cp.async.shared.global %to, %from, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
    nvvm.cp.async.commit.group
    nvvm.barrier0
    // expected-error @+1 {{expected cp.async.wait_group between cp.async and this read}}
    %x = llvm.load %to : !llvm.ptr<3> -> i32
    llvm.return
  }
}

// -----

gpu.module @no_barrier_behind_the_wait {
  llvm.func @k(%to: !llvm.ptr<3>, %from: !llvm.ptr<1>) {
    nvvm.cp.async.shared.global %to, %from, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
    nvvm.cp.async.commit.group
    nvvm.cp.async.wait.group 0
    // expected-error @+1 {{expected a barrier between cp.async and this read}}
    %x = nvvm.ldmatrix %to {num = 1 : i32, layout = #nvvm.mma_layout<row>, shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>} : (!llvm.ptr<3>) -> i32
    llvm.return
  }
}

// -----

gpu.module @a_store_nobody_waits_for {
  llvm.func @k(%map: !llvm.ptr, %p: !llvm.ptr<3>, %x: i32, %lead: i1) {
    llvm.cond_br %lead, ^one, ^end
  ^one:
    nvvm.cp.async.bulk.tensor.global.shared.cta %map, %p, box [%x, %x] : !llvm.ptr, !llvm.ptr<3>
    nvvm.cp.async.bulk.commit.group
    llvm.br ^end
  ^end:
    // expected-error @+1 {{expected bulk stores to be committed and waited for on every path to the end}}
    llvm.return
  }
}
