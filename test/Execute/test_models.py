"""Whole models against the framework that made them: at -O0 and -O2, with 1 and 2 threads, bit for bit equal between these."""
import os

import numpy as np
import pytest

import coat
from conftest import within_bounds

TORCH = ["lenet5", "resnet18", "resnet50", "mobilenet_v2", "mobilenet_v2_batch8", "googlenet", "vit_ti16", "unet_attention",
         "se_resnet18", "cbam_resnet18", "text_classifier", "cross_attention", "conv3d", "conv_attention", "efficientnet_b0"]
LITERATURE = ["detr", "conformer", "diffusion_block", "image_text", "plain_attention", "conv_plain_attention",
              "lstm_attention", "rnn_attention", "gru_classifier"]
# Up to 110 million parameters: scripts/check_long.sh runs them.
LARGE = ["convnext_t", "swin_t", "vit_b16", "bert_base", "coatnet_0", "cvt_13", "mobilevit_s", "whisper_tiny_encoder"]
GRAPHS = ["region_attention", "deformable"]
KERAS = ["keras_lenet", "keras_conv_attention"]
LIGHT = ["light_bvlc_alexnet", "light_densenet121", "light_inception_v1", "light_inception_v2", "light_resnet50",
         "light_shufflenet", "light_squeezenet", "light_vgg19", "light_zfnet512"]
FILES = ([(n, f"{n}.{e}.onnx") for n in TORCH + LITERATURE + LARGE for e in ("legacy", "dynamo")] + [(n, f"{n}.keras.onnx") for n in KERAS] +
         [(n, f"{n}.onnx") for n in GRAPHS + LIGHT])
# Scalar loops over half a gigabyte of weights, or many: -O0 is run for these by scripts/check_long.sh. So it is for the
# second export of a model: what differs between exporters is gone before -O0 and -O2 part.
SLOW_REFERENCE = {"mobilenet_v2_batch8", "light_vgg19", "light_zfnet512", "light_resnet50", "light_inception_v2"}
LONG = bool(os.environ.get("COAT_TEST_LONG"))


def arrays(path):
    data = np.load(path)
    outputs = [data[k] for k in data if k.startswith("output_")]
    return {k: data[k] for k in data if not k.startswith("output_")}, outputs


def each(cases):
    """Cases of one model run on one worker, so that it is exported once."""
    return [pytest.param(*case, marks=pytest.mark.xdist_group(case[0])) for case in cases]


@pytest.mark.parametrize("level", [2, 0], ids=["O2", "O0"])
@pytest.mark.parametrize("name,file", each(FILES), ids=[f for _, f in FILES])
def test_model(model, name, file, level):
    if not LONG and (name in LARGE or level == 0 and (name in SLOW_REFERENCE or ".dynamo." in file)):
        pytest.skip("takes long; scripts/check_long.sh runs it")
    prefix = model(name)
    inputs, expected = arrays(prefix + ".npz")
    module = coat.compile(os.path.join(os.path.dirname(prefix), file), opt_level=level)
    one = module(**inputs)
    for got, want in zip(one, expected, strict=True):
        within_bounds(got, want)
    two = coat.load(module.path, threads=2)(**inputs)
    for a, b in zip(one, two):
        np.testing.assert_array_equal(a, b)


SYMBOLIC = [("resnet18", "image", "N", (1, 8), (1, 3, 8)), ("vit_ti16", "image", "N", (1, 8), (1, 3, 8)),
            ("text_classifier", "tokens", "L", (1, 128), (1, 17, 128))]


@pytest.mark.parametrize("name,tensor,symbol,bounds,sizes", each(SYMBOLIC), ids=[s[0] for s in SYMBOLIC])
def test_symbolic(model, name, tensor, symbol, bounds, sizes):
    """One library for a range of sizes; sizes outside it are refused with the documented message."""
    prefix = model(name)
    data = np.load(prefix + ".symbolic.npz")
    axis = 0 if symbol == "N" else 1
    module = coat.compile(prefix + ".symbolic.onnx", dims={symbol: bounds})
    for size in sizes:
        got, = module(data[f"{tensor}_{size}"])
        within_bounds(got, data[f"output_0_{size}"])
    for size in (bounds[0] - 1, bounds[1] + 1):
        x = data[f"{tensor}_{sizes[-1]}"]
        wrong = np.resize(x, [size if i == axis else n for i, n in enumerate(x.shape)])
        with pytest.raises(ValueError, match=rf"= {size}, compiled for {bounds[0]}\.\.{bounds[1]}"):
            module(wrong)


@pytest.mark.parametrize("exporter", ["legacy", "dynamo"])
@pytest.mark.xdist_group("caption_step")
def test_captioning(model, exporter):
    """32 steps of a decoder whose cache of keys and values grows by one a step: one library for all lengths."""
    prefix = model("caption_step")
    data = np.load(prefix + ".npz")
    step = coat.compile(f"{prefix}.{exporter}.onnx", dims={"P": (1, 40)})
    keys, values = data["past_keys"], data["past_values"]
    for i in range(32):
        logits, keys, values = step(data[f"token_{i}"], np.array([[i]]), data["image"], keys, values)
        within_bounds(logits, data[f"logits_{i}"])
    within_bounds(keys, data["last_keys"])
    within_bounds(values, data["last_values"])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.xdist_group("unet_attention")
def test_eight_callers(model, threads):
    """8 threads that call one module, each with inputs of its own, get what one alone gets, bit for bit."""
    from concurrent.futures import ThreadPoolExecutor
    compiled = coat.compile(model("unet_attention") + ".dynamo.onnx", threads=threads)
    images = np.random.default_rng(8).standard_normal((8, 1, 3, 64, 64)).astype(np.float32)
    alone = [compiled(image)[0] for image in images]
    with ThreadPoolExecutor(8) as callers:
        together = list(callers.map(lambda image: [compiled(image)[0] for _ in range(5)], images))
    for want, results in zip(alone, together):
        for got in results:
            np.testing.assert_array_equal(got, want)
