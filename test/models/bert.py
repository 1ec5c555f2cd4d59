"""BERT: the sum of three embeddings, encoders with the norm last, a mask of the tokens that count, a pooled first token."""
import torch
from torch import nn


class BertLayer(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.q, self.k, self.v, self.out = heads, *(nn.Linear(dim, dim) for _ in range(4))
        self.n1, self.n2 = nn.LayerNorm(dim, 1e-12), nn.LayerNorm(dim, 1e-12)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def split(self, x):
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)

    def forward(self, x, mask):
        q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
        scores = q @ k.transpose(-1, -2) / q.shape[-1]**0.5 + mask
        y = (torch.softmax(scores, -1) @ v).transpose(1, 2).reshape(x.shape)
        x = self.n1(x + self.out(y))
        return self.n2(x + self.mlp(x))


class Bert(nn.Module):
    def __init__(self, dim=768, depth=12, heads=12, vocabulary=30522):
        super().__init__()
        self.words, self.positions, self.types = nn.Embedding(vocabulary, dim), nn.Embedding(512, dim), nn.Embedding(2, dim)
        self.norm, self.pool = nn.LayerNorm(dim, 1e-12), nn.Linear(dim, dim)
        self.layers = nn.ModuleList(BertLayer(dim, heads) for _ in range(depth))

    def forward(self, tokens, attention_mask, token_types):
        places = torch.arange(tokens.shape[1])[None]
        x = self.norm(self.words(tokens) + self.types(token_types) + self.positions(places))
        mask = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min
        for layer in self.layers:
            x = layer(x, mask)
        return torch.tanh(self.pool(x[:, 0]))


def bert_inputs():
    tokens, types = torch.randint(0, 30522, (1, 128)), torch.zeros(1, 128, dtype=torch.int64)
    types[:, 64:] = 1
    mask = torch.ones(1, 128, dtype=torch.int64)
    mask[:, 100:] = 0
    return {"tokens": tokens, "attention_mask": mask, "token_types": types}
