"""The official ONNX backend node tests of the ops of the core: right, or refused by one clear line.

`pytest test/Onnx -s` ends with a table of passes and refusals by op.
"""
import collections
import warnings

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

import coat

# Float32 inference cases of these must all pass.
COMPLETE = {"Conv", "ConvTranspose", "AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool", "Softmax", "LogSoftmax",
            "MatMul", "Gemm", "BatchNormalization", "LayerNormalization", "Relu", "Sigmoid", "Tanh", "Gelu", "Clip",
            "Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "PRelu", "And", "Or", "Xor", "Equal", "Less", "LessOrEqual",
            "Greater", "GreaterOrEqual", "Attention", "RotaryEmbedding", "TensorScatter", "SwiGLU",
            "LinearAttention", "CausalConvWithState", "FlexAttention", "RNN", "GRU", "LSTM", "Einsum", "Scan", "If"}
COMPLETE |= {"GridSample", "AffineGrid", "RoiAlign", "DeformConv", "Col2Im", "CenterCropPad", "SpaceToDepth", "DepthToSpace", "Upsample",
             "MaxUnpool", "NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss", "MeanVarianceNormalization", "LpNormalization",
             "DFT", "STFT", "HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix", "Det", "TfIdfVectorizer", "Adam",
             "Adagrad", "Momentum"}
COMPLETE |= {"Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "DynamicQuantizeLinear"}
ALSO = {"BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot", "BitCast", "Cast", "QuantizeLinear", "DequantizeLinear",
        "ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul", "InstanceNormalization", "GroupNormalization", "RMSNormalization", "LRN", "Resize", "Transpose", "Concat",
        "Reshape", "Pad", "Gather", "ReduceMean", "ReduceSum", "ReduceMax", "ArgMax", "Where", "LpPool", "GlobalLpPool", "Mod", "Loop",
        "OptionalHasElement", "OptionalGetElement"}
COMPLETE |= {"ScatterElements", "ScatterND", "GatherND", "TopK", "ReverseSequence", "CumSum", "CumProd", "Hardmax", "NonZero", "Compress",
             "Unique", "NonMaxSuppression", "ArrayFeatureExtractor", "Binarizer"}
# These also with every input of the case at run time: the shape is what the case declares. All must pass.
RUN_TIME = {"Reshape", "Slice", "Split", "Squeeze", "Unsqueeze", "Expand", "Tile", "Pad", "Trilu", "OneHot", "Range", "TopK", "ReduceSum",
            "ReduceL2", "ReduceMax", "ConstantOfShape", "MaxUnpool"}
# Their vectors of int64 are data.
DATA = {"MatMul", "Max", "Min", "Add", "Sub", "Mul", "Div", "Pow", "Mod", "Gather", "Where", "NegativeLogLikelihoodLoss",
        "SoftmaxCrossEntropyLoss", "RoiAlign"}
table = collections.defaultdict(collections.Counter)


def cases():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the cases divide by zero on purpose
        every = collect_testcases(None)
    single = [(case, case.model.graph.node[0].op_type) for case in every if len(case.model.graph.node) == 1]
    return [*(pytest.param(case, op, True, id=case.name) for case, op in single if op in COMPLETE | ALSO),
            *(pytest.param(case, op, False, id=case.name + "-run_time") for case, op in single if op in RUN_TIME)]


def must_pass(model, op):
    """Float32: the tensor that gives the result its type is f32."""
    if op not in COMPLETE:
        return False
    types = {v.type.tensor_type.elem_type for v in (*model.graph.input, *model.graph.output)}
    first = model.graph.input[0].type.tensor_type.elem_type
    return first == onnx.TensorProto.FLOAT and types <= {onnx.TensorProto.FLOAT, onnx.TensorProto.BOOL, onnx.TensorProto.INT64}


@pytest.mark.parametrize("case,op,folds", cases())
def test_node(case, op, folds):
    model = onnx.ModelProto.FromString(case.model.SerializeToString())
    # Types that numpy does not have are given as protos.
    inputs, outputs = ([numpy_helper.to_array(a) if isinstance(a, onnx.TensorProto) else a for a in arrays] for arrays in case.data_sets[0])
    inputs, outputs = ([np.asarray(a) if isinstance(a, np.generic) else a for a in arrays] for arrays in (inputs, outputs))
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
    strict = must_pass(case.model, op) or not folds
    try:
        module = coat.compile(model, flags=["-O2"])
    except coat.CompileError as error:
        table[op]["refused"] += 1
        assert error.code in (1, 2), error
        assert len(str(error).splitlines()) == 1 and "expected" in str(error), error
        assert not strict, error
        pytest.skip(str(error))
    results = module(*keep)
    for got, want in zip(results, outputs, strict=True):
        assert got.dtype == want.dtype
        rtol, atol = {"float16": (1e-3, 1e-2), "bfloat16": (2e-2, 2e-2)}.get(want.dtype.name, (1e-3, 1e-5))
        np.testing.assert_allclose(got.astype(np.float64), want.astype(np.float64), rtol=rtol, atol=atol)
    table[op]["passed"] += 1


def test_table():
    for op, counts in sorted(table.items()):
        print(f"{op:24} {counts['passed']:4} passed {counts['refused']:4} refused")
