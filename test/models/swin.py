"""Swin: attention in windows of the feature map that shift from block to block, with a learned bias by relative position."""
import torch
from torch import nn


class WindowAttention(nn.Module):
    """Attention in windows of a feature map [B,H,W,C], shifted by half a window or not, with a learned bias by relative position."""
    def __init__(self, dim, heads, size, window=7, shift=0):
        super().__init__()
        window, shift = (size, 0) if size <= window else (window, shift)
        self.heads, self.window, self.shift = heads, window, shift
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.table = nn.Parameter(torch.randn((2 * window - 1)**2, heads) * 0.5)
        y, x = torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
        at = torch.stack([y, x]).flatten(1)
        dy, dx = at[:, :, None] - at[:, None, :] + window - 1
        self.register_buffer("index", dy * (2 * window - 1) + dx)
        # Windows of the shifted map hold pieces that are no neighbours: -100 between them.
        piece = torch.zeros(size)
        if shift:
            piece[-window:-shift], piece[-shift:] = 1, 2
        pieces = self.windows((piece[:, None] * 3 + piece[None, :]).reshape(1, size, size, 1)).squeeze(-1)
        self.register_buffer("mask", (pieces[:, None, :] != pieces[:, :, None]) * -100.0 if shift else None)

    def windows(self, x):
        b, h, w, c = x.shape
        s = self.window
        return x.view(b, h // s, s, w // s, s, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, s * s, c)

    def forward(self, x):
        b, h, w, c = x.shape
        if self.shift:
            x = torch.roll(x, (-self.shift, -self.shift), (1, 2))
        y = self.windows(x)
        n, s, _ = y.shape
        q, k, v = self.qkv(y).reshape(n, s, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        scores = (q * (c // self.heads)**-0.5) @ k.transpose(-2, -1) + self.table[self.index].permute(2, 0, 1).unsqueeze(0)
        if self.shift:
            scores = (scores.view(b, n // b, self.heads, s, s) + self.mask[None, :, None]).view(n, self.heads, s, s)
        y = self.out((torch.softmax(scores, -1) @ v).transpose(1, 2).reshape(n, s, c))
        t = self.window
        y = y.view(b, h // t, w // t, t, t, c).permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c)
        return torch.roll(y, (self.shift, self.shift), (1, 2)) if self.shift else y


class SwinBlock(nn.Module):
    def __init__(self, dim, heads, size, shift):
        super().__init__()
        self.n1, self.n2, self.attention = nn.LayerNorm(dim), nn.LayerNorm(dim), WindowAttention(dim, heads, size, shift=shift)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x):
        x = x + self.attention(self.n1(x))
        return x + self.mlp(self.n2(x))


class PatchMerging(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm, self.reduce = nn.LayerNorm(4 * dim), nn.Linear(4 * dim, 2 * dim, bias=False)

    def forward(self, x):
        x = torch.cat([x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]], -1)
        return self.reduce(self.norm(x))


class Swin(nn.Module):
    def __init__(self, dim=96, depths=(2, 2, 6, 2), heads=(3, 6, 12, 24), size=224):
        super().__init__()
        self.embed, self.norm0 = nn.Conv2d(3, dim, 4, 4), nn.LayerNorm(dim)
        layers, size = [], size // 4
        for i, depth in enumerate(depths):
            if i:
                layers.append(PatchMerging(dim))
                dim, size = 2 * dim, size // 2
            layers += [SwinBlock(dim, heads[i], size, 3 * (j % 2)) for j in range(depth)]
        self.layers, self.norm, self.head = nn.Sequential(*layers), nn.LayerNorm(dim), nn.Linear(dim, 1000)

    def forward(self, x):
        x = self.norm0(self.embed(x).permute(0, 2, 3, 1))
        return self.head(self.norm(self.layers(x)).mean((1, 2)))
