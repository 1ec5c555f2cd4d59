"""The peers of the model benchmark, each one class: what it is called, its version, how it compiles a model, how it runs it.

`prepare` does once what is dear and can be kept (a file in the cache); the constructor loads. Calling a peer with the inputs in
order returns the outputs as NumPy arrays. `Missing` is raised with one line when a peer is not installed or cannot take a model.
"""
import importlib
from importlib import metadata
import os
import shutil
import subprocess
import sys

import numpy as np


class Missing(Exception):
    """This peer cannot be measured: the reason."""


def package(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Missing(f"not installed ({error}); pip install -r benchmarks/requirements.txt") from error


class Peer:
    @staticmethod
    def compiler():
        """The compiler's files, where its version does not say enough."""
        return []


class Coat(Peer):
    name = "coat"

    @staticmethod
    def version():
        where = os.path.dirname(os.path.abspath(__file__))
        commit = ["git", "-C", where, "describe", "--always", "--dirty"]
        command = commit if shutil.which("git") else [package("coat").driver(), "--version"]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()

    @staticmethod
    def compiler():
        return [package("coat").driver()]

    @staticmethod
    def prepare(model, stem):
        library = f"{stem}.so"
        command = [package("coat").driver(), "compile", model.onnx, "-O2", "-march=native", "--name", "model", "-o", library]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise Missing(done.stderr.strip())
        return library

    def __init__(self, model, path, threads):
        self.module = package("coat").load(path, threads=threads)

    def __call__(self, *inputs):
        return self.module(*inputs)


class OnnxRuntime(Peer):
    name = "onnxruntime"

    @staticmethod
    def version():
        return package("onnxruntime").__version__

    @staticmethod
    def prepare(model, stem):
        return model.onnx

    def __init__(self, model, path, threads):
        runtime = package("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 3
        self.session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.names = [v.name for v in self.session.get_inputs()]

    def __call__(self, *inputs):
        return self.session.run(None, dict(zip(self.names, inputs)))


class OpenVino(Peer):
    name = "openvino"

    @staticmethod
    def version():
        return package("openvino").__version__.split("-")[0]

    @staticmethod
    def prepare(model, stem):
        return model.onnx

    def __init__(self, model, path, threads):
        core = package("openvino").Core()
        hints = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32",
                 "ENABLE_CPU_PINNING": False}
        self.request = core.compile_model(path, "CPU", hints).create_infer_request()
        self.outputs = len(self.request.model_outputs)

    def __call__(self, *inputs):
        self.request.infer(list(inputs), share_inputs=True)
        return [self.request.get_output_tensor(i).data for i in range(self.outputs)]


class Iree(Peer):
    name = "iree"

    @staticmethod
    def version():
        package("iree.runtime")
        return metadata.version("iree-base-runtime")

    @staticmethod
    def prepare(model, stem):
        package("iree.compiler")
        tools = os.path.dirname(sys.executable)
        compiled = f"{stem}.vmfb"
        options = ["--iree-hal-target-device=local", "--iree-hal-local-target-device-backends=llvm-cpu",
                   "--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3"]
        # 17 is the least opset its importer reads; a newer model stays as it is.
        upgrade = ["--opset-version", "17"] if model.opset() < 17 else []
        for command in ([f"{tools}/iree-import-onnx", model.onnx, "-o", f"{stem}.mlir", *upgrade],
                        [f"{tools}/iree-compile", f"{stem}.mlir", "-o", compiled, *options]):
            done = subprocess.run(command, capture_output=True, text=True, timeout=600)
            if done.returncode:
                lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
                raise Missing((lines or ["failed"])[0][:200])
        os.remove(f"{stem}.mlir")
        return compiled

    def __init__(self, model, path, threads):
        runtime = package("iree.runtime")
        if threads > 1:
            runtime.flags.parse_flags(f"--task_topology_group_count={threads}")
        config = runtime.Config(device=runtime.get_device("local-sync" if threads == 1 else "local-task"))
        module = runtime.load_vm_module(runtime.VmModule.mmap(config.vm_instance, path), config)
        entry = next(n for n in module.vm_module.function_names if not n.startswith("_") and not n.endswith("$async"))
        self.entry = module[entry]

    def __call__(self, *inputs):
        results = self.entry(*inputs)
        return [np.asarray(r) for r in (results if isinstance(results, (list, tuple)) else [results])]


class AotInductor(Peer):
    name = "aotinductor"

    @staticmethod
    def version():
        return package("torch").__version__

    @staticmethod
    def prepare(model, stem):
        torch = package("torch")
        module, example = model.torch()
        # Freezing lets Inductor pack the weights of convolutions and products, as the other peers do.
        with torch.no_grad(), package("torch._inductor.config").patch(freezing=True):
            program = torch.export.export(module, example)
            return torch._inductor.aoti_compile_and_package(program, package_path=f"{stem}.pt2")

    def __init__(self, model, path, threads):
        self.torch = package("torch")
        package("torch._inductor")
        self.torch.set_num_threads(threads)
        self.run = self.torch._inductor.aoti_load_package(path)

    def __call__(self, *inputs):
        with self.torch.no_grad():
            results = self.run(*map(self.torch.from_numpy, inputs))
        return [r.numpy() for r in (results if isinstance(results, (list, tuple)) else [results])]


PEERS = [OnnxRuntime, OpenVino, Iree, AotInductor]
