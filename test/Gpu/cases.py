"""What scripts/gpu_check.sh runs beside the models: kernels of one instruction each, whose results on a GPU tell whether the emulator
reads PTX as the GPU does, and single products, convolutions and attentions for times.

A case is {name, kind, text (MLIR), inputs (a function), rtol, atol, ..}. Conformance kernels are what a model is behind the NVGPU
stage (flags say so); their results are raw words, and the emulator's are what is expected."""
import numpy as np

from ir_text import FENCE, MAP, Text

# ---- Kernels of one instruction ------------------------------------------------------------------------------------------

MATRICES = "shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>"


class Kernel(Text):
    """Straight-line code of the LLVM and NVVM dialects: %x and %w are inputs, %y is the output."""

    def __init__(self, threads):
        super().__init__("llvm")
        self.threads, self.lead_count = threads, 0

    def at(self, pointer, index, type="i32"):
        return self(f"llvm.getelementptr {pointer}[{self.const(index)}] : (!llvm.ptr, i32) -> !llvm.ptr, {type}")

    def load(self, pointer, index, type="i32"):
        return self(f"llvm.load {self.at(pointer, index, type)} : !llvm.ptr -> {type}")

    def store(self, value, index, type="i32"):
        self.do(f"llvm.store {value}, {self.at('%y', index, type)} : {type}, !llvm.ptr")

    def words(self, count, stride=None):
        """The numbers of this thread's words: tid + i * threads."""
        return [self.op("add", "%tid", i * (stride or self.threads)) for i in range(count)]

    def fill(self, count, pointer="%x", offset=0):
        """`count` words a thread, from global to shared memory."""
        for index in self.words(count):
            value = self.load(pointer, index)
            self.do(f"llvm.store {value}, {self.shared(self.op('add', self.op('mul', index, 4), offset))} : i32, !llvm.ptr<3>")
        self.do("nvvm.barrier")

    def dump(self, count, offset=0):
        """`count` words a thread, from shared memory to the output."""
        self.do("nvvm.barrier")
        for index in self.words(count):
            value = self(f"llvm.load {self.shared(self.op('add', self.op('mul', index, 4), offset))} : !llvm.ptr<3> -> i32")
            self.store(value, index)

    def lead(self, body):
        """Thread 0 alone."""
        self.lead_count += 1
        is_lead = self(f'llvm.icmp "eq" %tid, {self.const(0)} : i32')
        self.do(f"llvm.cond_br {is_lead}, ^lead{self.lead_count}, ^all{self.lead_count}")
        self.lines.append(f"^lead{self.lead_count}:")
        body()
        self.do(f"llvm.br ^all{self.lead_count}")
        self.lines.append(f"^all{self.lead_count}:")

    def tma_loads(self, barrier, bytes, loads):
        """loads: (offset in shared memory, map, coordinates, im2col offsets or None)."""
        bar = self.shared(barrier)

        def body():
            self.do(f"nvvm.mbarrier.init {bar}, {self.const(1)} : !llvm.ptr<3>, i32")
            self.do("nvvm.fence.mbarrier.init")
            self.do(FENCE)
            self.do(f"nvvm.mbarrier.arrive.expect_tx {bar}, {self.const(bytes)} : !llvm.ptr<3>, i32")
            for offset, map, coordinates, offsets in loads:
                self.copy_box(self.shared(offset), map, bar, coordinates, offsets)
        self.lead(body)
        self.do("nvvm.barrier")
        self.do(f"nvvm.mbarrier.try_wait.parity {bar}, {self.const(0)}, {self.const(1000000)} : !llvm.ptr<3>, i32, i32")

    def module(self, arch, inputs, output, shared, maps=(), types=""):
        names = ["%x", "%w"][:len(inputs)]
        args = ", ".join(f"{n}: memref<{t}> {{coat.name = \"{n[1:]}\"}}" for n, t in zip(names, inputs))
        memrefs = ", ".join(f"memref<{t}>" for t in [*inputs, output])
        pointers = ", ".join(f"{n}: !llvm.ptr" for n in [*names, "%y"])
        mapped = "".join(f", %m{i}: {MAP}" for i in range(len(maps)))
        described = f", coat.maps = [{', '.join(maps)}]" if maps else ""
        return f"""{types}
func.func @net({args}, %y: memref<{output}> {{coat.name = "y", coat.result}}) attributes {{coat.entry}} {{
  coat.launch @k0({', '.join(names)}) outs(%y) : ({memrefs}) -> ()
  return
}}
func.func private @k0({memrefs}) attributes {{coat.kernel, coat.ops = ["instruction"]}}
gpu.module @k0_{arch} [#nvvm.target<chip = "{arch}">] {{
llvm.mlir.global external @smem() {{addr_space = 3 : i32, alignment = 1024 : i64}} : !llvm.array<0 x i8>
llvm.func @k0({pointers}{mapped}) attributes {{gpu.kernel, nvvm.kernel, nvvm.reqntid = array<i32: {self.threads}, 1, 1>,
    coat.grid = array<i64: 1, 1, 1>, coat.shared = {shared} : i64{described}}} {{
  %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
  %base = llvm.ptrtoint %smem : !llvm.ptr<3> to i32
  %tid = nvvm.read.ptx.sreg.tid.x : i32
{chr(10).join(self.lines)}
  llvm.return
}}
}}
"""


