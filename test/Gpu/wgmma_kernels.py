"""Kernels for sm_90a written by hand, for tests of the emulator and of what it catches: a product (also a convolution, by
im2col) with a producer warpgroup and two consumers, and a product whose left side comes from registers."""

from ir_text import FENCE, MAP, Text

HEAD = """!acc = !llvm.struct<({acc})>
module attributes {{gpu.container_module}} {{
gpu.module @{name} [#nvvm.target<chip = "sm_90a">] {{
llvm.mlir.global external @smem() {{addr_space = 3 : i32, alignment = 1024 : i64}} : !llvm.array<0 x i8>
llvm.func @{name}({parameters}) attributes {{gpu.kernel, nvvm.kernel, nvvm.reqntid = array<i32: {threads}, 1, 1>}} {{
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %base = llvm.ptrtoint %smem : !llvm.ptr<3> to i32
  %tid = nvvm.read.ptx.sreg.tid.x : i32
"""


class Kernel(Text):
    """Loops and conditions of scf around the instructions."""

    def __init__(self):
        super().__init__("arith")

    def compare(self, predicate, a, b):
        return self(f"arith.cmpi {predicate}, {a}, {self.const(b)} : i32")

    def add(self, a, b):
        return self.op("addi", a, b)

    def mul(self, a, b):
        return self.op("muli", a, b)

    def barrier_at(self, base, stage):
        return self.shared(self.add(self.mul(stage, 8), base))

    def wait(self, barrier, phase):
        self.do(f"nvvm.mbarrier.try_wait.parity {barrier}, {phase}, {self.const(1000000)} : !llvm.ptr<3>, i32, i32")

    def descriptor(self, address, leading, stride):
        low = self(f"arith.extui {self.op('shrui', self.op('andi', address, 0x3FFFF), 4)} : i32 to i64")
        bits = 1 << 62 | stride >> 4 << 32 | leading >> 4 << 16
        return self.op("ori", low, bits, "i64")

    def named_barrier(self, id, threads):
        self.do(f"nvvm.barrier id = {self.const(id)} number_of_threads = {self.const(threads)}")

    def pack(self, low, high):
        """Two f32 -> their bf16 in one word."""
        return self(f'nvvm.inline_ptx "cvt.rn.bf16x2.f32 $0, $1, $2;" ro ({high}, {low} : f32, f32) -> i32')


