"""Programs in TOSA and in linalg on tensors, against NumPy: what each op means, at -O0 and -O2."""
import numpy as np
import pytest

import coat
from conftest import within_bounds

RNG = np.random.default_rng(3)


def real(*shape):
    return RNG.standard_normal(shape).astype("f4")


def run(text, *inputs, dims=None):
    """Results at -O2, after they were compared with those at -O0."""
    module = coat.compile(text, dims=dims)
    got = [np.asarray(y) for y in module(*inputs)]
    for a, b in zip(got, coat.compile(text, opt_level=0, dims=dims)(*inputs), strict=True):
        if a.dtype.kind == "f":
            within_bounds(a, np.asarray(b))
        else:
            np.testing.assert_array_equal(a, b)
    return got


def windows(x, kernel, strides=(1, 1), dilations=(1, 1)):
    """Of an image [N, H, W, C]: [N, OH, OW, C, KH, KW]."""
    full = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    view = np.lib.stride_tricks.sliding_window_view(x, full, axis=(1, 2))
    return view[:, :: strides[0], :: strides[1], :, :: dilations[0], :: dilations[1]]


def conv(x, w, pads=(0, 0, 0, 0), **window):
    """x [N, H, W, C], w [F, KH, KW, C], pads top, bottom, left, right."""
    x = np.pad(x, ((0, 0), pads[:2], pads[2:], (0, 0)))
    return np.einsum("nhwcij,fijc->nhwf", windows(x, w.shape[1:3], **window), w)


ZERO = '"tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>'


def test_tosa_conv():
    text = f"""
    func.func @main(%x: tensor<1x9x7x4xf32> {{coat.name = "x"}}, %w: tensor<6x3x2x4xf32>, %b: tensor<6xf32>,
                    %d: tensor<3x3x4x2xf32>, %t: tensor<3x3x2x4xf32>)
        -> (tensor<1x5x6x6xf32>, tensor<1x9x7x8xf32>, tensor<1x20x13x3xf32>) {{
      %z = {ZERO}
      %y = tosa.conv2d %x, %w, %b, %z, %z {{acc_type = f32, pad = array<i64: 1, 1, 1, 0>, stride = array<i64: 2, 1>,
        dilation = array<i64: 1, 2>}} : (tensor<1x9x7x4xf32>, tensor<6x3x2x4xf32>, tensor<6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x5x6x6xf32>
      %y1 = tosa.depthwise_conv2d %x, %d, %z, %z, %z {{acc_type = f32, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>,
        dilation = array<i64: 1, 1>}} : (tensor<1x9x7x4xf32>, tensor<3x3x4x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x9x7x8xf32>
      %y2 = tosa.transpose_conv2d %x, %t, %z, %z, %z {{acc_type = f32, out_pad = array<i64: 1, 0, 0, -1>, stride = array<i64: 2, 2>}}
        : (tensor<1x9x7x4xf32>, tensor<3x3x2x4xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x20x13x3xf32>
      return %y, %y1, %y2 : tensor<1x5x6x6xf32>, tensor<1x9x7x8xf32>, tensor<1x20x13x3xf32>
    }}"""
    x, w, b, d, t = real(1, 9, 7, 4), real(6, 3, 2, 4), real(6), real(3, 3, 4, 2), real(3, 3, 2, 4)
    y, y1, y2 = run(text, x, w, b, d, t)
    within_bounds(y, conv(x, w, (1, 1, 1, 0), strides=(2, 1), dilations=(1, 2)) + b)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    within_bounds(y1, np.einsum("nhwcij,ijcm->nhwcm", windows(padded, (3, 3)), d).reshape(1, 9, 7, 8))
    scattered = np.zeros((1, 20, 14, 3), "f4")
    for i in range(9):
        for j in range(7):
            scattered[:, 1 + 2 * i : 4 + 2 * i, 2 * j : 2 * j + 2] += np.einsum("nc,fijc->nijf", x[:, i, j], t)
    within_bounds(y2, scattered[:, :, :13])


