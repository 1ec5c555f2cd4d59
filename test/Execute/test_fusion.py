"""Recognition and fusion, proven on real models by counting kernels; each count fails when its pass is disabled."""
import os

import pytest

import coat


def kinds(module):
    return [kernel["ops"].split("+") for kernel in module.info["kernels"]]


@pytest.mark.xdist_group("vit_ti16")
@pytest.mark.parametrize("exporter", ["legacy", "dynamo"])
def test_vit_has_twelve_attentions(model, exporter):
    path = f"{model('vit_ti16')}.{exporter}.onnx"
    ops = kinds(coat.compile(path))
    assert sum("attention" in k for k in ops) == 12
    assert not any("softmax" in k for k in ops)
    without = kinds(coat.compile(path, flags=["--disable-pass=coat-recognize-attention"]))
    assert not any("attention" in k for k in without)


@pytest.mark.parametrize("file", [pytest.param(f, marks=pytest.mark.xdist_group(f.split(".")[0]))
                                  for f in ("resnet50.legacy", "resnet50.dynamo", "light_resnet50")])
def test_resnet50_kernels(model, file):
    name = file.split(".")[0]
    path = model(name) + file[len(name):] + ".onnx"
    kernels = coat.compile(path).info["kernels"]
    assert len({kernel["name"] for kernel in kernels}) <= 60
    assert not any(kernel["ops"].split("+")[0] in ("batch_norm", "relu", "add") for kernel in kernels)
    # A Winograd convolution may be two launches; everything else is fused into at most 60.
    assert sum(kernel["ops"] != "winograd_input" for kernel in kernels) <= 60


@pytest.mark.xdist_group("light_resnet50")
def test_resnet50_needs_batch_norm_folding(model):
    ops = kinds(coat.compile(model("light_resnet50") + ".onnx", flags=["--disable-pass=coat-fold-batch-norm"]))
    assert any("batch_norm" in kind for k in ops for kind in k)


@pytest.mark.xdist_group("mobilenet_v2")
@pytest.mark.parametrize("exporter", ["legacy", "dynamo"])
def test_mobilenet_clips_are_fused(model, exporter):
    ops = kinds(coat.compile(f"{model('mobilenet_v2')}.{exporter}.onnx"))
    assert sum("clip" in k for k in ops) == 35
    assert not any(k[0] == "clip" for k in ops)


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.xdist_group(n)) for n in ("keras_lenet", "keras_conv_attention")])
def test_keras_leaves_no_movement(model, name):
    ops = kinds(coat.compile(f"{model(name)}.keras.onnx"))
    assert not any(k[0] in ("cast", "transpose") for k in ops)


@pytest.mark.xdist_group("efficientnet_b0")
@pytest.mark.parametrize("exporter", ["legacy", "dynamo"])
def test_efficientnet_activations_are_fused(model, exporter):
    ops = kinds(coat.compile(f"{model('efficientnet_b0')}.{exporter}.onnx"))
    assert sum("silu" in k for k in ops) == 49
    assert not any(k[0] in ("silu", "sigmoid", "batch_norm") for k in ops)


@pytest.mark.skipif(not os.environ.get("COAT_TEST_LONG"), reason="takes long; scripts/check_long.sh runs it")
@pytest.mark.parametrize("exporter", ["legacy", "dynamo"])
@pytest.mark.parametrize("name", ["swin_t", "vit_b16", "bert_base"])
def test_large_models_have_twelve_attentions(model, name, exporter):
    """With biases by relative position, masks of shifted windows, and masks of tokens."""
    ops = kinds(coat.compile(f"{model(name)}.{exporter}.onnx"))
    assert sum("attention" in k for k in ops) == 12
    assert not any("softmax" in k for k in ops)