def product(k, stages=3, conv=None):
    """C[m][n] = A[m][k] * B[n][k], bf16; a block has 128 x 64 of C. Grid (n / 64, m / 128), 384 threads; shared_bytes().
    conv = (channels, height, width, taps, stride, pad) of the output: A is read by im2col, k = taps * taps * channels."""
    t = Kernel()
    a_bytes, b_bytes = 128 * 128, 64 * 128
    full, empty, tiles = stages * (a_bytes + b_bytes), stages * (a_bytes + b_bytes) + 8 * stages, k // 64
    group = t("nvvm.shfl.sync idx %s, %s, %s, %s : i32 -> i32" % (t.const(-1), t.op("divui", "%tid", 128), t.const(0), t.const(31)))
    column0 = t.mul(t("nvvm.read.ptx.sreg.ctaid.x : i32"), 64)
    row0 = t.mul(t("nvvm.read.ptx.sreg.ctaid.y : i32"), 128)
    t.do(f"scf.if {t.compare('eq', '%tid', 0)} {{")
    for stage in range(stages):
        t.do(f"nvvm.mbarrier.init {t.shared(full + 8 * stage)}, {t.const(1)} : !llvm.ptr<3>, i32")
        t.do(f"nvvm.mbarrier.init {t.shared(empty + 8 * stage)}, {t.const(2)} : !llvm.ptr<3>, i32")
    t.do("nvvm.fence.mbarrier.init")
    t.do("}")
    t.do("nvvm.barrier")
    t.do(f"scf.if {t.compare('eq', group, 0)} {{")
    t.do("nvvm.setmaxregister decrease 40")
    warp = t.op("divui", "%tid", 32)
    t.do(f"scf.if {t.compare('eq', warp, 0)} {{")
    elected = t("nvvm.elect.sync -> i1")
    t.do(f"scf.if {elected} {{")
    if conv:
        channels, height, width, taps, step, pad = conv
        image, rest = t.op("divui", row0, height * width), t.op("remui", row0, height * width)
        x = t.add(t.mul(t.op("remui", rest, width), step), -pad)
        y = t.add(t.mul(t.op("divui", rest, width), step), -pad)
    t.do(f"scf.for %i = {t.const(0)} to {t.const(tiles)} step {t.const(1)} : i32 {{")
    stage, turn = t.op("remui", "%i", stages), t.op("andi", t.op("divui", "%i", stages), 1)
    t.wait(t.barrier_at(empty, stage), t.op("xori", turn, 1))
    barrier = t.barrier_at(full, stage)
    t.do(f"nvvm.mbarrier.arrive.expect_tx {barrier}, {t.const(a_bytes + b_bytes)} : !llvm.ptr<3>, i32")
    at = t.mul("%i", 64)
    to_a, to_b = t.shared(t.mul(stage, a_bytes)), t.shared(t.add(t.mul(stage, b_bytes), stages * a_bytes))
    if conv:
        blocks = channels // 64
        channel, tap = t.mul(t.op("remui", "%i", blocks), 64), t.op("divui", "%i", blocks)
        offsets = [t(f"arith.trunci {t.op(op, tap, taps)} : i32 to i16") for op in ("remui", "divui")]
        t.copy_box(to_a, "%a", barrier, [channel, x, y, image], offsets)
    else:
        t.copy_box(to_a, "%a", barrier, [at, row0])
    t.copy_box(to_b, "%b", barrier, [at, column0])
    for _ in range(3):
        t.do("}")
    t.do("} else {")
    t.do("nvvm.setmaxregister increase 232")
    consumer, thread = t.add(group, -1), t.op("remui", "%tid", 128)
    lead = t.compare("eq", thread, 0)
    zero = t("llvm.mlir.zero : !acc")
    t.do(f"%sum = scf.for %i = {t.const(0)} to {t.const(tiles)} step {t.const(1)} iter_args(%c = {zero}) -> (!acc) : i32 {{")
    stage, turn = t.op("remui", "%i", stages), t.op("andi", t.op("divui", "%i", stages), 1)
    t.wait(t.barrier_at(full, stage), turn)
    t.do("nvvm.wgmma.fence.aligned")
    da = t.descriptor(t.add(t.add("%base", t.mul(consumer, 64 * 128)), t.mul(stage, a_bytes)), 16, 1024)
    db = t.descriptor(t.add(t.add("%base", stages * a_bytes), t.mul(stage, b_bytes)), 16, 1024)
    value = "%c"
    for step in range(4):
        a, b = t.op("addi", da, 2 * step, "i64"), t.op("addi", db, 2 * step, "i64")
        value = t(f"nvvm.wgmma.mma_async {a}, {b}, {value}, <m = 64, n = 64, k = 16>, D [<f32>, <one>], A [<bf16>, <one>, <row>], B [<bf16>, <one>, <col>] : !acc -> !acc")
    t.do("nvvm.wgmma.commit.group.sync.aligned")
    t.do("nvvm.wgmma.wait.group.sync.aligned 1")
    t.do(f"scf.if {t.op('andi', lead, t.compare('ugt', '%i', 0), 'i1')} {{")
    t(f"nvvm.mbarrier.arrive {t.barrier_at(empty, t.op('remui', t.add('%i', stages - 1), stages))} : !llvm.ptr<3> -> i64")
    t.do("}")
    t.do(f"scf.yield {value} : !acc")
    t.do("}")
    t.do("nvvm.wgmma.wait.group.sync.aligned 0")
    t.named_barrier(1, 256)
    store_tile(t, "%sum", consumer, thread)
    t.do(FENCE)
    t.named_barrier(1, 256)
    t.do(f"scf.if {t.compare('eq', '%tid', 128)} {{")
    t.do(f"nvvm.cp.async.bulk.tensor.global.shared.cta %c_map, %smem, box [{column0}, {row0}] : !llvm.ptr, !llvm.ptr<3>")
    t.do("nvvm.cp.async.bulk.commit.group")
    t.do("nvvm.cp.async.bulk.wait_group 0 {read}")
    t.do("}")
    t.do("}")
    return module(t, "product", f"%a: {MAP}, %b: {MAP}, %c_map: {MAP}", 384)


def shared_bytes(stages=3):
    return stages * (128 + 64) * 128 + 16 * stages


