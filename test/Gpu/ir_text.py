"""What kernels written by hand share: lines of IR with numbered values, and the pieces of it that repeat."""

MAP = "!llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<16 x i64>, nvvm.grid_constant}"
FENCE = "nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}"


class Text:
    """Lines of IR; `dialect` is where arithmetic and constants come from. %smem is shared memory. One instruction a line, so that a
    test can plant a fault by a replacement."""

    def __init__(self, dialect):
        self.dialect, self.lines, self.count = dialect, [], 0

    def do(self, line):
        self.lines.append("  " + line)

    def __call__(self, line):
        self.count += 1
        self.do(f"%v{self.count} = {line}")
        return f"%v{self.count}"

    def const(self, value, type="i32"):
        """Written where it is used; a value that is there already stays."""
        if isinstance(value, str):
            return value
        return self(f"arith.constant {value} : {type}" if self.dialect == "arith" else f"llvm.mlir.constant({value} : {type}) : {type}")

    def op(self, name, a, b, type="i32"):
        a, b = self.const(a, type), self.const(b, type)
        return self(f"{self.dialect}.{name} {a}, {b} : {type}")

    def shared(self, bytes):
        return self(f"llvm.getelementptr %smem[{self.const(bytes)}] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8")

    def copy_box(self, to, map, barrier, at, offsets=None):
        """A bulk load by a tensor map into shared memory; `offsets` of the window, for im2col."""
        to = self(f"llvm.addrspacecast {to} : !llvm.ptr<3> to !llvm.ptr<7>")
        tail = f" im2col [{', '.join(self.const(o, 'i16') for o in offsets)}] {{mode = #nvvm.tma_load_mode<im2col>}}" if offsets else ""
        box = ", ".join([self.const(c) for c in at])
        self.do(f"nvvm.cp.async.bulk.tensor.shared.cluster.global {to}, {map}, {barrier}, box [{box}]{tail} : !llvm.ptr<7>, !llvm.ptr")
