"""The kernels of a small model as coat writes them: their text, in MLIR's generic form, and how they are launched."""
import os
import re
import subprocess

from onnx import TensorProto, helper, numpy_helper, save

import ptxas_cache  # noqa: F401
from emulate import BUILD, TensorMap


def tool(name):
    return os.path.join(BUILD, "bin", name)


def save_model(path, nodes, inputs, outputs, constants, type=TensorProto.FLOAT, opset=18):
    """A model of tensors of one type: inputs and outputs are {name: shape}."""
    info = lambda shapes: [helper.make_tensor_value_info(name, type, shape) for name, shape in shapes.items()]
    graph = helper.make_graph([helper.make_node(op, ins, outs, **attributes) for op, ins, outs, attributes in nodes], "g",
                              info(inputs), info(outputs), [numpy_helper.from_array(value, name) for name, value in constants.items()])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9), path)


def device_text(model, folder, arch, *flags):
    """What the model is behind the NVGPU stage."""
    binary = os.path.join(folder, "kernels.mlirbc")
    subprocess.run([tool("coat"), "compile", model, "--device=cuda", f"--gpu-arch={arch}", "--stop-after=nvgpu", "-o", binary,
                    *flags], check=True)
    return subprocess.run([tool("coat-opt"), binary, "--mlir-print-op-generic"], check=True, capture_output=True, text=True).stdout


def attributes_of(text, kernel):
    return re.search(r"\{coat\.grid[^\n]*", text[text.index(f'sym_name = "{kernel}"'):]).group()


def launch_of(text, kernel):
    """Grid, block and shared bytes of `k0`."""
    line = attributes_of(text, kernel)
    numbers = lambda name: [int(n) for n in re.search(name + r" = array<i\d+: ([\d, ]+)>", line).group(1).split(",")]
    return dict(grid=numbers("coat.grid"), block=numbers("nvvm.reqntid"), shared=int(re.search(r"coat.shared = (\d+)", line).group(1)))


def maps_of(text, kernel, arrays):
    """The kernel's tensor maps over the arrays that it gets."""
    maps = []
    for entry in re.findall(r"\{arg = [^}]*\}", attributes_of(text, kernel)):
        number = lambda name: int((re.search(rf"\b{name} = (-?\d+)", entry) or [0, 0])[1])
        numbers = lambda name: [int(n) for n in (re.search(rf"\b{name} = array<i64: ([-\d, ]+)>", entry) or ["", "0"])[1].split(",")]
        im2col = dict(lower=numbers("lower"), upper=numbers("upper"), channels=number("channels"), pixels=number("pixels"),
                      element_strides=numbers("element_strides")) if '"im2col"' in entry else dict(box=numbers("box"))
        maps.append(TensorMap(arrays[number("arg")], re.search(r'type = "(\w+)"', entry)[1], swizzle=number("swizzle"),
                              sizes=numbers("sizes"), strides=numbers("strides"), **im2col))
    return maps
