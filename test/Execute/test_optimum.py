"""--dim N=1..32:8: schedules are those of the optimum, results are right in the whole range."""
import numpy as np
import pytest

import coat
from conftest import within_bounds

torch = pytest.importorskip("torch")
nn = torch.nn


class Net(nn.Module):
    """Every algorithm of Strategy: direct, depthwise, pointwise and dense products, pooling, norms, attention."""

    def __init__(self, attends):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 32, 3, 1, 1, groups=32), nn.Conv2d(32, 64, 1),
                                  nn.GroupNorm(4, 64), nn.Conv2d(64, 64, 3, 1, 1), nn.SiLU(), nn.MaxPool2d(2))
        self.attends, self.norm, self.head = attends, nn.LayerNorm(64), nn.Linear(64, 10)

    def forward(self, x):
        x = self.norm(self.stem(x).flatten(2).transpose(1, 2))
        if self.attends:
            x = nn.functional.scaled_dot_product_attention(x[:, None], x[:, None], x[:, None])[:, 0]
        return self.head(x.mean(1))


def results(tmp_path, attends, dynamic, dims, shapes):
    torch.manual_seed(0)
    net = Net(attends).eval()
    path = str(tmp_path / "net.onnx")
    torch.onnx.export(net, (torch.randn(2, 3, 32, 32),), path, dynamo=False, input_names=["x"], dynamic_axes={"x": dynamic})
    module = coat.compile(path, dims=dims)
    for shape in shapes:
        x = torch.randn(shape[0], 3, *shape[1:])
        with torch.no_grad():
            within_bounds(module(x.numpy())[0], net(x).numpy())


@pytest.mark.parametrize("best", [1, 8, 32])
def test_batch(tmp_path, best):
    results(tmp_path, True, {0: "N"}, {"N": (1, 32, best)}, [(n, 32, 32) for n in (1, 3, 8, 32)])


@pytest.mark.parametrize("best", [(2, 32, 48), (1, 16, 16)])
def test_image(tmp_path, best):
    dims = {name: (*bounds, size) for name, bounds, size in zip("NHW", [(1, 4), (16, 64), (16, 64)], best)}
    results(tmp_path, False, {0: "N", 2: "H", 3: "W"}, dims, [(1, 16, 16), (2, 32, 48), (4, 64, 64), (3, 21, 36)])


def test_outside_the_range(tmp_path):
    with pytest.raises(coat.CompileError, match="least..most"):
        results(tmp_path, False, {0: "N"}, {"N": (1, 8, 9)}, [])
