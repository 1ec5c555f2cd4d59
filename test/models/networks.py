"""The PyTorch networks of the test suite, small enough to read, with random weights from a fixed seed.

`networks` maps a name to (module, example inputs as {name: tensor}, dynamic axes or None).
"""
import torch
from torch import nn
import torch.nn.functional as F

from bert import Bert, bert_inputs
from swin import Swin


def conv_bn(cin, cout, k=3, s=1, p=None, groups=1, act=nn.ReLU):
    layers = [nn.Conv2d(cin, cout, k, s, k // 2 if p is None else p, groups=groups, bias=False), nn.BatchNorm2d(cout)]
    return nn.Sequential(*layers, act()) if act else nn.Sequential(*layers)


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5),
                                      nn.Tanh(), nn.AvgPool2d(2))
        self.classifier = nn.Sequential(nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10))

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


class SqueezeExcitation(nn.Module):
    def __init__(self, c, r=16):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(c, c // r, 1), nn.Conv2d(c // r, c, 1)

    def forward(self, x):
        s = F.adaptive_avg_pool2d(x, 1)
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(s))))


class CBAM(nn.Module):
    def __init__(self, c, r=16):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(c, c // r), nn.ReLU(), nn.Linear(c // r, c))
        self.spatial = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x):
        b, c, _, _ = x.shape
        gate = torch.sigmoid(self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))).view(b, c, 1, 1)
        x = x * gate
        pooled = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.spatial(pooled))


class BasicBlock(nn.Module):
    def __init__(self, cin, cout, stride, gate=None):
        super().__init__()
        self.body = nn.Sequential(conv_bn(cin, cout, 3, stride), conv_bn(cout, cout, 3, 1, act=None))
        self.gate = gate(cout) if gate else nn.Identity()
        self.skip = conv_bn(cin, cout, 1, stride, 0, act=None) if stride > 1 or cin != cout else nn.Identity()

    def forward(self, x):
        return F.relu(self.gate(self.body(x)) + self.skip(x))


class Bottleneck(nn.Module):
    def __init__(self, cin, c, stride):
        super().__init__()
        cout = 4 * c
        self.body = nn.Sequential(conv_bn(cin, c, 1), conv_bn(c, c, 3, stride), conv_bn(c, cout, 1, act=None))
        self.skip = conv_bn(cin, cout, 1, stride, 0, act=None) if stride > 1 or cin != cout else nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.skip(x))


def resnet(block, depths, expansion=1, **kw):
    layers, cin = [conv_bn(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for i, depth in enumerate(depths):
        for j in range(depth):
            c = 64 << i
            layers.append(block(cin, c, 2 if i and not j else 1, **kw))
            cin = c * expansion
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(cin, 1000))


class InvertedResidual(nn.Module):
    def __init__(self, cin, cout, stride, expand):
        super().__init__()
        hidden = cin * expand
        layers = [conv_bn(cin, hidden, 1, act=nn.ReLU6)] if expand != 1 else []
        self.body = nn.Sequential(*layers, conv_bn(hidden, hidden, 3, stride, groups=hidden, act=nn.ReLU6),
                                  conv_bn(hidden, cout, 1, act=None))
        self.add = stride == 1 and cin == cout

    def forward(self, x):
        return x + self.body(x) if self.add else self.body(x)


def mobilenet_v2():
    layers, cin = [conv_bn(3, 32, 3, 2, act=nn.ReLU6)], 32
    for t, c, n, s in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]:
        for i in range(n):
            layers.append(InvertedResidual(cin, c, s if i == 0 else 1, t))
            cin = c
    return nn.Sequential(*layers, conv_bn(cin, 1280, 1, act=nn.ReLU6), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(1280, 1000))


class Inception(nn.Module):
    def __init__(self, cin, c1, r3, c3, r5, c5, cp):
        super().__init__()
        self.b1 = conv_bn(cin, c1, 1)
        self.b2 = nn.Sequential(conv_bn(cin, r3, 1), conv_bn(r3, c3, 3))
        self.b3 = nn.Sequential(conv_bn(cin, r5, 1), conv_bn(r5, c5, 5))
        self.b4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), conv_bn(cin, cp, 1))

    def forward(self, x):
        return torch.cat([self.b1(x), self.b2(x), self.b3(x), self.b4(x)], 1)


def googlenet():
    return nn.Sequential(conv_bn(3, 64, 7, 2), nn.MaxPool2d(3, 2, ceil_mode=True), nn.LocalResponseNorm(5), conv_bn(64, 64, 1),
                         conv_bn(64, 192, 3), nn.MaxPool2d(3, 2, ceil_mode=True), Inception(192, 64, 96, 128, 16, 32, 32),
                         Inception(256, 128, 128, 192, 32, 96, 64), nn.MaxPool2d(3, 2, ceil_mode=True),
                         Inception(480, 192, 96, 208, 16, 48, 64), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x):
        b, s, d = x.shape
        q, k, v = self.qkv(x).reshape(b, s, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, s, d))


