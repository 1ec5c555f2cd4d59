"""A GPU and compiled CUDA models through ctypes and nothing else: Python's own library is all that a machine must have."""
import ctypes as c
import os

OK, CUDA = 0, 1
HOST_TENSORS = 1
ELEMENT_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 2, 8: 4, 9: 8, 10: 2, 11: 2, 12: 4, 13: 8}
OUTPUT = 1


class Options(c.Structure):  # coat_options of coat/coat.h
    _fields_ = [("struct_size", c.c_size_t), ("state", c.c_void_p), ("workspace", c.c_void_p),
                ("workspace_size", c.c_size_t), ("alloc", c.c_void_p), ("free", c.c_void_p), ("alloc_ctx", c.c_void_p),
                ("parallel_for", c.c_void_p), ("parallel_ctx", c.c_void_p), ("threads", c.c_int32),
                ("flags", c.c_uint32), ("weights", c.c_void_p), ("profile", c.c_void_p), ("profile_ctx", c.c_void_p),
                ("stream", c.c_void_p), ("error", c.c_char_p), ("error_size", c.c_size_t)]


class Dim(c.Structure):
    _fields_ = [("size", c.c_int64), ("symbol", c.c_int32), ("count", c.c_int32), ("text", c.c_char_p), ("code", c.c_void_p)]


class TensorInfo(c.Structure):
    _fields_ = [("name", c.c_char_p), ("field", c.c_char_p), ("dtype", c.c_int32), ("rank", c.c_int32),
                ("flags", c.c_uint32), ("reserved", c.c_uint32), ("dims", c.POINTER(Dim))]


class KernelInfo(c.Structure):
    _fields_ = [("name", c.c_char_p), ("nodes", c.c_char_p), ("ops", c.c_char_p), ("flops", c.c_int64), ("bytes", c.c_int64)]


class Info(c.Structure):  # coat_model_info
    _fields_ = [("struct_size", c.c_size_t), ("abi", c.c_int32), ("device", c.c_int32), ("name", c.c_char_p),
                ("compiler", c.c_char_p), ("source_hash", c.c_char_p), ("input_count", c.c_int32),
                ("output_count", c.c_int32), ("symbol_count", c.c_int32), ("alias_count", c.c_int32),
                ("isa_count", c.c_int32), ("kernel_count", c.c_int32), ("tensors", c.POINTER(TensorInfo)),
                ("symbols", c.c_void_p), ("aliases", c.c_void_p), ("isas", c.c_void_p), ("kernels", c.POINTER(KernelInfo)),
                ("weights_size", c.c_size_t),
                ("run", c.CFUNCTYPE(c.c_int, c.POINTER(c.c_void_p), c.POINTER(c.c_int64), c.POINTER(Options))),
                ("workspace_size", c.CFUNCTYPE(c.c_size_t, c.POINTER(c.c_int64), c.POINTER(Options))),
                ("shape", c.c_void_p), ("state_size", c.CFUNCTYPE(c.c_size_t)),
                ("init", c.CFUNCTYPE(c.c_int, c.c_void_p, c.POINTER(Options))), ("fini", c.CFUNCTYPE(None, c.c_void_p)),
                ("strerror", c.CFUNCTYPE(c.c_char_p, c.c_int))]


class Failed(Exception):
    """A call of the driver or of a model that did not succeed."""


class Driver:
    """libcuda, with the primary context of device 0 current."""

    def __init__(self):
        try:
            self.library = c.CDLL("libcuda.so.1")
        except OSError as error:
            raise Failed(f"no CUDA driver: {error}") from None
        self("cuInit", 0)
        self.device = self.get("cuDeviceGet", c.c_int, 0)
        self.context = self.get("cuDevicePrimaryCtxRetain", c.c_void_p, self.device)
        self("cuCtxSetCurrent", self.context)

    def __call__(self, name, *arguments):
        code = getattr(self.library, name)(*arguments)
        if code:
            text = c.c_char_p()
            self.library.cuGetErrorString(code, c.byref(text))
            raise Failed(f"{name}: {(text.value or b'unknown error').decode()} ({code})")

    def get(self, name, kind, *arguments):
        result = kind()
        self(name, c.byref(result), *arguments)
        return result

    def describe(self):
        name = c.create_string_buffer(100)
        try:
            self("cuDeviceGetName", name, 100, self.device)
        except (Failed, AttributeError):
            name.value = b"unknown"
        attribute = lambda n: self.get("cuDeviceGetAttribute", c.c_int, n, self.device).value
        return {"gpu": name.value.decode(), "capability": f"{attribute(75)}.{attribute(76)}",
                "driver": self.get("cuDriverGetVersion", c.c_int).value}

    def allocate(self, size):
        return self.get("cuMemAlloc_v2", c.c_uint64, c.c_size_t(max(size, 1)))

    def release(self, pointer):
        self("cuMemFree_v2", pointer)

    def to_device(self, pointer, data):
        self("cuMemcpyHtoD_v2", pointer, data, c.c_size_t(len(data)))

    def to_host(self, pointer, size):
        data = c.create_string_buffer(size)
        self("cuMemcpyDtoH_v2", data, pointer, c.c_size_t(size))
        return data.raw