def test_tosa_conv3d_and_pools():
    text = f"""
    func.func @main(%x: tensor<1x4x5x6x2xf32>, %w: tensor<3x2x2x2x2xf32>, %i: tensor<1x6x8x3xf32>)
        -> (tensor<1x3x4x5x3xf32>, tensor<1x3x4x3xf32>, tensor<1x4x5x3xf32>, tensor<1x12x16x3xf32>) {{
      %z = {ZERO}
      %y = tosa.conv3d %x, %w, %z, %z, %z {{acc_type = f32, pad = array<i64: 0, 0, 0, 0, 0, 0>, stride = array<i64: 1, 1, 1>,
        dilation = array<i64: 1, 1, 1>}} : (tensor<1x4x5x6x2xf32>, tensor<3x2x2x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x3x4x5x3xf32>
      %m = tosa.max_pool2d %i {{kernel = array<i64: 2, 2>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>}}
        : (tensor<1x6x8x3xf32>) -> tensor<1x3x4x3xf32>
      %a = tosa.avg_pool2d %i, %z, %z {{acc_type = f32, kernel = array<i64: 2, 2>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 2, 2>}}
        : (tensor<1x6x8x3xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x5x3xf32>
      %scale = tosa.const_shape {{values = dense<[4, 2, 4, 2]> : tensor<4xindex>}} : () -> !tosa.shape<4>
      %offset = tosa.const_shape {{values = dense<[-1, -1]> : tensor<2xindex>}} : () -> !tosa.shape<2>
      %border = tosa.const_shape {{values = dense<[1, 1]> : tensor<2xindex>}} : () -> !tosa.shape<2>
      %r = tosa.resize %i, %scale, %offset, %border {{mode = BILINEAR}}
        : (tensor<1x6x8x3xf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x12x16x3xf32>
      return %y, %m, %a, %r : tensor<1x3x4x5x3xf32>, tensor<1x3x4x3xf32>, tensor<1x4x5x3xf32>, tensor<1x12x16x3xf32>
    }}"""
    x, w, i = real(1, 4, 5, 6, 2), real(3, 2, 2, 2, 2), real(1, 6, 8, 3)
    y, m, a, r = run(text, x, w, i)
    view = np.lib.stride_tricks.sliding_window_view(x, (2, 2, 2), axis=(1, 2, 3))
    within_bounds(y, np.einsum("ndhwcijk,fijkc->ndhwf", view, w))
    within_bounds(m, windows(i, (2, 2), (2, 2)).max(axis=(4, 5)))
    padded = np.pad(i, ((0, 0), (1, 1), (1, 1), (0, 0)))
    inside = np.pad(np.ones_like(i), ((0, 0), (1, 1), (1, 1), (0, 0)))
    within_bounds(a, windows(padded, (2, 2), (2, 2)).sum(axis=(4, 5)) / windows(inside, (2, 2), (2, 2)).sum(axis=(4, 5)))

    def twice(v, axis):
        at = np.clip((np.arange(2 * v.shape[axis]) + 0.5) / 2 - 0.5, 0, v.shape[axis] - 1)
        low = np.floor(at).astype(int)
        high, part = np.minimum(low + 1, v.shape[axis] - 1), (at - low).astype("f4")
        part = part.reshape([-1 if k == axis else 1 for k in range(v.ndim)])
        return v.take(low, axis) * (1 - part) + v.take(high, axis) * part
    within_bounds(r, twice(twice(i, 1), 2))


