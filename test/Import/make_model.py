"""Models for the tests of the importer: every NAME.txt of a folder, in ONNX's text syntax, becomes NAME.onnx.

The initializers of NAME.external.txt go to a file NAME.data beside the model, NAME.onnx; NAME.escape.txt claims
that they lie outside the model's folder.
"""

import pathlib
import sys

import onnx
import onnx.numpy_helper
import onnx.parser


def save(path: pathlib.Path) -> None:
    model = onnx.parser.parse_model(path.read_text(encoding="utf-8"))
    name, *kind = path.name.removesuffix(".txt").split(".")
    target = path.with_name(name + ".onnx")
    if not kind:
        onnx.save(model, target)
        return
    for tensor in model.graph.initializer:  # only raw data can be external
        tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor), tensor.name))
    target.with_name(name + ".data").unlink(missing_ok=True)  # onnx would append to it
    onnx.save(model, target, save_as_external_data=True, location=name + ".data", size_threshold=0)
    if kind == ["escape"]:
        model = onnx.load(target, load_external_data=False)
        for tensor in model.graph.initializer:
            next(entry for entry in tensor.external_data if entry.key == "location").value = "../outside.data"
        target.write_bytes(model.SerializeToString())


for text in pathlib.Path(sys.argv[1]).glob("*.txt"):
    save(text)