def integers(*counts):
    return lambda: [np.arange(1, 1 + n, dtype=np.int32) * 0x10001 + i for i, n in enumerate(counts)]


def halves(kind, *counts):
    """Words of two f16 or bf16 each, or of one f32."""
    def make():
        rng = np.random.default_rng(5)
        arrays = []
        for n in counts:
            if kind == "f32":
                arrays.append(rng.standard_normal(n).astype(np.float32).view(np.int32))
            elif kind == "f16":
                arrays.append(rng.standard_normal(2 * n).astype(np.float16).view(np.int32))
            else:
                bits = rng.standard_normal(2 * n).astype(np.float32).view(np.uint32)
                arrays.append((bits >> 16).astype(np.uint16).view(np.int32))
        return arrays
    return make


def conformance(name, kernel, inputs, output, make, shared=0, maps=(), arch="sm_80", rtol=0.0, types=""):
    text = kernel.module(arch, inputs, output, shared, maps, types)
    return {"name": name, "kind": "conformance", "text": text, "inputs": make, "rtol": rtol, "atol": rtol,
            "flags": ["--start-at=memory"], "arch": arch}


def ldmatrix(transposed):
    k = Kernel(32)
    k.fill(4)
    layout = "col" if transposed else "row"
    tile = k(f"nvvm.ldmatrix {k.shared(k.op('mul', '%tid', 16))} {{num = 4 : i32, layout = #nvvm.mma_layout<{layout}>, {MATRICES}}}"
             " : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>")
    for i, index in enumerate(k.words(4)):
        k.store(k(f"llvm.extractvalue {tile}[{i}] : !llvm.struct<(i32, i32, i32, i32)>"), index)
    return conformance(f"ldmatrix-{layout}", k, ["128xi32"], "128xi32", integers(128), shared=512)


def stmatrix():
    k = Kernel(32)
    values = [k.load("%x", index) for index in k.words(4)]
    k.do(f"nvvm.stmatrix {k.shared(k.op('mul', '%tid', 16))}, {', '.join(values)} {{layout = #nvvm.mma_layout<row>, {MATRICES}}}"
         " : !llvm.ptr<3>, i32, i32, i32, i32")
    k.dump(4)
    return conformance("stmatrix", k, ["128xi32"], "128xi32", integers(128), shared=512, arch="sm_90a")


