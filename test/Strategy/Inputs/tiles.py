"""A module that has Strategy choose each of its register tiles: products of all small numbers of rows, convolutions over planes of
common widths, with weights that stay in a core's own cache and with more, and depthwise ones of the windows and strides that
networks have."""
import sys

constants, body, results = [], [], []
arguments = []


def constant(*shape):
    name = f"%w{len(constants)}"
    constants.append(f"  {name} = arith.constant dense<0.5> : tensor<{'x'.join(map(str, shape))}xf32>")
    return name


def add(op, inputs, weights, result, attributes):
    types = ["x".join(map(str, shape)) + "xf32" for shape in (inputs, weights, result)]
    i = len(arguments)
    arguments.append(f'%x{i}: tensor<{types[0]}> {{coat.name = "x{i}"}}')
    body.append(f"  %y{i} = {op} %x{i}, {constant(*weights)} {{{attributes}}} : (tensor<{types[0]}>, tensor<{types[1]}>) -> tensor<{types[2]}>")
    results.append(f'tensor<{types[2]}> {{coat.name = "y{i}"}}')


def matmul(rows, depth, columns):
    add("coat.matmul", (rows, depth), (depth, columns), (rows, columns), "")


def conv(channels, size, out, window, stride, group=1):
    padded, one = size + window - 1, "array<i64: 1, 1>"
    attributes = f"strides = array<i64: {stride}, {stride}>, dilations = {one}, pads = array<i64: 0, 0, 0, 0>, group = {group} : i64"
    add("coat.conv", (1, channels, padded, padded), (out, channels // group, window, window),
        (1, out, (size - 1) // stride + 1, (size - 1) // stride + 1), attributes)


for rows in [*range(1, 25), 49, 97]:
    for columns in (16, 64):
        matmul(rows, 64, columns)
for size in (7, 14, 28, 56):
    conv(32, size, 64, 5, 2)  # not 3, which is Winograd's
    conv(3, size, 32, 3, 2)
for size in (14, 28):  # weights that are asked for ahead of time
    conv(256, size, 128, 5, 2)
matmul(49, 512, 256)
for window, stride in ((3, 1), (3, 2), (5, 1), (5, 2), (7, 1)):
    for size in (7, 14, 28):
        conv(48, size, 48, window, stride, group=48)

values = ", ".join(f"%y{i}" for i in range(len(body)))
types = ", ".join(result.split(" {")[0] for result in results)
print("func.func @net(" + ", ".join(arguments) + ") -> (" + ", ".join(results) + ") attributes {coat.entry} {")
print("\n".join(constants + body))
print(f"  return {values} : {types}\n}}")
