"""Einsum against numpy: every kind of equation, all in a few libraries."""
import numpy as np
import pytest
from onnx import TensorProto, helper

import coat

# Sizes of the letters; an ellipsis takes the sizes behind the colon, operand by operand.
SIZES = dict(a=2, b=3, c=4, d=5, e=6, i=3, j=4, k=5, l=2, m=7, n=1, A=2, Z=3)
EQUATIONS = [
    "i->i", "i->", "ij->ji", "ij->j", "ij", "ji", "ii->i", "ii->", "ii", "iij->j", "iij->ij", "iji->ij", "ijij->ij", "iii->i",
    "ijjk->ik", "Zij->jZ", "i,i->", "i,i->i", "i,j->ij", "i,j", "ij,jk->ik", "ij,jk", "ij,kj->ik", "ij,ij->", "ij,ij->i",
    "ij,ij->ij", "ij,j->i", "ij,k->ikj", "bij,bjk->bik", "bij,bjk->ik", "bij,jk->bik", "abij,abkj->abik", "aibj,ajbk->abik",
    "ii,ij->j", "ij,jj->ij", "n,n->", "ijk,kjl->il", "ab,bc,cd->ad", "ab,bc,cd", "a,b,c->abc", "ab,ab,ab->a", "ij,jk,kl,lm->im",
    "a,ab,abc->c", ",ij->ij", "->", "aZ,ZA->aA",
    "...ij->...ji:2", "...i->...:2,3", "i...->...i:4", "...:2,3", "...ij,...jk->...ik:2|2", "...ij,...jk->...ik:2,3|3", "...ij,jk->...ik:2,3|",
    "...ij,...jk:2,3|2,3", "...,...->...:2,3|3", "...i,...i->...:1,3|2,1", "i...,i...->...:2,1|4", "b...i,bi...->b...:2,3|2,3",
    "...ii->...i:3", "...a,...b,...c->...abc:2|1|2",
]
CHUNK = 12


def operands(equation, rng):
    text, _, extra = equation.partition(":")
    terms, broadcast = text.split("->")[0].split(","), extra.split("|") if extra else []
    for index, term in enumerate(terms):
        sizes = [int(s) for s in broadcast[index].split(",") if s] if broadcast else []
        before, _, after = term.partition("...")
        yield rng.standard_normal([SIZES[c] for c in before] + sizes + [SIZES[c] for c in after]).astype(np.float32)


@pytest.mark.parametrize("start", range(0, len(EQUATIONS), CHUNK))
def test_einsum(start):
    rng = np.random.default_rng(start)
    nodes, inputs, wanted = [], {}, {}
    for number, equation in enumerate(EQUATIONS[start:start + CHUNK]):
        arrays = list(operands(equation, rng))
        names = [f"x{number}_{i}" for i in range(len(arrays))]
        inputs.update(zip(names, arrays))
        text = equation.partition(":")[0]
        wanted[f"y{number}"] = np.asarray(np.einsum(text, *arrays))
        nodes.append(helper.make_node("Einsum", names, [f"y{number}"], equation=text))
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info(k, TensorProto.FLOAT, v.shape) for k, v in inputs.items()],
                              [helper.make_tensor_value_info(k, TensorProto.FLOAT, v.shape) for k, v in wanted.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    for got, (name, want) in zip(coat.compile(model)(**inputs), wanted.items(), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5, err_msg=EQUATIONS[start + int(name[1:])])