def mma(kind):
    """One warp's product: words 0-3 of a lane are A, 4-5 B; C is zero."""
    k = Kernel(32)
    words = [k.load("%x", index) for index in k.words(6)]
    zero = k("llvm.mlir.constant(0.0 : f32) : f32")
    word = "i32"
    if kind == "f16":
        word = "vector<2xf16>"
        words = [k(f"llvm.bitcast {w} : i32 to {word}") for w in words]
    types = "" if kind == "f16" else ", ".join(f"multiplicand{x}PtxType = #nvvm.mma_type<{kind}>" for x in "AB") + ", "
    struct = "!llvm.struct<(f32, f32, f32, f32)>"
    result = k(f"nvvm.mma.sync A[{', '.join(words[:4])}] B[{', '.join(words[4:])}] C[{', '.join([zero] * 4)}] "
               f"{{layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, {types}"
               f"shape = #nvvm.shape<m = 16, n = 8, k = {8 if kind == 'tf32' else 16}>}} : ({word}, {word}, f32) -> {struct}")
    for i, index in enumerate(k.words(4)):
        k.store(k(f"llvm.extractvalue {result}[{i}] : {struct}"), index, "f32")
    return conformance(f"mma-{kind}", k, ["192xi32"], "128xf32", halves("f32" if kind == "tf32" else kind, 192), rtol=1e-5)


def cp_async():
    """16 bytes a thread, of which only (tid % 3) * 8 are there: the rest is zero."""
    k = Kernel(32)
    have = k.op("mul", k.op("urem", "%tid", 3), 8)
    source = k.at("%x", k.op("mul", "%tid", 4))
    source = k(f"llvm.addrspacecast {source} : !llvm.ptr to !llvm.ptr<1>")
    k.do(f"nvvm.cp.async.shared.global {k.shared(k.op('mul', '%tid', 16))}, {source}, 16, cache = cg, {have} : !llvm.ptr<3>, !llvm.ptr<1>, i32")
    k.do("nvvm.cp.async.commit.group")
    k.do("nvvm.cp.async.wait.group 0")
    k.dump(4)
    return conformance("cp-async", k, ["128xi32"], "128xi32", integers(128), shared=512)


def shuffles():
    k = Kernel(32)
    value = k.load("%x", "%tid")
    for index, (kind, by, clamp) in zip(k.words(4), [("bfly", 5, 31), ("idx", 7, 31), ("up", 3, 0), ("down", 9, 31)]):
        k.store(k(f"nvvm.shfl.sync {kind} {k.const(-1)}, {value}, {k.const(by)}, {k.const(clamp)} : i32 -> i32"), index)
    return conformance("shfl", k, ["32xi32"], "128xi32", integers(32))


def scalar(name, ptx, rtol):
    k = Kernel(32)
    for index in k.words(4):
        value = k(f"llvm.bitcast {k.load('%x', index)} : i32 to f32")
        result = k(f'nvvm.inline_ptx "{ptx} $0, $1;" ro ({value} : f32) -> {"i32" if "tf32" in ptx else "f32"}')
        k.store(result, index, "i32" if "tf32" in ptx else "f32")
    return conformance(name, k, ["128xi32"], "128xi32" if "tf32" in ptx else "128xf32", halves("f32", 128), rtol=rtol)


