"""The official ONNX backend node tests: right, or refused by one clear line; those of the core's types must be right.

`pytest test/Onnx/test_node.py -s` ends with a table of passes and refusals by op. COAT_TEST_LONG=1 adds the bodies of ops that
are functions (`_expanded`), and every case once more with all of its inputs at run time.
"""
import collections
import os
import warnings

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases

import coat

LONG = bool(os.environ.get("COAT_TEST_LONG"))
CORE = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BOOL, TensorProto.INT32, TensorProto.INT64}
# Results that do not follow from the inputs, and trees.
REFUSED = {"Bernoulli", "RandomUniformLike", "Dropout", "TreeEnsemble"}
# These also with every input of the case at run time: the shape is what the case declares. All must pass.
RUN_TIME = {"Reshape", "Slice", "Split", "Squeeze", "Unsqueeze", "Expand", "Tile", "Pad", "Trilu", "OneHot", "Range", "TopK", "ReduceSum",
            "ReduceL2", "ReduceMax", "ConstantOfShape", "MaxUnpool", "AffineGrid", "CenterCropPad",
            "BlackmanWindow", "HammingWindow", "HannWindow"}
# Their vectors of int64 are data.
DATA = {"MatMul", "Max", "Min", "Add", "Sub", "Mul", "Div", "Pow", "Mod", "Gather", "Where", "NegativeLogLikelihoodLoss",
        "SoftmaxCrossEntropyLoss", "RoiAlign"}
table = collections.defaultdict(collections.Counter)


def is_expanded(case):
    return case.name.endswith("_expanded")


def cases():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the cases divide by zero on purpose
        every = collect_testcases(None)
    ops = {case.name: case.model.graph.node[0].op_type for case in every}
    # An expanded case is named after the one whose op it is the body of.
    chosen = [(case, ops[case.name.removesuffix("_expanded")]) for case in every if LONG or not is_expanded(case)]
    return [*(pytest.param(case, op, True, id=case.name) for case, op in chosen),
            *(pytest.param(case, op, False, id=case.name + "-run_time") for case, op in chosen
              if LONG or (op in RUN_TIME and len(case.model.graph.node) == 1))]


def must_pass(model):
    types = {v.type.tensor_type.elem_type for v in (*model.graph.input, *model.graph.output)}
    return types <= CORE and model.opset_import[0].version >= 7 and REFUSED.isdisjoint(n.op_type for n in model.graph.node)


@pytest.mark.parametrize("case,op,folds", cases())
def test_node(case, op, folds):
    model = onnx.ModelProto.FromString(case.model.SerializeToString())
    # Types that numpy does not have are given as protos.
    inputs, outputs = ([numpy_helper.to_array(a) if isinstance(a, onnx.TensorProto) else a for a in arrays] for arrays in case.data_sets[0])
    inputs, outputs = ([np.asarray(a) if isinstance(a, np.generic) else a for a in arrays] for arrays in (inputs, outputs))
    # Floats of 8 bits are their bits.
    inputs = [a.view(np.uint8) if getattr(a, "dtype", np.dtype("f4")).name.startswith("float8_") else a for a in inputs]
    if not all(isinstance(array, np.ndarray) for array in (*inputs, *outputs)):
        pytest.skip("sequences and optionals are not tensors")
    if any(array.dtype == object for array in (*inputs, *outputs)):
        pytest.skip("numpy has no such type")
    # Shape-like and bound inputs are constants in real models.
    names = [n for n in model.graph.node[0].input if n]
    keep = []
    for value, array in zip(list(model.graph.input), inputs):
        shape_like = array.dtype == np.int64 and array.ndim <= 1 or op in ("Clip", "Resize", "Upsample") and value.name != names[0]
        shape_like |= op.endswith("Window") or op == "MelWeightMatrix"
        shape_like |= op == "Loop" and array.dtype == bool  # whether there is a first step
        if folds and shape_like and op not in DATA:
            model.graph.initializer.append(numpy_helper.from_array(array, value.name))
            model.graph.input.remove(value)
        else:
            keep.append(array)
    strict = must_pass(case.model) if folds else op in RUN_TIME and not is_expanded(case)
    if is_expanded(case) and op == "Range":
        strict = False  # a loop whose trip count is data
    try:
        module = coat.compile(model, flags=["-O2"])
    except coat.CompileError as error:
        table[op]["refused"] += 1
        assert error.code in (1, 2), error
        assert len(str(error).splitlines()) == 1 and "expected" in str(error), error
        assert not strict, error
        pytest.skip(str(error))
    try:
        results = module(*keep)
    except ValueError as error:  # a shape that the model did not declare
        assert not folds and not strict, error
        table[op]["refused"] += 1
        pytest.skip(str(error))
    for got, want in zip(results, outputs, strict=True):
        if want.dtype.name.startswith("float8_"):
            got = got.view(want.dtype)
        assert got.dtype == want.dtype
        rtol, atol = {"float16": (1e-3, 1e-2), "bfloat16": (2e-2, 2e-2)}.get(want.dtype.name, (1e-3, 1e-5))
        np.testing.assert_allclose(got.astype(np.float64), want.astype(np.float64), rtol=rtol, atol=atol)
    table[op]["passed"] += 1


def test_table():
    for op, counts in sorted(table.items()):
        print(f"{op:24} {counts['passed']:4} passed {counts['refused']:4} refused")