class Model:
    """A library of coat, initialised, with device memory for its tensors and workspace."""

    def __init__(self, driver, path):
        self.driver, self.library = driver, c.CDLL(os.path.abspath(path))
        self.library.coat_model_v1.restype = c.POINTER(Info)
        self.info = self.library.coat_model_v1().contents
        if self.info.device != CUDA:
            raise Failed(f"{path}: expected a CUDA model")
        count = self.info.input_count + self.info.output_count
        self.tensors = [self.info.tensors[i] for i in range(count)]
        self.sizes = []
        for tensor in self.tensors:
            size = ELEMENT_BYTES[tensor.dtype]
            for d in range(tensor.rank):
                size *= tensor.dims[d].size
            self.sizes.append(size)
        self.error = c.create_string_buffer(300)
        self.memory = c.create_string_buffer(self.info.state_size() + 64)
        self.state = (c.addressof(self.memory) + 63) & ~63
        options = self.options()
        self.check(self.info.init(self.state, c.byref(options)))
        self.stream = driver.get("cuStreamCreate", c.c_void_p, 1)
        self.workspace_size = self.info.workspace_size(None, c.byref(options))
        self.workspace = driver.allocate(self.workspace_size)
        self.buffers = [driver.allocate(size) for size in self.sizes]

    def options(self, **fields):
        options = Options(struct_size=c.sizeof(Options), state=self.state, error_size=300, **fields)
        options.error = c.cast(self.error, c.c_char_p)
        self.error.value = b""
        return options

    def check(self, status):
        if status != OK:
            raise Failed(self.error.value.decode() or self.info.strerror(status).decode())

    def inputs(self):
        return range(self.info.input_count)

    def outputs(self):
        return range(self.info.input_count, len(self.tensors))

    def run(self, pointers=None, stream=None):
        """Queues a run on device pointers, its own unless given."""
        table = (c.c_void_p * len(self.tensors))(*(p.value for p in self.buffers) if pointers is None else pointers)
        options = self.options(workspace=self.workspace.value, workspace_size=self.workspace_size,
                               stream=self.stream if stream is None else stream)
        self.check(self.info.run(table, None, c.byref(options)))

    def run_host(self, inputs):
        """A run with host tensors; outputs as bytes."""
        data = [c.create_string_buffer(value, len(value)) for value in inputs]
        data += [c.create_string_buffer(self.sizes[i]) for i in self.outputs()]
        table = (c.c_void_p * len(data))(*map(c.addressof, data))
        options = self.options(flags=HOST_TENSORS)
        self.check(self.info.run(table, None, c.byref(options)))
        return [data[i].raw for i in self.outputs()]

    def upload(self, inputs):
        for i, data in zip(self.inputs(), inputs):
            self.driver.to_device(self.buffers[i], data)
        for i in self.outputs():
            self.driver.to_device(self.buffers[i], b"\xff" * self.sizes[i])

    def wait(self):
        self.driver("cuStreamSynchronize", self.stream)

    def download(self):
        self.wait()
        return [self.driver.to_host(self.buffers[i], self.sizes[i]) for i in self.outputs()]

    def capture(self):
        """The run as a graph that can be launched."""
        self.driver("cuStreamBeginCapture_v2", self.stream, 0)
        try:
            self.run()
        finally:
            graph = c.c_void_p()
            self.driver("cuStreamEndCapture", self.stream, c.byref(graph))
        launchable = self.driver.get("cuGraphInstantiateWithFlags", c.c_void_p, graph, c.c_ulonglong(0))
        self.driver("cuGraphDestroy", graph)
        return launchable

    def close(self):
        for buffer in [self.workspace, *self.buffers]:
            self.driver.release(buffer)
        self.driver("cuStreamDestroy_v2", self.stream)
        self.info.fini(self.state)


class Timer:
    """Milliseconds on a stream, by events."""

    def __init__(self, driver, stream):
        self.driver, self.stream = driver, stream
        self.events = [driver.get("cuEventCreate", c.c_void_p, 0) for _ in range(2)]

    def __call__(self, work, count):
        self.driver("cuEventRecord", self.events[0], self.stream)
        for _ in range(count):
            work()
        self.driver("cuEventRecord", self.events[1], self.stream)
        self.driver("cuEventSynchronize", self.events[1])
        elapsed = c.c_float()
        for name in ("cuEventElapsedTime_v2", "cuEventElapsedTime"):
            if hasattr(self.driver.library, name):
                self.driver(name, c.byref(elapsed), *self.events)
                break
        return elapsed.value / count