def tile(swizzle):
    """A box of 16 rows that hangs over the edge of a 12 x 40 tensor of 16-bit elements."""
    k, columns = Kernel(128), (swizzle or 32) // 2
    k.tma_loads(8192, 16 * columns * 2, [(0, "%m0", [16, 4], None)])
    k.dump(16 * columns * 2 // 4 // 128 or 1)
    words = max(128, 16 * columns // 2)
    described = (f'{{arg = 0, kind = "tile", type = "bf16", sizes = [40, 12], strides = [80], box = [{columns}, 16], swizzle = {swizzle}}}')
    return conformance(f"tma-tile-{swizzle}", k, ["240xi32"], f"{words}xi32", integers(240), 9216, [described], "sm_90a")


def im2col(stride, pad):
    """64 channels of 3 x 3 windows over 9 x 9 pixels of two images, tap (2, 1), 32 pixels from pixel (pad, pad) before the image on."""
    k = Kernel(128)
    k.tma_loads(32768, 32 * 128, [(0, "%m0", [0, -pad, -pad, 0], [1, 2])])
    k.dump(8)
    low, high = -pad, pad - 2
    described = (f'{{arg = 0, kind = "im2col", type = "bf16", sizes = [64, 9, 9, 2], strides = [128, 1152, 10368], lower = [{low}, {low}], '
                 f'upper = [{high}, {high}], channels = 64, pixels = 32, element_strides = [1, {stride}, {stride}, 1], swizzle = 128}}')
    return conformance(f"tma-im2col-s{stride}-p{pad}", k, ["5184xi32"], "1024xi32", integers(5184), 33792, [described], "sm_90a")


def tile_tf32():
    """A map of tf32 over f32: the copy rounds."""
    k = Kernel(128)
    k.tma_loads(8192, 16 * 128, [(0, "%m0", [0, 0], None)])
    k.dump(4)
    described = '{arg = 0, kind = "tile", type = "tf32", sizes = [40, 12], strides = [160], box = [32, 16], swizzle = 128}'
    numbers = lambda: [np.random.default_rng(9).standard_normal(480).astype("f4").view(np.int32)]
    return conformance("tma-tf32", k, ["480xi32"], "512xi32", numbers, 9216, [described], "sm_90a")


def tma_store():
    """A box that hangs over the edge: what lies outside is not written."""
    k = Kernel(128)
    k.fill(4)
    k.do(FENCE)
    k.do("nvvm.barrier")

    def body():
        k.do(f"nvvm.cp.async.bulk.tensor.global.shared.cta %m0, %smem, box [{k.const(16)}, {k.const(6)}] : !llvm.ptr, !llvm.ptr<3>")
        k.do("nvvm.cp.async.bulk.commit.group")
        k.do("nvvm.cp.async.bulk.wait_group 0")
    k.lead(body)
    described = '{arg = 1, kind = "tile", type = "f32", sizes = [40, 12], strides = [160], box = [32, 16], swizzle = 128}'
    return conformance("tma-store", k, ["512xi32"], "480xi32", integers(512), 2048, [described], "sm_90a")


def wgmma(kind, transposed):
    """D[64][64] = A[64][64] * B, B as [n][k] or, transposed, as [k][n]; 128-byte swizzle, four steps of 16."""
    k = Kernel(128)
    k.tma_loads(32768, 16384, [(0, "%m0", [0, 0], None), (8192, "%m1", [0, 0], None)])

    def descriptor(offset, leading, stride):
        address = k.op("add", "%base", offset)
        low = k(f"llvm.zext {k.op('lshr', k.op('and', address, 0x3FFFF), 4)} : i32 to i64")
        return k.op("or", low, 1 << 62 | stride >> 4 << 32 | leading >> 4 << 16, "i64")

    value = k("llvm.mlir.zero : !acc")
    k.do("nvvm.wgmma.fence.aligned")
    layout = "row" if transposed else "col"
    for step in range(4):
        a = descriptor(32 * step, 16, 1024)
        b = descriptor(8192 + (2048 if transposed else 32) * step, 8192 if transposed else 16, 1024)
        value = k(f"nvvm.wgmma.mma_async {a}, {b}, {value}, <m = 64, n = 64, k = 16>, D [<f32>, <one>], A [<{kind}>, <one>, <row>], "
                  f"B [<{kind}>, <one>, <{layout}>] : !acc -> !acc")
    k.do("nvvm.wgmma.commit.group.sync.aligned")
    k.do("nvvm.wgmma.wait.group.sync.aligned 0")
    for i, index in enumerate(k.words(32)):
        k.store(k(f"llvm.extractvalue {value}[{i}] : !acc"), index, "f32")
    maps = [f'{{arg = {i}, kind = "tile", type = "{kind}", sizes = [64, 64], strides = [128], box = [64, 64], swizzle = 128}}' for i in (0, 1)]
    return conformance(f"wgmma-{kind}-{layout}", k, ["2048xi32", "2048xi32"], "4096xf32", halves(kind, 2048, 2048), 33792, maps,
                       "sm_90a", 1e-5, f"!acc = !llvm.struct<({', '.join(['f32'] * 32)})>")


CONFORMANCE = [ldmatrix(False), ldmatrix(True), stmatrix(), mma("f16"), mma("bf16"), mma("tf32"), cp_async(), shuffles(),
               scalar("cvt-rna-tf32", "cvt.rna.tf32.f32", 0.0), scalar("ex2-approx", "ex2.approx.f32", 1e-6),
               tile(32), tile(64), tile(128), tile_tf32(), im2col(1, 1), im2col(2, 1), im2col(1, 0), tma_store(),
               wgmma("bf16", False), wgmma("bf16", True), wgmma("f16", False), wgmma("f16", True)]

# ---- Single ops, for times -----------------------------------------------------------------------------------------------


def tensor(shape, dtype):
    return f"tensor<{'x'.join(map(str, shape))}x{dtype}>"


def entry(arguments, result, body, dtype):
    """arguments: (name, shape)."""
    dims = lambda shape: "[" + ", ".join(f'"{n}"' for n in shape) + "]"
    args = ", ".join(f'%{name}: {tensor(shape, dtype)} {{coat.name = "{name}", coat.dims = {dims(shape)}}}' for name, shape in arguments)
    return (f"func.func @net({args}) -> ({tensor(result, dtype)} {{coat.name = \"y\", coat.dims = {dims(result)}}}) "
            f"attributes {{coat.entry}} {{\n{body}\n  return %0 : {tensor(result, dtype)}\n}}\n")


def random_bits(*shapes):
    """16-bit floats between 1 and 2 in magnitude, whatever of the two kinds they are."""
    def make():
        rng = np.random.default_rng(3)
        return [(rng.integers(0, 128, shape, dtype=np.uint16) | np.uint16(0x3F80) | rng.integers(0, 2, shape, dtype=np.uint16) << 15)
                for shape in shapes]
    return make


def bench(name, text, inputs, peer, flops):
    return {"name": name, "kind": "bench", "text": text, "inputs": inputs, "peer": peer, "flops": flops, "rtol": 0, "atol": 0, "large": True}


def matmul_case(m, n, k, dtype):
    body = f"  %0 = coat.matmul %a, %b : ({tensor((m, k), dtype)}, {tensor((k, n), dtype)}) -> {tensor((m, n), dtype)}"
    return bench(f"matmul-{dtype}-{m}x{n}x{k}", entry([("a", (m, k)), ("b", (k, n))], (m, n), body, dtype),
                 random_bits((m, k), (k, n)), {"kind": "matmul", "m": m, "n": n, "k": k, "dtype": dtype}, 2 * m * n * k)


def conv_case(n, c, h, k, r, stride, pad, dtype):
    out = (h + 2 * pad - r) // stride + 1
    x, w, y = (n, h, h, c), (k, c, r, r), (n, out, out, k)
    body = (f"  %w = arith.constant dense<0.0625> : {tensor(w, dtype)}\n"
            f"  %0 = coat.conv %x, %w {{data_layout = #coat<layout channels_last>, strides = array<i64: {stride}, {stride}>, "
            f"dilations = array<i64: 1, 1>, pads = array<i64: {pad}, {pad}, {pad}, {pad}>}} : ({tensor(x, dtype)}, {tensor(w, dtype)}) -> {tensor(y, dtype)}")
    peer = {"kind": "conv", "n": n, "c": c, "h": h, "w": h, "k": k, "r": r, "stride": stride, "pad": pad, "dtype": dtype}
    return bench(f"conv-{dtype}-{c}x{h}-{k}-{r}x{r}-s{stride}", entry([("x", x)], y, body, dtype), random_bits(x), peer,
                 2 * n * out * out * k * c * r * r)


def attention_case(b, h, length, d, dtype, causal):
    shape = (b, h, length, d)
    body = (f"  %0 = coat.attention %q, %k, %v {{scale = {d ** -0.5!r}{', causal' if causal else ''}}} : "
            f"({', '.join([tensor(shape, dtype)] * 3)}) -> {tensor(shape, dtype)}")
    peer = {"kind": "attention", "b": b, "h": h, "l": length, "d": d, "causal": causal, "dtype": dtype}
    flops = 4 * b * h * length * length * d // (2 if causal else 1)
    return bench(f"attention-{dtype}-d{d}-{length}{'-causal' if causal else ''}",
                 entry([("q", shape), ("k", shape), ("v", shape)], shape, body, dtype), random_bits(shape, shape, shape), peer, flops)