def test_tosa_quantized():
    """int8 convolution with zero points, its sums rescaled a channel, saturated."""
    text = """
    func.func @main(%x: tensor<1x5x5x3xi8>, %w: tensor<4x3x3x3xi8>, %b: tensor<4xi32>) -> tensor<1x5x5x4xi8> {
      %xz = "tosa.const"() <{values = dense<-7> : tensor<1xi8>}> : () -> tensor<1xi8>
      %wz = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
      %z = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
      %m = "tosa.const"() <{values = dense<[1518500250, 1073741824, 1999999999, 1100000000]> : tensor<4xi32>}> : () -> tensor<4xi32>
      %s = "tosa.const"() <{values = dense<[40, 38, 39, 40]> : tensor<4xi8>}> : () -> tensor<4xi8>
      %oz = "tosa.const"() <{values = dense<11> : tensor<1xi8>}> : () -> tensor<1xi8>
      %y = tosa.conv2d %x, %w, %b, %xz, %wz {acc_type = i32, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>,
        dilation = array<i64: 1, 1>} : (tensor<1x5x5x3xi8>, tensor<4x3x3x3xi8>, tensor<4xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x5x5x4xi32>
      %r = tosa.rescale %y, %m, %s, %z, %oz {scale32 = true, rounding_mode = SINGLE_ROUND, per_channel = true,
        input_unsigned = false, output_unsigned = false}
        : (tensor<1x5x5x4xi32>, tensor<4xi32>, tensor<4xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<1x5x5x4xi8>
      return %r : tensor<1x5x5x4xi8>
    }"""
    x, w = RNG.integers(-128, 128, (1, 5, 5, 3), "i1"), RNG.integers(-127, 128, (4, 3, 3, 3), "i1")
    b = RNG.integers(-2000, 2000, 4, "i4")
    total = conv(x.astype("i8") + 7, w.astype("i8"), (1, 1, 1, 1)) + b
    multiplier, shift = np.array([1518500250, 1073741824, 1999999999, 1100000000]), np.array([40, 38, 39, 40])
    scaled = (total * multiplier + (np.int64(1) << (shift - 1))) >> shift
    np.testing.assert_array_equal(run(text, x, w, b)[0], np.clip(scaled + 11, -128, 127))


def test_tosa_elementwise():
    text = """
    func.func @main(%a: tensor<3x5xf32>, %b: tensor<1x5xf32>, %i: tensor<3x5xi32>)
        -> (tensor<3x5xf32>, tensor<3x5xf32>, tensor<3x5xf32>, tensor<3x5xi8>, tensor<3x5xi32>, tensor<3x5xi32>, tensor<3x1xi1>) {
      %zf = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
      %z8 = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
      %three = "tosa.const"() <{values = dense<3> : tensor<1x1xi32>}> : () -> tensor<1x1xi32>
      %p = tosa.mul %a, %b, %z8 : (tensor<3x5xf32>, tensor<1x5xf32>, tensor<1xi8>) -> tensor<3x5xf32>
      %n = tosa.negate %p, %zf, %zf : (tensor<3x5xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<3x5xf32>
      %g = tosa.greater %a, %b : (tensor<3x5xf32>, tensor<1x5xf32>) -> tensor<3x5xi1>
      %s = tosa.select %g, %n, %a : (tensor<3x5xi1>, tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x5xf32>
      %c = tosa.clamp %s {min_val = -0.5 : f32, max_val = 1.5 : f32} : (tensor<3x5xf32>) -> tensor<3x5xf32>
      %abs = tosa.abs %a : (tensor<3x5xf32>) -> tensor<3x5xf32>
      %r = tosa.rsqrt %abs : (tensor<3x5xf32>) -> tensor<3x5xf32>
      %t = tosa.tanh %a : (tensor<3x5xf32>) -> tensor<3x5xf32>
      %w = tosa.pow %abs, %b : (tensor<3x5xf32>, tensor<1x5xf32>) -> tensor<3x5xf32>
      %big = tosa.exp %w : (tensor<3x5xf32>) -> tensor<3x5xf32>
      %e = tosa.cast %big : (tensor<3x5xf32>) -> tensor<3x5xi8>
      %sh = tosa.arithmetic_right_shift %i, %three {round = true} : (tensor<3x5xi32>, tensor<1x1xi32>) -> tensor<3x5xi32>
      %lo = tosa.logical_right_shift %i, %three : (tensor<3x5xi32>, tensor<1x1xi32>) -> tensor<3x5xi32>
      %any = tosa.reduce_any %g {axis = 1 : i32} : (tensor<3x5xi1>) -> tensor<3x1xi1>
      return %c, %r, %t, %e, %sh, %lo, %any : tensor<3x5xf32>, tensor<3x5xf32>, tensor<3x5xf32>, tensor<3x5xi8>, tensor<3x5xi32>, tensor<3x5xi32>, tensor<3x1xi1>
    }"""
    a, b, i = real(3, 5), real(1, 5), RNG.integers(-1000, 1000, (3, 5), "i4")
    c, r, t, e, sh, lo, any_ = run(text, a, b, i)
    within_bounds(c, np.clip(np.where(a > b, -(a * b), a), -0.5, 1.5))
    within_bounds(r, 1 / np.sqrt(np.abs(a)))
    within_bounds(t, np.tanh(a))
    exact = np.exp(np.abs(a) ** b)
    assert (np.abs(e - np.clip(exact, -128, 127)) < 0.51).all()
    np.testing.assert_array_equal(sh, (i + 4) >> 3)
    np.testing.assert_array_equal(lo, (i.view("u4") >> 3).view("i4"))
    np.testing.assert_array_equal(any_, (a > b).any(axis=1, keepdims=True))


