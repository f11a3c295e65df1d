"""Forward mode written by hand: every operator on a value and on all its tangents at once.

A value is an array [n, item..] with tangents [n or 1, d, item..], or None where it has none. Tangents that are the same for
all samples keep a first axis of one, so the tangents of the first layer are its weights and cost nothing. A linear
operator takes all tangents of all samples as rows of one call. PyTorch and JAX share the rules; each brings its
arrays as a namespace.
"""

import onnx
from onnx import numpy_helper


def spread(x):
    """A value, to be multiplied with tangents."""
    return x[:, None]


class Value:
    """An array with its tangents, or a constant of the graph with its few numbers as a list where it holds sizes."""

    def __init__(self, x, tangent=None, constant=False, numbers=None):
        self.x, self.tangent, self.constant, self.numbers = x, tangent, constant, numbers


def each_row(tangent, function):
    """A function of rows [rows, item..] on tangents [n, d, item..]."""
    out = function(tangent.reshape((-1, *tangent.shape[2:])))
    return out.reshape((*tangent.shape[:2], *out.shape[1:]))


def linear(v, function, of_tangents=None):
    """An affine function whose linear part is `of_tangents`."""
    of_tangents = of_tangents or function
    return Value(function(v.x), None if v.tangent is None else each_row(v.tangent, of_tangents))


def pointwise(v, y, slope):
    """y = f(x) with the derivative of f there, as a function that is asked only where there are tangents."""
    return Value(y, None if v.tangent is None else v.tangent * spread(slope()))


def gemm(m, v, w, b=None, *, transB=0, transA=0, alpha=1.0, beta=1.0):
    w = w.x if transB else w.x.T
    return linear(v, lambda x: m.linear(x, w, None if b is None else b.x), lambda x: m.linear(x, w, None))


def matmul(m, a, b):
    if b.constant:
        return linear(a, lambda x: m.matmul(x, b.x))
    t = None
    if a.tangent is not None:
        t = m.matmul(a.tangent, spread(b.x))
    if b.tangent is not None:
        other = m.matmul(spread(a.x), b.tangent)
        t = other if t is None else t + other
    return Value(m.matmul(a.x, b.x), t)


def aligned(a, b):
    """A constant beside a value: without a leading axis of one, so that it fits tangents too."""
    return a.x.reshape(a.x.shape[1:]) if a.constant and len(a.x.shape) == len(b.x.shape) else a.x


def add(m, a, b):
    x, y = aligned(a, b), aligned(b, a)
    tangents = [v.tangent for v in (a, b) if v.tangent is not None]
    return Value(x + y, sum(tangents[1:], tangents[0]) if tangents else None)


def mul(m, a, b):
    x, y = aligned(a, b), aligned(b, a)
    parts = [
        v.tangent * (other if w.constant else spread(other))
        for v, w, other in ((a, b, y), (b, a, x))
        if v.tangent is not None
    ]
    return Value(x * y, sum(parts[1:], parts[0]) if parts else None)


def tanh(m, v):
    y = m.tanh(v.x)
    return pointwise(v, y, lambda: 1 - y * y)


def sigmoid(m, v):
    y = m.sigmoid(v.x)
    return pointwise(v, y, lambda: y * (1 - y))


def exp(m, v):
    y = m.exp(v.x)
    return pointwise(v, y, lambda: y)


def relu(m, v):
    return pointwise(v, m.relu(v.x), lambda: m.positive(v.x))


def gelu(m, v):
    cdf = 0.5 * (1 + m.erf(v.x * 0.5**0.5))
    return pointwise(v, v.x * cdf, lambda: cdf + v.x * m.exp(-0.5 * v.x * v.x) * 0.3989422804014327)


def conv(m, v, w, b=None, *, strides=(1, 1), pads=(0, 0, 0, 0), group=1, **_):
    call = lambda bias: lambda x: m.conv(x, w.x, bias, tuple(strides), pads[0], group)
    return linear(v, call(None if b is None else b.x), call(None))


def conv_transpose(m, v, w, b=None, *, strides=(1, 1), pads=(0, 0, 0, 0), group=1, **_):
    call = lambda bias: lambda x: m.conv_transpose(x, w.x, bias, tuple(strides), pads[0], group)
    return linear(v, call(None if b is None else b.x), call(None))


def batch_norm(m, v, scale, bias, mean, variance, *, epsilon=1e-5, **_):
    a = scale.x / m.sqrt(variance.x + epsilon)
    wide = lambda x: x.reshape((-1,) + (1,) * (len(v.x.shape) - 2))
    return linear(v, lambda x: x * wide(a) + wide(bias.x - mean.x * a), lambda x: x * wide(a))


def normalized(m, v, epsilon):
    """(x − mean) / standard deviation along the last axis."""
    centred = v.x - m.mean(v.x)
    r = m.rsqrt(m.mean(centred * centred) + epsilon)
    y = centred * r
    if v.tangent is None:
        return Value(y)
    t = v.tangent - m.mean(v.tangent)
    return Value(y, spread(r) * (t - spread(y) * m.mean_of_products(y, t)))


