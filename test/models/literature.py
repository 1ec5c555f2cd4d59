"""Convolution-attention models of the literature, with random weights; the sizes of the papers where a name says one."""
import math

import torch
import torch.nn.functional as F
from torch import nn

from networks import MBConv, conv_bn


def heads(x, n):
    """[B, L, C] -> [B, n, L, C/n]"""
    return x.view(x.shape[0], x.shape[1], n, -1).transpose(1, 2)


def attend(q, k, v, n, bias=None):
    q, k, v = heads(q, n), heads(k, n), heads(v, n)
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    scores = scores if bias is None else scores + bias
    y = (torch.softmax(scores, -1) @ v).transpose(1, 2)
    return y.reshape(y.shape[0], y.shape[1], -1)


class MultiHead(nn.Module):
    """Self-attention, or cross-attention where a context is given."""
    def __init__(self, dim, n, context=None):
        super().__init__()
        self.n, self.q, self.out = n, nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.k, self.v = (nn.Linear(context or dim, dim) for _ in range(2))

    def forward(self, x, context=None, bias=None):
        context = x if context is None else context
        return self.out(attend(self.q(x), self.k(context), self.v(context), self.n, bias))


class Mlp(nn.Sequential):
    def __init__(self, dim, hidden, act=nn.GELU):
        super().__init__(nn.Linear(dim, hidden), act(), nn.Linear(hidden, dim))


class Block(nn.Module):
    """A transformer layer with its norms in front."""
    def __init__(self, dim, n, hidden, act=nn.GELU):
        super().__init__()
        self.n1, self.attention, self.n2, self.mlp = nn.LayerNorm(dim), MultiHead(dim, n), nn.LayerNorm(dim), Mlp(dim, hidden, act)

    def forward(self, x):
        x = x + self.attention(self.n1(x))
        return x + self.mlp(self.n2(x))