def test_tosa_movement():
    text = """
    func.func @main(%a: tensor<2x3x4xf32>, %b: tensor<2x3x4xf32>, %i: tensor<2x5xi32>)
        -> (tensor<2x5x4xf32>, tensor<2x3x4xf32>, tensor<4x12xf32>, tensor<2x3xi32>, tensor<2x1x4xf32>, tensor<2x3x3xf32>) {
      %z = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
      %one = "tosa.const"() <{values = dense<1.0> : tensor<1xf32>}> : () -> tensor<1xf32>
      %g = tosa.gather %a, %i : (tensor<2x3x4xf32>, tensor<2x5xi32>) -> tensor<2x5x4xf32>
      %r = tosa.reverse %a {axis = 1 : i32} : (tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
      %c = tosa.concat %a, %b {axis = 1 : i32} : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x6x4xf32>
      %t = tosa.transpose %c {perms = array<i32: 2, 0, 1>} : (tensor<2x6x4xf32>) -> tensor<4x2x6xf32>
      %s = tosa.const_shape {values = dense<[4, 12]> : tensor<2xindex>} : () -> !tosa.shape<2>
      %f = tosa.reshape %t, %s : (tensor<4x2x6xf32>, !tosa.shape<2>) -> tensor<4x12xf32>
      %m = tosa.argmax %a {axis = 2 : i32} : (tensor<2x3x4xf32>) -> tensor<2x3xi32>
      %sum = tosa.reduce_sum %a {axis = 1 : i32} : (tensor<2x3x4xf32>) -> tensor<2x1x4xf32>
      %p = tosa.const_shape {values = dense<[0, 0, 1, 1, 0, 2]> : tensor<6xindex>} : () -> !tosa.shape<6>
      %padded = tosa.pad %a, %p, %one : (tensor<2x3x4xf32>, !tosa.shape<6>, tensor<1xf32>) -> tensor<2x5x6xf32>
      %at = tosa.const_shape {values = dense<[0, 2, 3]> : tensor<3xindex>} : () -> !tosa.shape<3>
      %size = tosa.const_shape {values = dense<[2, 3, 3]> : tensor<3xindex>} : () -> !tosa.shape<3>
      %slice = tosa.slice %padded, %at, %size : (tensor<2x5x6xf32>, !tosa.shape<3>, !tosa.shape<3>) -> tensor<2x3x3xf32>
      return %g, %r, %f, %m, %sum, %slice : tensor<2x5x4xf32>, tensor<2x3x4xf32>, tensor<4x12xf32>, tensor<2x3xi32>, tensor<2x1x4xf32>, tensor<2x3x3xf32>
    }"""
    a, b, i = real(2, 3, 4), real(2, 3, 4), RNG.integers(0, 3, (2, 5), "i4")
    g, r, f, m, s, cut = run(text, a, b, i)
    np.testing.assert_array_equal(g, np.take_along_axis(a, i[:, :, None].astype("i8"), axis=1))
    np.testing.assert_array_equal(r, a[:, ::-1])
    np.testing.assert_array_equal(f, np.concatenate([a, b], 1).transpose(2, 0, 1).reshape(4, 12))
    np.testing.assert_array_equal(m, a.argmax(2))
    within_bounds(s, a.sum(1, keepdims=True))
    np.testing.assert_array_equal(cut, np.pad(a, ((0, 0), (1, 1), (0, 2)), constant_values=1)[:, 2:5, 3:6])


