"""Models for the tests of the importer: every NAME.txt of a folder, in ONNX's text syntax, becomes NAME.onnx.

The initializers of NAME.external.txt go to a file NAME.data beside the model, NAME.onnx.
"""

import pathlib
import sys

import onnx
import onnx.parser

for path in pathlib.Path(sys.argv[1]).glob("*.txt"):
    model = onnx.parser.parse_model(path.read_text(encoding="utf-8"))
    name = path.name.split(".")[0]
    target = path.with_name(name + ".onnx")
    if ".external" in path.name:
        onnx.save(model, target, save_as_external_data=True, location=name + ".data", size_threshold=0)
    else:
        onnx.save(model, target)