class RelativeBlock(nn.Module):
    """CoAtNet's transformer block: a learned bias for each relative position; the first of a stage halves the plane."""
    def __init__(self, cin, cout, side, down):
        super().__init__()
        self.n, self.down, self.norm1 = cout // 32, down, nn.LayerNorm(cin)
        self.qkv, self.out = nn.Linear(cin, 3 * cout), nn.Linear(cout, cout)
        self.skip = nn.Conv2d(cin, cout, 1) if down else None
        self.norm2, self.mlp = nn.LayerNorm(cout), Mlp(cout, 4 * cout)
        self.bias = nn.Parameter(torch.randn((2 * side - 1)**2, self.n) * 0.1)
        at = torch.stack(torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")).flatten(1)
        distance = at[:, :, None] - at[:, None] + side - 1
        self.register_buffer("index", distance[0] * (2 * side - 1) + distance[1])

    def forward(self, x):
        y = self.norm1(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        if self.down:
            x, y = self.skip(F.max_pool2d(x, 2)), F.max_pool2d(y, 2)
        b, c, h, w = x.shape
        q, k, v = self.qkv(y.flatten(2).transpose(1, 2)).chunk(3, -1)
        x = x.flatten(2).transpose(1, 2) + self.out(attend(q, k, v, self.n, self.bias[self.index].permute(2, 0, 1)[None]))
        x = x + self.mlp(self.norm2(x))
        return x.transpose(1, 2).reshape(b, c, h, w)


def coatnet_0():
    layers = [conv_bn(3, 64, 3, 2, act=nn.GELU), nn.Conv2d(64, 64, 3, 1, 1)]
    cin = 64
    for dim, depth in ((96, 2), (192, 3)):
        for i in range(depth):
            layers.append(MBConv(cin, dim, 3, 1 if i else 2, 4))
            cin = dim
    for dim, depth, side in ((384, 5, 14), (768, 2, 7)):
        for i in range(depth):
            layers.append(RelativeBlock(cin, dim, side, i == 0))
            cin = dim
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(768), nn.Linear(768, 1000))


class ConvProjection(nn.Sequential):
    def __init__(self, dim, stride):
        super().__init__(nn.Conv2d(dim, dim, 3, stride, 1, groups=dim, bias=False), nn.BatchNorm2d(dim))


class CvtBlock(nn.Module):
    """CvT: queries, keys and values come from depthwise convolutions, keys and values of a plane half as large."""
    def __init__(self, dim, n):
        super().__init__()
        self.n, self.norm1, self.norm2, self.mlp = n, nn.LayerNorm(dim), nn.LayerNorm(dim), Mlp(dim, 4 * dim)
        self.cq, self.ck, self.cv = ConvProjection(dim, 1), ConvProjection(dim, 2), ConvProjection(dim, 2)
        self.q, self.k, self.v, self.out = (nn.Linear(dim, dim) for _ in range(4))

    def forward(self, x, side, token=None):
        y = self.norm1(x)
        first, y = (y[:, :1], y[:, 1:]) if token else (None, y)
        plane = y.transpose(1, 2).reshape(y.shape[0], -1, side, side)
        q, k, v = (c(plane).flatten(2).transpose(1, 2) for c in (self.cq, self.ck, self.cv))
        if token:
            q, k, v = (torch.cat([first, t], 1) for t in (q, k, v))
        x = x + self.out(attend(self.q(q), self.k(k), self.v(v), self.n))
        return x + self.mlp(self.norm2(x))


class CvT13(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.norms, self.stages = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for cin, dim, k, s, depth, n in ((3, 64, 7, 4, 1, 1), (64, 192, 3, 2, 2, 3), (192, 384, 3, 2, 10, 6)):
            self.embed.append(nn.Conv2d(cin, dim, k, s, k // 2))
            self.norms.append(nn.LayerNorm(dim))
            self.stages.append(nn.ModuleList(CvtBlock(dim, n) for _ in range(depth)))
        self.token, self.norm, self.head = nn.Parameter(torch.randn(1, 1, 384)), nn.LayerNorm(384), nn.Linear(384, 1000)

    def forward(self, image):
        x = image
        for i, (embed, norm, stage) in enumerate(zip(self.embed, self.norms, self.stages)):
            x = embed(x)
            b, c, side, _ = x.shape
            x = norm(x.flatten(2).transpose(1, 2))
            last = i == 2
            if last:
                x = torch.cat([self.token.expand(b, -1, -1), x], 1)
            for block in stage:
                x = block(x, side, last)
            if not last:
                x = x.transpose(1, 2).reshape(b, c, side, side)
        return self.head(self.norm(x[:, 0]))


class MobileVitBlock(nn.Module):
    """Convolutions around a transformer that mixes pixels of the same place in each 2x2 patch."""
    def __init__(self, channels, dim, depth):
        super().__init__()
        self.local = nn.Sequential(conv_bn(channels, channels, 3, act=nn.SiLU), nn.Conv2d(channels, dim, 1, bias=False))
        self.layers = nn.Sequential(*(Block(dim, 4, 2 * dim, nn.SiLU) for _ in range(depth)))
        self.norm, self.project = nn.LayerNorm(dim), conv_bn(dim, channels, 1, act=nn.SiLU)
        self.fuse = conv_bn(2 * channels, channels, 3, act=nn.SiLU)

    def forward(self, x):
        y = self.local(x)
        b, c, h, w = y.shape
        y = y.reshape(b * c * h // 2, 2, w // 2, 2).transpose(1, 2).reshape(b, c, h * w // 4, 4)
        y = self.norm(self.layers(y.transpose(1, 3).reshape(b * 4, h * w // 4, c)))
        y = y.view(b, 4, h * w // 4, c).transpose(1, 3).reshape(b * c * h // 2, w // 2, 2, 2)
        y = y.transpose(1, 2).reshape(b, c, h, w)
        return self.fuse(torch.cat([x, self.project(y)], 1))


def mobilevit_s():
    def mv2(cin, cout, s=1):
        return MBConvPlain(cin, cout, s)
    return nn.Sequential(
        conv_bn(3, 16, 3, 2, act=nn.SiLU), mv2(16, 32), mv2(32, 64, 2), mv2(64, 64), mv2(64, 64), mv2(64, 96, 2),
        MobileVitBlock(96, 144, 2), mv2(96, 128, 2), MobileVitBlock(128, 192, 4), mv2(128, 160, 2), MobileVitBlock(160, 240, 3),
        conv_bn(160, 640, 1, act=nn.SiLU), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(640, 1000))


class MBConvPlain(nn.Module):
    """MobileNetV2's block with SiLU."""
    def __init__(self, cin, cout, stride):
        super().__init__()
        hidden, self.add = 4 * cin, stride == 1 and cin == cout
        self.body = nn.Sequential(conv_bn(cin, hidden, 1, act=nn.SiLU), conv_bn(hidden, hidden, 3, stride, groups=hidden, act=nn.SiLU),
                                  conv_bn(hidden, cout, 1, act=None))

    def forward(self, x):
        return x + self.body(x) if self.add else self.body(x)


class Detr(nn.Module):
    """Encoder-decoder over image features; each of the queries, by cross-attention, becomes a class and a box."""
    def __init__(self, dim=128, n=8, depth=2, queries=25):
        super().__init__()
        self.backbone = nn.Sequential(conv_bn(3, 32, 3, 2), conv_bn(32, 64, 3, 2), conv_bn(64, 128, 3, 2), nn.Conv2d(128, dim, 1))
        self.rows, self.columns = nn.Parameter(torch.randn(16, dim // 2)), nn.Parameter(torch.randn(16, dim // 2))
        self.queries = nn.Parameter(torch.randn(queries, dim))
        self.encoder = nn.ModuleList(nn.ModuleList([MultiHead(dim, n), nn.LayerNorm(dim), Mlp(dim, 4 * dim, nn.ReLU), nn.LayerNorm(dim)])
                                     for _ in range(depth))
        self.decoder = nn.ModuleList(nn.ModuleList([MultiHead(dim, n), nn.LayerNorm(dim), MultiHead(dim, n), nn.LayerNorm(dim),
                                                    Mlp(dim, 4 * dim, nn.ReLU), nn.LayerNorm(dim)]) for _ in range(depth))
        self.classes = nn.Linear(dim, 92)
        self.boxes = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, 4), nn.Sigmoid())

    def forward(self, image):
        x = self.backbone(image)
        b, c, h, w = x.shape
        place = torch.cat([self.columns[None, :w].expand(h, -1, -1), self.rows[:h, None].expand(-1, w, -1)], -1).flatten(0, 1)[None]
        x = x.flatten(2).transpose(1, 2)
        for attention, n1, mlp, n2 in self.encoder:
            x = n1(x + attention(x + place))
            x = n2(x + mlp(x))
        y = self.queries[None].expand(b, -1, -1)
        for own, n1, cross, n2, mlp, n3 in self.decoder:
            y = n1(y + own(y))
            y = n2(y + cross(y, x + place))
            y = n3(y + mlp(y))
        return self.classes(y), self.boxes(y)


class WhisperEncoder(nn.Module):
    """Whisper-tiny: two convolutions over the mel spectrogram, then transformer layers over 1500 places."""
    def __init__(self, dim=384, n=6, depth=4, places=1500):
        super().__init__()
        self.c1, self.c2 = nn.Conv1d(80, dim, 3, padding=1), nn.Conv1d(dim, dim, 3, stride=2, padding=1)
        self.places = nn.Parameter(torch.randn(places, dim) * 0.1)
        self.layers, self.norm = nn.Sequential(*(Block(dim, n, 4 * dim) for _ in range(depth))), nn.LayerNorm(dim)

    def forward(self, mel):
        x = F.gelu(self.c2(F.gelu(self.c1(mel)))).transpose(1, 2)
        return self.norm(self.layers(x + self.places[:x.shape[1]]))


class ConformerConv(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm, self.p1, self.p2 = nn.LayerNorm(dim), nn.Conv1d(dim, 2 * dim, 1), nn.Conv1d(dim, dim, 1)
        self.depthwise, self.bn = nn.Conv1d(dim, dim, 31, padding=15, groups=dim), nn.BatchNorm1d(dim)

    def forward(self, x):
        y = F.glu(self.p1(self.norm(x).transpose(1, 2)), 1)
        return self.p2(F.silu(self.bn(self.depthwise(y)))).transpose(1, 2)


class Conformer(nn.Module):
    """One block: half a feed-forward, self-attention, convolution, half a feed-forward."""
    def __init__(self, dim=144, n=4):
        super().__init__()
        self.f1, self.f2 = (nn.Sequential(nn.LayerNorm(dim), Mlp(dim, 4 * dim, nn.SiLU)) for _ in range(2))
        self.n1, self.attention, self.conv, self.n2 = nn.LayerNorm(dim), MultiHead(dim, n), ConformerConv(dim), nn.LayerNorm(dim)

    def forward(self, frames):
        x = frames + 0.5 * self.f1(frames)
        x = x + self.attention(self.n1(x))
        x = x + self.conv(x)
        return self.n2(x + 0.5 * self.f2(x))


class DiffusionBlock(nn.Module):
    """A block of a diffusion U-Net: residual convolutions that the time moves, then self- and cross-attention, GEGLU."""
    def __init__(self, cin=64, dim=128, n=4, context=96, time=64):
        super().__init__()
        self.g1, self.c1, self.time = nn.GroupNorm(32, cin), nn.Conv2d(cin, dim, 3, 1, 1), nn.Linear(time, dim)
        self.g2, self.c2, self.skip = nn.GroupNorm(32, dim), nn.Conv2d(dim, dim, 3, 1, 1), nn.Conv2d(cin, dim, 1)
        self.g3, self.into, self.out = nn.GroupNorm(32, dim), nn.Conv2d(dim, dim, 1), nn.Conv2d(dim, dim, 1)
        self.n1, self.n2, self.n3 = (nn.LayerNorm(dim) for _ in range(3))
        self.own, self.cross = MultiHead(dim, n), MultiHead(dim, n, context)
        self.gate, self.project, self.down = nn.Linear(dim, 8 * dim), nn.Linear(4 * dim, dim), nn.Conv2d(dim, dim, 3, 2, 1)

    def forward(self, latent, time, text):
        h = self.c1(F.silu(self.g1(latent))) + self.time(F.silu(time))[:, :, None, None]
        h = self.skip(latent) + self.c2(F.silu(self.g2(h)))
        b, c, y, x = h.shape
        t = self.into(self.g3(h)).flatten(2).transpose(1, 2)
        t = t + self.own(self.n1(t))
        t = t + self.cross(self.n2(t), text)
        value, gate = self.gate(self.n3(t)).chunk(2, -1)
        t = t + self.project(value * F.gelu(gate))
        return self.down(h + self.out(t.transpose(1, 2).reshape(b, c, y, x)))


class ImageText(nn.Module):
    """A classifier of an image and a text: the words look at the image by cross-attention."""
    def __init__(self, dim=64):
        super().__init__()
        self.image = nn.Sequential(conv_bn(3, 32, 3, 2), conv_bn(32, dim, 3, 2), conv_bn(dim, dim, 3, 2))
        self.words, self.places = nn.Embedding(500, dim), nn.Parameter(torch.randn(16, dim) * 0.1)
        self.text, self.cross = Block(dim, 4, 2 * dim), MultiHead(dim, 4)
        self.norm, self.head = nn.LayerNorm(dim), nn.Linear(2 * dim, 12)

    def forward(self, image, tokens):
        f = self.image(image).flatten(2).transpose(1, 2)
        t = self.text(self.words(tokens) + self.places)
        t = self.norm(t + self.cross(t, f))
        return self.head(torch.cat([t.mean(1), f.amax(1)], -1))


class CaptionStep(nn.Module):
    """One step of a captioning decoder: keys and values of the words so far come in and go out one longer."""
    def __init__(self, dim=64, n=4, depth=2, vocabulary=200):
        super().__init__()
        self.n, self.words, self.places = n, nn.Embedding(vocabulary, dim), nn.Parameter(torch.randn(40, dim) * 0.1)
        self.own, self.cross = (nn.ModuleList(MultiHead(dim, n) for _ in range(depth)) for _ in range(2))
        self.mlps = nn.ModuleList(Mlp(dim, 4 * dim) for _ in range(depth))
        self.norms, self.head = nn.ModuleList(nn.LayerNorm(dim) for _ in range(3 * depth + 1)), nn.Linear(dim, vocabulary)

    def forward(self, token, place, image, past_keys, past_values):
        x = self.words(token) + self.places[place]
        keys, values = [], []
        for i, (own, cross, mlp) in enumerate(zip(self.own, self.cross, self.mlps)):
            y = self.norms[3 * i](x)
            k = torch.cat([past_keys[i], heads(own.k(y), self.n)], 2)
            v = torch.cat([past_values[i], heads(own.v(y), self.n)], 2)
            q = heads(own.q(y), self.n)
            y = (torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]), -1) @ v).transpose(1, 2).flatten(2)
            x = x + own.out(y)
            x = x + cross(self.norms[3 * i + 1](x), image)
            x = x + mlp(self.norms[3 * i + 2](x))
            keys.append(k)
            values.append(v)
        return self.head(self.norms[-1](x)), torch.stack(keys), torch.stack(values)


class PlainAttention(nn.Module):
    """softmax(x xT) x over the places of one feature map, after a convolution if there is one."""
    def __init__(self, conv=False):
        super().__init__()
        self.conv = nn.Conv2d(32, 32, 3, 1, 1) if conv else nn.Identity()

    def forward(self, features):
        f = self.conv(features)
        x = f.flatten(2).transpose(1, 2)
        return (torch.softmax(x @ x.transpose(1, 2), -1) @ x).transpose(1, 2).reshape(f.shape)


class RecurrentAttention(nn.Module):
    """A classifier of sentences: the last state of a recurrent network asks all states (Luong's attention)."""
    def __init__(self, kind, dim=48, hidden=70):
        super().__init__()
        self.words, self.cell = nn.Embedding(300, dim), kind(dim, hidden, batch_first=True)
        self.ask, self.combine, self.head = nn.Linear(hidden, hidden), nn.Linear(2 * hidden, hidden), nn.Linear(hidden, 5)

    def forward(self, tokens):
        states, _ = self.cell(self.words(tokens))
        last = states[:, -1]
        weights = torch.softmax(states @ self.ask(last).unsqueeze(2), 1)
        context = (weights * states).sum(1)
        return self.head(torch.tanh(self.combine(torch.cat([context, last], -1))))


class GruClassifier(nn.Module):
    """Two layers of GRUs that read both ways; the last states of both ways are classified."""
    def __init__(self, features=20, hidden=33):
        super().__init__()
        self.cell = nn.GRU(features, hidden, num_layers=2, bidirectional=True)
        self.head = nn.Linear(2 * hidden, 7)

    def forward(self, frames):
        states, last = self.cell(frames)
        return self.head(torch.cat([last[-2], last[-1]], -1) + states.mean(0))


IMAGE = lambda side: lambda: {"image": torch.randn(1, 3, side, side)}
FEATURES = lambda: {"features": torch.randn(1, 32, 16, 16) * 0.3}

networks = {
    "coatnet_0": (coatnet_0, IMAGE(224)),
    "cvt_13": (CvT13, IMAGE(224)),
    "mobilevit_s": (mobilevit_s, IMAGE(256)),
    "detr": (Detr, IMAGE(96)),
    "whisper_tiny_encoder": (WhisperEncoder, lambda: {"mel": torch.randn(1, 80, 3000)}),
    "conformer": (Conformer, lambda: {"frames": torch.randn(1, 100, 144)}),
    "diffusion_block": (DiffusionBlock, lambda: {"latent": torch.randn(1, 64, 32, 32), "time": torch.randn(1, 64),
                                                 "text": torch.randn(1, 77, 96)}),
    "image_text": (ImageText, lambda: {"image": torch.randn(1, 3, 64, 64), "tokens": torch.randint(0, 500, (1, 16))}),
    "plain_attention": (PlainAttention, FEATURES),
    "lstm_attention": (lambda: RecurrentAttention(nn.LSTM), lambda: {"tokens": torch.randint(0, 300, (2, 40))}),
    "rnn_attention": (lambda: RecurrentAttention(nn.RNN), lambda: {"tokens": torch.randint(0, 300, (2, 40))}),
    "gru_classifier": (GruClassifier, lambda: {"frames": torch.randn(50, 3, 20)}),
    "conv_plain_attention": (lambda: PlainAttention(True), FEATURES),
}