def test_tosa_symbolic_batch():
    """A symbolic size has the name that coat.dims gives it."""
    text = f"""
    func.func @main(%x: tensor<?x8x8x3xf32> {{coat.dims = ["N", "8", "8", "3"]}}, %w: tensor<5x3x3x3xf32>) -> tensor<?x8x8x5xf32> {{
      %z = {ZERO}
      %y = tosa.conv2d %x, %w, %z, %z, %z {{acc_type = f32, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>,
        dilation = array<i64: 1, 1>}} : (tensor<?x8x8x3xf32>, tensor<5x3x3x3xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x8x8x5xf32>
      return %y : tensor<?x8x8x5xf32>
    }}"""
    x, w = real(3, 8, 8, 3), real(5, 3, 3, 3)
    within_bounds(run(text, x, w, dims={"N": (1, 4)})[0], conv(x, w, (1, 1, 1, 1)))


CONVS = {  # name: input letters, filter letters, einsum over windows
    "conv_2d_nhwc_hwcf": ("nhwc", "hwcf"), "conv_2d_nchw_fchw": ("nchw", "fchw"), "conv_2d_nhwc_fhwc": ("nhwc", "fhwc"),
    "conv_2d_ngchw_fgchw": ("ngchw", "fgchw"), "conv_2d_ngchw_gfchw": ("ngchw", "gfchw"), "conv_2d_nhwgc_gfhwc": ("nhwgc", "gfhwc"),
    "depthwise_conv_2d_nhwc_hwc": ("nhwc", "hwc"), "depthwise_conv_2d_nchw_chw": ("nchw", "chw"),
    "depthwise_conv_2d_nhwc_hwcm": ("nhwc", "hwcm"),
}


@pytest.mark.parametrize("name", CONVS)
def test_linalg_conv(name):
    letters, filter_letters = CONVS[name]
    depthwise = name.startswith("depthwise")
    out = "".join("f" if c == "c" and not depthwise else c for c in letters) + ("m" if "m" in filter_letters else "")
    size = {"n": 2, "h": 7, "w": 8, "c": 4, "g": 2, "f": 6, "m": 3}
    x = real(*(size[c] for c in letters))
    w = real(*({"h": 3, "w": 2}.get(c, size[c]) for c in filter_letters))
    bias = real(*(({"h": 3, "w": 7} | {k: v for k, v in size.items() if k not in "hw"})[c] for c in out))
    kind = lambda v: "x".join(map(str, v.shape)) + "xf32"  # noqa: E731
    text = f"""
    func.func @main(%x: tensor<{kind(x)}>, %w: tensor<{kind(w)}>, %b: tensor<{kind(bias)}>) -> tensor<{kind(bias)}> {{
      %y = linalg.{name} {{strides = dense<[2, 1]> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}}
        ins(%x, %w : tensor<{kind(x)}>, tensor<{kind(w)}>) outs(%b : tensor<{kind(bias)}>) -> tensor<{kind(bias)}>
      return %y : tensor<{kind(bias)}>
    }}"""
    h, v = letters.index("h"), letters.index("w")
    view = np.lib.stride_tricks.sliding_window_view(x, (3, 2), axis=(h, v))
    view = view.take(np.arange(0, 5, 2), axis=h)
    filters = filter_letters.replace("h", "i").replace("w", "j")
    within_bounds(run(text, x, w, bias)[0], np.einsum(f"{letters}ij,{filters}->{out}", view, w) + bias)


