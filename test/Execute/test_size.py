"""What a compiled library may take on disk, by the size of the model: 1.1x + 1 MiB at -Os, 4x + 1 MiB at -O2 (Winograd)."""
import os

import pytest

import coat

MIB = 1 << 20


@pytest.mark.parametrize("level,factor", [("s", 1.1), (2, 4)], ids=["Os", "O2"])
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.xdist_group(n))
                                  for n in ("lenet5", "mobilenet_v2", "resnet18", "vit_ti16")])
def test_size(model, name, level, factor):
    path = f"{model(name)}.legacy.onnx"  # little else than its weights
    module = coat.compile(path, opt_level=level)
    assert os.path.getsize(module.path) <= factor * os.path.getsize(path) + MIB
