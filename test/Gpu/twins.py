"""Twins of the large models: the same ops one after another, with few channels, small images and few blocks, so that the emulator computes
each in seconds. Every kind of kernel of the large model is there, products of at least 64 rows (warpgroups) and of fewer among them, and
sizes that no tile divides.

  twins.py OUT [name ...]      OUT/<name>.legacy.onnx, OUT/<name>.npz (inputs, then output_0), as test/models/export.py writes them; "-" for names on stdin"""
import os
import sys
import warnings

warnings.filterwarnings("ignore")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../models"))
import numpy as np
import torch
from torch import nn

import networks
from networks import Bottleneck, InvertedResidual, UNet, ViT, conv_bn
from swin import Swin


def head(channels, classes):
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]


def resnet50():
    """Stage by stage: 312 pixels, 84 and 24."""
    layers, cin = [conv_bn(3, 16, 7, 2), nn.MaxPool2d(3, 2, 1)], 16
    for c, stride in [(16, 1), (16, 1), (24, 2), (24, 1), (40, 2)]:
        layers.append(Bottleneck(cin, c, stride))
        cin = 4 * c
    return nn.Sequential(*layers, *head(cin, 37))


def mobilenet_v2():
    layers, cin = [conv_bn(3, 16, 3, 2, act=nn.ReLU6)], 16
    for expand, cout, stride in [(1, 8, 1), (6, 12, 2), (6, 12, 1), (6, 20, 2), (6, 24, 1)]:
        layers.append(InvertedResidual(cin, cout, stride, expand))
        cin = cout
    return nn.Sequential(*layers, conv_bn(cin, 72, 1, act=nn.ReLU6), *head(72, 41))


image = lambda *shape: lambda: {"image": torch.randn(*shape)}
TWINS = {
    "resnet50_twin": (resnet50, image(2, 3, 49, 45)),
    "mobilenet_v2_twin": (mobilenet_v2, image(1, 3, 41, 37)),
    "vit_ti16_twin": (lambda: ViT(dim=64, depth=2, heads=2, patch=4, size=48), image(1, 3, 48, 48)),  # 145 tokens
    "unet_attention_twin": (lambda: UNet((8, 16, 24)), image(1, 3, 28, 20)),
    "swin_t_twin": (lambda: Swin(dim=64, depths=(2, 1), heads=(2, 4), size=56), image(1, 3, 56, 56)),  # 4 windows of 49, then 1
}


def main():
    out, wanted = sys.argv[1], sys.argv[2:]
    networks.networks.update(TWINS)
    for name in (map(str.strip, sys.stdin) if wanted == ["-"] else wanted or TWINS):
        module, inputs = networks.build(name)
        with torch.no_grad():
            result = module(*inputs.values())
        np.savez(f"{out}/{name}.npz", **{key: value.numpy() for key, value in inputs.items()}, output_0=result.numpy())
        torch.onnx.export(module, tuple(inputs.values()), f"{out}/{name}.legacy.onnx", dynamo=False, opset_version=17,
                          input_names=list(inputs), output_names=["output_0"])
        print(name, flush=True)


if __name__ == "__main__":
    main()