@pytest.mark.parametrize("kind", ["max", "sum", "min"])
def test_linalg_pool(kind):
    start = {"max": "0xFF800000", "sum": "0.0", "min": "0x7F800000"}[kind]
    text = f"""
    func.func @main(%x: tensor<1x7x8x3xf32>) -> tensor<1x3x7x3xf32> {{
      %s = arith.constant {start} : f32
      %e = tensor.empty() : tensor<1x3x7x3xf32>
      %f = linalg.fill ins(%s : f32) outs(%e : tensor<1x3x7x3xf32>) -> tensor<1x3x7x3xf32>
      %k = tensor.empty() : tensor<3x2xf32>
      %y = linalg.pooling_nhwc_{kind} {{strides = dense<[2, 1]> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}}
        ins(%x, %k : tensor<1x7x8x3xf32>, tensor<3x2xf32>) outs(%f : tensor<1x3x7x3xf32>) -> tensor<1x3x7x3xf32>
      return %y : tensor<1x3x7x3xf32>
    }}"""
    x = real(1, 7, 8, 3)
    within_bounds(run(text, x)[0], getattr(np, kind)(windows(x, (3, 2), (2, 1)), axis=(4, 5)))


def test_linalg_products():
    text = """
    #a = affine_map<(b, m, n, k) -> (b, k, m)>
    #b = affine_map<(b, m, n, k) -> (n, k)>
    #c = affine_map<(b, m, n, k) -> (n, b, m)>
    func.func @main(%x: tensor<3x4xf32>, %w: tensor<4x5xf32>, %v: tensor<5x4xf32>, %p: tensor<2x4x3xf32>, %q: tensor<2x4x5xf32>,
                    %i: tensor<3x4xi8>) -> (tensor<3x5xf32>, tensor<3x5xf32>, tensor<5x2x3xf32>, tensor<2x3x5xf32>, tensor<3x3xi32>) {
      %zero = arith.constant 0.0 : f32
      %izero = arith.constant 0 : i32
      %e = tensor.empty() : tensor<3x5xf32>
      %f = linalg.fill ins(%zero : f32) outs(%e : tensor<3x5xf32>) -> tensor<3x5xf32>
      %y = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x5xf32>) outs(%f : tensor<3x5xf32>) -> tensor<3x5xf32>
      %t = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
        ins(%x, %v : tensor<3x4xf32>, tensor<5x4xf32>) outs(%y : tensor<3x5xf32>) -> tensor<3x5xf32>
      %ge = tensor.empty() : tensor<5x2x3xf32>
      %gf = linalg.fill ins(%zero : f32) outs(%ge : tensor<5x2x3xf32>) -> tensor<5x2x3xf32>
      %g = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
        ins(%p, %v : tensor<2x4x3xf32>, tensor<5x4xf32>) outs(%gf : tensor<5x2x3xf32>) {
        ^bb0(%l: f32, %r: f32, %o: f32):
          %0 = arith.mulf %l, %r : f32
          %1 = arith.addf %o, %0 : f32
          linalg.yield %1 : f32
      } -> tensor<5x2x3xf32>
      %be = tensor.empty() : tensor<2x3x5xf32>
      %bf = linalg.fill ins(%zero : f32) outs(%be : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
      %te = tensor.empty() : tensor<2x3x4xf32>
      %tp = linalg.transpose ins(%p : tensor<2x4x3xf32>) outs(%te : tensor<2x3x4xf32>) permutation = [0, 2, 1]
      %bm = linalg.batch_matmul ins(%tp, %q : tensor<2x3x4xf32>, tensor<2x4x5xf32>) outs(%bf : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
      %ie = tensor.empty() : tensor<3x3xi32>
      %if = linalg.fill ins(%izero : i32) outs(%ie : tensor<3x3xi32>) -> tensor<3x3xi32>
      %im = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
        ins(%i, %i : tensor<3x4xi8>, tensor<3x4xi8>) outs(%if : tensor<3x3xi32>) -> tensor<3x3xi32>
      return %y, %t, %g, %bm, %im : tensor<3x5xf32>, tensor<3x5xf32>, tensor<5x2x3xf32>, tensor<2x3x5xf32>, tensor<3x3xi32>
    }"""
    x, w, v, p, q, i = real(3, 4), real(4, 5), real(5, 4), real(2, 4, 3), real(2, 4, 5), RNG.integers(-128, 128, (3, 4), "i1")
    y, t, g, bm, im = run(text, x, w, v, p, q, i)
    within_bounds(y, x @ w)
    within_bounds(t, x @ w + x @ v.T)
    within_bounds(g, np.einsum("bkm,nk->nbm", p, v))
    within_bounds(bm, p.transpose(0, 2, 1) @ q)
    np.testing.assert_array_equal(im, i.astype("i4") @ i.astype("i4").T)