def store_tile(t, value, consumer, thread):
    """A warpgroup's 64 x 64 sums -> bf16 rows of 128 bytes, swizzled, by stmatrix."""
    lane, warp = t.op("remui", thread, 32), t.op("divui", thread, 32)
    row = t.add(t.add(t.mul(consumer, 64), t.mul(warp, 16)), t.op("remui", lane, 16))
    for block in range(4):
        sums = [t(f"llvm.extractvalue {value}[{8 * block + i}] : !acc") for i in range(8)]
        words = [t.pack(sums[2 * i], sums[2 * i + 1]) for i in range(4)]
        chunk = t.op("xori", t.add(t.op("divui", lane, 16), 2 * block), t.op("andi", row, 7))
        to = t.shared(t.add(t.mul(row, 128), t.mul(chunk, 16)))
        t.do(f"nvvm.stmatrix {to}, {', '.join(words)} {{layout = #nvvm.mma_layout<row>, shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>}} : !llvm.ptr<3>, i32, i32, i32, i32")


def from_registers(k):
    """C[64][64] f32 = A[64][k] * B[k][64], bf16: A as fragments from global memory, B by TMA as it lies. 128 threads."""
    t = Kernel()
    bar = k * 128
    t.do(f"scf.if {t.compare('eq', '%tid', 0)} {{")
    t.do(f"nvvm.mbarrier.init {t.shared(bar)}, {t.const(1)} : !llvm.ptr<3>, i32")
    t.do("nvvm.fence.mbarrier.init")
    t.do(f"nvvm.mbarrier.arrive.expect_tx {t.shared(bar)}, {t.const(k * 128)} : !llvm.ptr<3>, i32")
    t.copy_box("%smem", "%b", t.shared(bar), [t.const(0), t.const(0)])
    t.do("}")
    t.do("nvvm.barrier")
    lane, warp = t.op("remui", "%tid", 32), t.op("divui", "%tid", 32)
    row = t.add(t.mul(warp, 16), t.op("divui", lane, 4))
    column = t.mul(t.op("remui", lane, 4), 2)
    steps = []
    for step in range(k // 16):
        words = []
        for i in range(4):
            r, c = t.add(row, 8 * (i & 1)), t.add(column, 16 * step + 8 * (i >> 1))
            at = t(f"llvm.getelementptr %a[{t.add(t.mul(r, k), c)}] : (!llvm.ptr, i32) -> !llvm.ptr, i16")
            words.append(t(f"llvm.load {at} {{alignment = 4 : i64}} : !llvm.ptr -> i32"))
        steps.append(words)
    t.wait(t.shared(bar), t.const(0))
    t.do("nvvm.wgmma.fence.aligned")
    db = t.descriptor("%base", 64 * 128, 1024)
    value = t("llvm.mlir.zero : !acc")
    outs = ", ".join(f"${i}" for i in range(32))
    text = f"wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {{{outs}}}, {{$32, $33, $34, $35}}, $36, 1, 1, 1, 1;"
    constraints = ",".join(["=f"] * 32 + ["r"] * 4 + ["l"] + [str(i) for i in range(32)])
    for step, words in enumerate(steps):
        sums = [t(f"llvm.extractvalue {value}[{i}] : !acc") for i in range(32)]
        b = t.op("addi", db, step * 16 * 128 >> 4, "i64")
        types = ", ".join(["i32"] * 4 + ["i64"] + ["f32"] * 32)
        value = t(f'llvm.inline_asm has_side_effects asm_dialect = att "{text}", "{constraints}" {", ".join(words + [b] + sums)} : ({types}) -> !acc')
    t.do("nvvm.wgmma.commit.group.sync.aligned")
    t.do("nvvm.wgmma.wait.group.sync.aligned 0")
    for i in range(32):
        r, c = t.add(row, 8 * (i // 2 % 2)), t.add(column, 8 * (i // 4) + i % 2)
        at = t(f"llvm.getelementptr %c[{t.add(t.mul(r, 64), c)}] : (!llvm.ptr, i32) -> !llvm.ptr, f32")
        x = t(f"llvm.extractvalue {value}[{i}] : !acc")
        t.do(f"llvm.store {x}, {at} : f32, !llvm.ptr")
    return module(t, "registers", f"%a: !llvm.ptr, %b: {MAP}, %c: !llvm.ptr", 128)


def module(t, name, parameters, threads):
    head = HEAD.format(acc=", ".join(["f32"] * 32), name=name, parameters=parameters, threads=threads)
    return head + "\n".join(t.lines) + "\n  llvm.return\n}\n}\n}\n"