class Encoder(nn.Module):
    def __init__(self, dim, heads, mlp):
        super().__init__()
        self.n1, self.n2, self.attention = nn.LayerNorm(dim), nn.LayerNorm(dim), Attention(dim, heads)
        self.mlp = nn.Sequential(nn.Linear(dim, mlp), nn.GELU(), nn.Linear(mlp, dim))

    def forward(self, x):
        x = x + self.attention(self.n1(x))
        return x + self.mlp(self.n2(x))


class ViT(nn.Module):
    def __init__(self, dim=192, depth=12, heads=3, patch=16, size=224):
        super().__init__()
        self.embed = nn.Conv2d(3, dim, patch, patch)
        self.token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.position = nn.Parameter(torch.randn(1, (size // patch)**2 + 1, dim) * 0.02)
        self.blocks = nn.Sequential(*[Encoder(dim, heads, 4 * dim) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(dim), nn.Linear(dim, 1000)

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.position
        return self.head(self.norm(self.blocks(x))[:, 0])


class AttentionGate(nn.Module):
    def __init__(self, cg, cx, c):
        super().__init__()
        self.wg, self.wx, self.psi = conv_bn(cg, c, 1, act=None), conv_bn(cx, c, 1, act=None), conv_bn(c, 1, 1, act=nn.Sigmoid)

    def forward(self, g, x):
        return x * self.psi(F.relu(self.wg(g) + self.wx(x)))


class UNet(nn.Module):
    def __init__(self, widths=(16, 32, 64, 128)):
        super().__init__()
        double = lambda a, b: nn.Sequential(conv_bn(a, b), conv_bn(b, b))
        self.down = nn.ModuleList(double(a, b) for a, b in zip((3, ) + widths, widths))
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2) for a, b in zip(widths, widths[1:]))
        self.gate = nn.ModuleList(AttentionGate(a, a, a // 2) for a in widths[:-1])
        self.merge = nn.ModuleList(double(2 * a, a) for a in widths[:-1])
        self.head = nn.Conv2d(widths[0], 2, 1)

    def forward(self, x):
        skips = []
        for i, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if i else x)
            skips.append(x)
        for i in reversed(range(len(self.up))):
            x = self.up[i](x)
            x = self.merge[i](torch.cat([self.gate[i](x, skips[i]), x], 1))
        return self.head(x)


class TextClassifier(nn.Module):
    def __init__(self, vocabulary=1000, dim=64, heads=4, classes=5):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, dim)
        self.c1, self.c2 = nn.Conv1d(dim, 128, 3, padding=1), nn.Conv1d(128, 128, 5, padding=2)
        self.attention, self.norm, self.head = Attention(128, heads), nn.LayerNorm(128), nn.Linear(128, classes)

    def forward(self, tokens):
        x = self.embed(tokens).transpose(1, 2)
        x = F.relu(self.c2(F.relu(self.c1(x)))).transpose(1, 2)
        x = self.norm(x + self.attention(x))
        return F.softmax(self.head(x.mean(1)), -1)


class CrossAttention(nn.Module):
    def __init__(self, dim=64):
        super().__init__()
        self.q, self.k, self.v, self.scale = nn.Linear(dim, dim), nn.Linear(dim, dim), nn.Linear(dim, dim), dim**0.5

    def forward(self, query, context):
        q, k, v = self.q(query), self.k(context), self.v(context)
        return torch.softmax(q @ k.transpose(-2, -1) / self.scale, -1) @ v


def conv3d_net():
    return nn.Sequential(nn.Conv3d(1, 8, 3, padding=1), nn.BatchNorm3d(8), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(8, 16, 3, 2, 1),
                         nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(16, 4))


class ConvAttentionClassifier(nn.Module):
    """Softmax attention of two convolutions of one feature map, W = softmax(x y^T), result W y."""
    def __init__(self, c=32):
        super().__init__()
        self.stem, self.x, self.y = nn.Conv2d(3, c, 3, padding=1), nn.Conv2d(c, c, 3, padding=1), nn.Conv2d(c, c, 3, padding=1)
        self.head = nn.Linear(c * 16 * 16, 10)

    def forward(self, image):
        f = F.relu(self.stem(image))
        b, c, h, w = f.shape
        x, y = self.x(f).flatten(2).transpose(1, 2), self.y(f).flatten(2).transpose(1, 2)
        attended = torch.softmax(x @ y.transpose(1, 2), -1) @ y
        f = F.max_pool2d(attended.transpose(1, 2).reshape(b, c, h, w), 2, 2)
        return F.softmax(self.head(torch.flatten(f, 1)), -1)


class MBConv(nn.Module):
    """EfficientNet's block: expand, depthwise, squeeze-excitation whose width comes from the block's input, project."""
    def __init__(self, cin, cout, k, stride, expand):
        super().__init__()
        hidden = cin * expand
        layers = [conv_bn(cin, hidden, 1, act=nn.SiLU)] if expand != 1 else []
        self.body = nn.Sequential(*layers, conv_bn(hidden, hidden, k, stride, groups=hidden, act=nn.SiLU))
        self.fc1, self.fc2 = nn.Conv2d(hidden, cin // 4, 1), nn.Conv2d(cin // 4, hidden, 1)
        self.project, self.add = conv_bn(hidden, cout, 1, act=None), stride == 1 and cin == cout

    def forward(self, x):
        y = self.body(x)
        y = y * torch.sigmoid(self.fc2(F.silu(self.fc1(F.adaptive_avg_pool2d(y, 1)))))
        y = self.project(y)
        return x + y if self.add else y


def efficientnet_b0():
    layers, cin = [conv_bn(3, 32, 3, 2, act=nn.SiLU)], 32
    for t, c, n, s, k in [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5),
                          (6, 320, 1, 1, 3)]:
        for i in range(n):
            layers.append(MBConv(cin, c, k, s if i == 0 else 1, t))
            cin = c
    return nn.Sequential(*layers, conv_bn(cin, 1280, 1, act=nn.SiLU), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000))


class ConvNeXtBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.depthwise, self.norm = nn.Conv2d(dim, dim, 7, padding=3, groups=dim), nn.LayerNorm(dim, 1e-6)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.scale = nn.Parameter(torch.rand(dim, 1, 1))

    def forward(self, x):
        y = self.mlp(self.norm(self.depthwise(x).permute(0, 2, 3, 1)))
        return x + self.scale * y.permute(0, 3, 1, 2)


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of an image."""
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def convnext_t(depths=(3, 3, 9, 3), dims=(96, 192, 384, 768)):
    layers = [nn.Conv2d(3, dims[0], 4, 4), ChannelNorm(dims[0], 1e-6)]
    for i, (depth, dim) in enumerate(zip(depths, dims)):
        layers += [ChannelNorm(dims[i - 1], 1e-6), nn.Conv2d(dims[i - 1], dim, 2, 2)] if i else []
        layers += [ConvNeXtBlock(dim) for _ in range(depth)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), ChannelNorm(dims[-1], 1e-6), nn.Flatten(), nn.Linear(dims[-1], 1000))


IMAGE = lambda: {"image": torch.randn(1, 3, 224, 224)}
BATCH = lambda: {"image": torch.randn(8, 3, 224, 224)}

networks = {
    "lenet5": (LeNet5, lambda: {"image": torch.randn(1, 1, 28, 28)}),
    "resnet18": (lambda: resnet(BasicBlock, (2, 2, 2, 2)), IMAGE),
    "resnet50": (lambda: resnet(Bottleneck, (3, 4, 6, 3), 4), IMAGE),
    "resnet50_batch8": (lambda: resnet(Bottleneck, (3, 4, 6, 3), 4), BATCH),
    "mobilenet_v2": (mobilenet_v2, IMAGE),
    "mobilenet_v2_batch8": (mobilenet_v2, BATCH),
    "googlenet": (googlenet, IMAGE),
    "vit_ti16": (ViT, IMAGE),
    "unet_attention": (UNet, lambda: {"image": torch.randn(1, 3, 64, 64)}),
    "se_resnet18": (lambda: resnet(BasicBlock, (2, 2, 2, 2), gate=SqueezeExcitation), lambda: {"image": torch.randn(1, 3, 64, 64)}),
    "cbam_resnet18": (lambda: resnet(BasicBlock, (2, 2, 2, 2), gate=CBAM), lambda: {"image": torch.randn(1, 3, 64, 64)}),
    "text_classifier": (TextClassifier, lambda: {"tokens": torch.randint(0, 1000, (1, 32))}),
    "cross_attention": (CrossAttention, lambda: {"query": torch.randn(1, 17, 64), "context": torch.randn(1, 50, 64)}),
    "conv3d": (conv3d_net, lambda: {"volume": torch.randn(1, 1, 16, 16, 16)}),
    "conv_attention": (ConvAttentionClassifier, lambda: {"image": torch.randn(1, 3, 32, 32)}),
    "efficientnet_b0": (efficientnet_b0, IMAGE),
    "convnext_t": (convnext_t, IMAGE),
    "swin_t": (Swin, IMAGE),
    "vit_b16": (lambda: ViT(768, 12, 12), IMAGE),
    "bert_base": (Bert, bert_inputs),
}


def build(name):
    """The module in eval mode, and its inputs, from a fixed seed.

    Normalizations take their statistics from random inputs, as training would: with made-up ones the signal of a deep network
    fades until its output no longer depends on the input, and no test would see a wrong number.
    """
    import literature  # which reads this file
    torch.manual_seed(sum(map(ord, name)))
    make, inputs = {**networks, **literature.networks}[name]
    module = make().train()
    norms = [m for m in module.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d))]
    for m in norms:
        nn.init.uniform_(m.weight, 0.5, 1.5)
        nn.init.normal_(m.bias, 0, 0.1)
        m.momentum = 1.0
    if norms:
        with torch.no_grad():
            module(*map(torch.cat, zip(*(inputs().values() for _ in range(4)))))
    return module.eval(), inputs()