def test_linalg_generic():
    """Element-wise bodies with broadcasting and positions, reductions, shapes: a layer normalization as converters write it."""
    text = """
    #id = affine_map<(d0, d1) -> (d0, d1)>
    #row = affine_map<(d0, d1) -> (d0)>
    #col = affine_map<(d0, d1) -> (d1)>
    func.func @forward(%x: tensor<?x6xf32> {coat.name = "x", coat.dims = ["N", "6"]}, %s: tensor<6xf32>)
        -> (tensor<?x6xf32>, tensor<?xf32>, tensor<?x2x3xf32>) {
      %zero = arith.constant 0.0 : f32
      %low = arith.constant 0xFF800000 : f32
      %six = arith.constant 6.0 : f32
      %c0 = arith.constant 0 : index
      %n = tensor.dim %x, %c0 : tensor<?x6xf32>
      %e1 = tensor.empty(%n) : tensor<?xf32>
      %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<?xf32>) -> tensor<?xf32>
      %fl = linalg.fill ins(%low : f32) outs(%e1 : tensor<?xf32>) -> tensor<?xf32>
      %sum = linalg.reduce ins(%x : tensor<?x6xf32>) outs(%f1 : tensor<?xf32>) dimensions = [1]
        (%in: f32, %out: f32) { %0 = arith.addf %in, %out : f32
          linalg.yield %0 : f32 }
      %max = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
        ins(%x : tensor<?x6xf32>) outs(%fl : tensor<?xf32>) {
        ^bb0(%a: f32, %o: f32):
          %0 = math.absf %a : f32
          %1 = arith.maximumf %0, %o : f32
          linalg.yield %1 : f32
      } -> tensor<?xf32>
      %e2 = tensor.empty(%n) : tensor<?x6xf32>
      %y = linalg.generic {indexing_maps = [#id, #row, #col, #id], iterator_types = ["parallel", "parallel"]}
        ins(%x, %sum, %s : tensor<?x6xf32>, tensor<?xf32>, tensor<6xf32>) outs(%e2 : tensor<?x6xf32>) {
        ^bb0(%a: f32, %b: f32, %c: f32, %o: f32):
          %m = arith.divf %b, %six : f32
          %d = arith.subf %a, %m : f32
          %k = arith.cmpf ogt, %d, %zero : f32
          %p = arith.mulf %d, %c : f32
          %i = linalg.index 1 : index
          %j = arith.index_cast %i : index to i32
          %q = arith.sitofp %j : i32 to f32
          %r = arith.select %k, %p, %q : f32
          linalg.yield %r : f32
      } -> tensor<?x6xf32>
      %z = tensor.expand_shape %y [[0], [1, 2]] output_shape [%n, 2, 3] : tensor<?x6xf32> into tensor<?x2x3xf32>
      return %y, %max, %z : tensor<?x6xf32>, tensor<?xf32>, tensor<?x2x3xf32>
    }"""
    x, s = real(3, 6), real(6)
    y, most, z = run(text, x, s, dims={"N": (1, 4)})
    d = x - x.mean(1, keepdims=True)
    within_bounds(y, np.where(d > 0, d * s, np.arange(6, dtype="f4")))
    within_bounds(most, np.abs(x).max(1))
    np.testing.assert_array_equal(z, y.reshape(3, 2, 3))


