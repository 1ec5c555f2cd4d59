"""The kernels that are measured, in one list: names say the network and the operands."""

# name: (input height, input channels, output channels, kernel, stride, groups); images are square, padded by half the kernel.
CONVOLUTIONS = {
    "resnet50 7x7/2 224 3>64": (224, 3, 64, 7, 2, 1),
    "resnet50 3x3 56 64>64": (56, 64, 64, 3, 1, 1),
    "resnet50 3x3 28 128>128": (28, 128, 128, 3, 1, 1),
    "resnet50 3x3 14 256>256": (14, 256, 256, 3, 1, 1),
    "resnet50 3x3 7 512>512": (7, 512, 512, 3, 1, 1),
    "resnet50 3x3/2 56 128>128": (56, 128, 128, 3, 2, 1),
    "resnet50 3x3/2 28 256>256": (28, 256, 256, 3, 2, 1),
    "resnet50 3x3/2 14 512>512": (14, 512, 512, 3, 2, 1),
    "resnet50 1x1 56 64>256": (56, 64, 256, 1, 1, 1),
    "resnet50 1x1 56 256>64": (56, 256, 64, 1, 1, 1),
    "resnet50 1x1 28 128>512": (28, 128, 512, 1, 1, 1),
    "resnet50 1x1 14 1024>256": (14, 1024, 256, 1, 1, 1),
    "resnet50 1x1 14 256>1024": (14, 256, 1024, 1, 1, 1),
    "resnet50 1x1 7 2048>512": (7, 2048, 512, 1, 1, 1),
    "resnet50 1x1/2 56 256>512": (56, 256, 512, 1, 2, 1),
    "mobilenet 3x3/2 224 3>32": (224, 3, 32, 3, 2, 1),
    "mobilenet dw 3x3 112 32": (112, 32, 32, 3, 1, 32),
    "mobilenet dw 3x3/2 112 96": (112, 96, 96, 3, 2, 96),
    "mobilenet dw 3x3 56 144": (56, 144, 144, 3, 1, 144),
    "mobilenet dw 3x3 28 192": (28, 192, 192, 3, 1, 192),
    "mobilenet dw 3x3 14 384": (14, 384, 384, 3, 1, 384),
    "mobilenet dw 3x3 7 960": (7, 960, 960, 3, 1, 960),
    "mobilenet 1x1 56 24>144": (56, 24, 144, 1, 1, 1),
    "mobilenet 1x1 14 64>384": (14, 64, 384, 1, 1, 1),
    "mobilenet 1x1 7 160>960": (7, 160, 960, 1, 1, 1),
    "convnext dw 7x7 56 96": (56, 96, 96, 7, 1, 96),
    "convnext dw 7x7 28 192": (28, 192, 192, 7, 1, 192),
    "convnext dw 7x7 14 384": (14, 384, 384, 7, 1, 384),
    "convnext dw 7x7 7 768": (7, 768, 768, 7, 1, 768),
}

# name: (rows, columns, depth)
PRODUCTS = {
    "vit_b16 qkv 197x768>2304": (197, 2304, 768),
    "vit_b16 out 197x768>768": (197, 768, 768),
    "vit_b16 mlp 197x768>3072": (197, 3072, 768),
    "vit_b16 mlp 197x3072>768": (197, 768, 3072),
}

# name: (heads, length, depth, causal)
ATTENTIONS = {
    f"attention {h}x{s}x{d}{' causal' if causal else ''}": (h, s, d, causal)
    for h, s, d in ((12, 197, 64), (12, 1024, 64), (8, 4096, 64)) for causal in (False, True)
}

# name: (input height, channels, kernel, stride, padding, average)
POOLS = {
    "max 3x3/2 112 64": (112, 64, 3, 2, 1, False),
    "max 2x2/2 224 64": (224, 64, 2, 2, 0, False),
    "average 3x3 28 192": (28, 192, 3, 1, 1, True),
    "average 7x7 7 2048": (7, 2048, 7, 1, 0, True),
}

# name: (rows, size)
NORMS = {"layer norm 197x768": (197, 768), "layer norm 3136x96": (3136, 96)}
SOFTMAXES = {"softmax 2364x197": (2364, 197), "softmax 1x1000": (1, 1000)}