def layer_norm(m, v, scale, bias, *, epsilon=1e-5, **_):
    return add(m, mul(m, normalized(m, v, epsilon), scale), bias)


def instance_norm(m, v, scale, bias, *, epsilon=1e-5):
    """Of [n, channels, length]."""
    scale, bias = (Value(c.x.reshape((-1, 1)), constant=True) for c in (scale, bias))
    return add(m, mul(m, normalized(m, v, epsilon), scale), bias)


def softmax(m, v, *, axis=-1):
    y = m.softmax(v.x)
    if v.tangent is None:
        return Value(y)
    weighted = spread(y) * v.tangent
    return Value(y, weighted - spread(y) * m.total(weighted))


def reshape(m, v, shape, **_):
    item = tuple(int(s) for s in shape.numbers[1:])
    tangent = None if v.tangent is None else v.tangent.reshape((*v.tangent.shape[:2], *item))
    return Value(v.x.reshape((v.x.shape[0], *item)), tangent)


def flatten(m, v, *, axis=1):
    return Value(v.x.reshape((v.x.shape[0], -1)), None if v.tangent is None else v.tangent.reshape((*v.tangent.shape[:2], -1)))


def transpose(m, v, *, perm):
    deeper = (0, 1, *(p + 1 for p in perm[1:]))
    return Value(m.permute(v.x, tuple(perm)), None if v.tangent is None else m.permute(v.tangent, deeper))


def split(m, v, sizes, *, axis=0):
    sizes = [int(s) for s in sizes.numbers]
    xs = m.split(v.x, sizes, axis)
    ts = [None] * len(xs) if v.tangent is None else m.split(v.tangent, sizes, axis + 1)
    return [Value(x, t) for x, t in zip(xs, ts)]


def concat(m, *parts, axis):
    rows = max(p.tangent.shape[0] for p in parts) if parts[0].tangent is not None else 0
    ts = [m.expand(p.tangent, (rows, *p.tangent.shape[1:])) for p in parts] if rows else None
    return Value(m.concat([p.x for p in parts], axis), m.concat(ts, axis + 1) if ts else None)


def resize(m, v, roi, scales, **_):
    factor = int(scales.numbers[-1])
    return linear(v, lambda x: m.upsample(x, factor))


def identity(m, v):
    return v


RULES = {
    "Gemm": gemm, "MatMul": matmul, "Add": add, "Mul": mul, "Tanh": tanh, "Sigmoid": sigmoid, "Exp": exp, "Relu": relu,
    "Gelu": gelu, "Conv": conv, "ConvTranspose": conv_transpose, "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm, "InstanceNormalization": instance_norm, "Softmax": softmax, "Reshape": reshape,
    "Flatten": flatten, "Transpose": transpose, "Split": split, "Concat": concat, "Resize": resize, "Identity": identity,
}  # fmt: skip


class Network:
    """An ONNX graph, ready to be run on arrays of a package; `array` makes one from numpy."""

    def __init__(self, model: onnx.ModelProto, array):
        self.weights, self.numbers = {}, {}
        for tensor in model.graph.initializer:
            value = numpy_helper.to_array(tensor)
            if value.dtype.kind == "f":
                self.weights[tensor.name] = array(value)
            self.numbers[tensor.name] = value.tolist() if value.ndim == 1 and value.size <= 8 else None
        attributes = lambda node: {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        self.steps = [(node.op_type, RULES[node.op_type], list(node.input), list(node.output), attributes(node)) for node in model.graph.node]
        self.inputs = [i.name for i in model.graph.input if i.name not in self.numbers]
        self.outputs = [o.name for o in model.graph.output]

    def values(self, m, z, seeds=None, weights=None, watch=None):
        """The outputs at points z [n, d]; with seeds [1, d, d], their tangents too."""
        weights = self.weights if weights is None else weights
        known = {name: Value(weights.get(name), constant=True, numbers=numbers) for name, numbers in self.numbers.items()}
        known |= {"": None, self.inputs[0]: Value(z, seeds)}
        for kind, rule, inputs, outputs, attributes in self.steps:
            if watch and kind in watch:
                watch[kind](known[inputs[0]].x)
            out = rule(m, *(known[name] for name in inputs), **attributes)
            known |= zip(outputs, out if isinstance(out, list) else [out])
        return [known[name] for name in self.outputs]

    def stacked(self, m, z, seeds, weights=None):
        """Outputs [n, item..], then their Jacobians [n, d, item..]."""
        values = self.values(m, z, seeds, weights)
        return [v.x for v in values], [v.tangent for v in values]

    def single(self, m, z, weights=None):
        """The outputs at one point z [d]."""
        return tuple(v.x[0] for v in self.values(m, z[None], None, weights))