def test_tensor_ops():
    text = """
    func.func private @half(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
      %c = arith.constant dense<0.5> : tensor<2x4xf32>
      %y = arith.mulf %x, %c : tensor<2x4xf32>
      return %y : tensor<2x4xf32>
    }
    func.func @main(%x: tensor<2x4xf32>, %b: tensor<4x6xf32>) -> (tensor<4x6xf32>, tensor<4x6xf32>, tensor<2x2xf32>, tensor<2x7xf32>) {
      %one = arith.constant 1.0 : f32
      %h = func.call @half(%x) : (tensor<2x4xf32>) -> tensor<2x4xf32>
      %i = tensor.insert_slice %h into %b[1, 2] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<4x6xf32>
      %e = tensor.splat %one : tensor<4x6xf32>
      %j = tensor.insert_slice %h into %e[1, 2] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<4x6xf32>
      %s = tensor.extract_slice %h[0, 1] [2, 2] [1, 2] : tensor<2x4xf32> to tensor<2x2xf32>
      %p = tensor.pad %h low[0, 1] high[0, 2] {
        ^bb0(%a: index, %c: index):
          tensor.yield %one : f32
      } : tensor<2x4xf32> to tensor<2x7xf32>
      return %i, %j, %s, %p : tensor<4x6xf32>, tensor<4x6xf32>, tensor<2x2xf32>, tensor<2x7xf32>
    }"""
    x, b = real(2, 4), real(4, 6)
    i, j, s, p = run(text, x, b)
    want, ones = b.copy(), np.ones((4, 6), "f4")
    want[1:3, 2:6] = ones[1:3, 2:6] = x * 0.5
    np.testing.assert_array_equal(i, want)
    np.testing.assert_array_equal(j, ones)
    np.testing.assert_array_equal(s, (x * 0.5)[:, 1::2])
    np.testing.assert_array_equal(p, np.pad(x * 0.5, ((0, 0), (1, 2)), constant_values=1))


@pytest.mark.parametrize("form", ["dense", "resource"])
def test_weights(form):
    """Constants as converters write them: bytes in the op, or in the file's resources."""
    x, w = real(1, 6, 6, 16), real(24, 3, 3, 16)
    value = {"dense": f'dense<"0x{w.tobytes().hex()}">', "resource": "dense_resource<weights>"}[form]
    text = f"""
    module {{
      func.func @main(%x: tensor<1x6x6x16xf32>) -> tensor<1x4x4x24xf32> {{
        %z = {ZERO}
        %w = arith.constant {value} : tensor<24x3x3x16xf32>
        %y = tosa.conv2d %x, %w, %z, %z, %z {{acc_type = f32, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>,
          dilation = array<i64: 1, 1>}} : (tensor<1x6x6x16xf32>, tensor<24x3x3x16xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x4x24xf32>
        return %y : tensor<1x4x4x24xf32>
      }}
    }}
    {{-# dialect_resources: {{ builtin: {{ weights: "0x04000000{w.tobytes().hex()}" }} }} #-}}"""
    within_bounds(run(text, x)[0], conv(x, w))
