"""Decoders: values, derivatives, types, and where arrays lie."""

import pickle
import threading
import time

import numpy as np
import pytest

import latlas


def test_arrays_are_those_of_the_command_to_the_bit(digits, latents, command):
    np.save(command.folder / "z.npy", latents)
    for verb, ours in [("decode", digits.decode(latents)), ("jacobian", digits.jacobian(latents)), ("metric", digits.metric(latents))]:
        command(verb, "builtin:digits-vae", "--latents", "z.npy", "-o", "out.npy", "--quiet")
        theirs = np.load(command.folder / "out.npy")
        assert theirs.dtype == ours.dtype == np.float32
        assert np.array_equal(theirs, ours), verb
    precise = latlas.load("builtin:digits-vae", dtype="f64")
    command("jacobian", "builtin:digits-vae", "--latents", "z.npy", "-o", "out.npy", "--quiet", "--dtype", "f64")
    assert np.array_equal(np.load(command.folder / "out.npy"), precise.jacobian(latents))


def test_derivatives_agree_with_differences_and_with_each_other():
    decoder = latlas.load("builtin:digits-vae", dtype=np.float64)
    rng = np.random.default_rng(0)
    z, v, u = rng.standard_normal((4, 2)), rng.standard_normal((4, 2)), rng.standard_normal((4, 64))
    h = 1e-6
    differences = (decoder.decode(z + h * v) - decoder.decode(z - h * v)) / (2 * h)
    pushed, pulled, jacobian = decoder.jvp(z, v), decoder.vjp(z, u), decoder.jacobian(z)
    assert np.allclose(pushed, differences, rtol=0, atol=1e-8)
    assert np.allclose(np.einsum("nDd,nd->nD", jacobian, v), pushed, rtol=0, atol=1e-13)
    assert np.allclose(np.einsum("nD,nDd->nd", u, jacobian), pulled, rtol=0, atol=1e-13)
    several = decoder.jvp(z, np.stack([v, 2 * v, -v], axis=1))
    assert several.shape == (4, 3, 64) and np.allclose(several[:, 1], 2 * pushed, rtol=1e-14)
    assert decoder.vjp(z, np.stack([u, u], axis=1)).shape == (4, 2, 2)
    mean = decoder.metric(z, embedding="mean")
    assert np.allclose(mean, np.einsum("nDi,nDj->nij", jacobian, jacobian), rtol=1e-12)


def test_types_stay_and_nothing_is_copied_that_need_not_be(digits, latents):
    x, jacobian = digits.decode(latents), digits.jacobian(latents)
    assert x.dtype == jacobian.dtype == np.float32
    # In: the extension reads the numbers where they lie.
    assert digits._native.address(latents) == latents.ctypes.data
    from latlas._arrays import rows

    assert rows(latents, 2, "latents", np.float32).ctypes.data == latents.ctypes.data
    part = latents[:, ::-1]
    assert rows(part, 2, "latents", np.float32).ctypes.data != part.ctypes.data  # reversed: this layout needs a copy
    # Out: the Jacobian is a view of its columns, which start where it starts, and values own what they hold.
    columns = np.moveaxis(jacobian, -1, 1)
    assert columns.flags.c_contiguous and columns.ctypes.data == jacobian.ctypes.data
    base = x
    while base.base is not None and isinstance(base.base, np.ndarray):
        base = base.base
    assert base.ctypes.data == x.ctypes.data


def test_whatever_is_an_array_is_taken(digits, latents):
    expected = digits.decode(latents)

    class Exporting:
        def __dlpack__(self, **options):
            return latents.__dlpack__(**options)

        def __dlpack_device__(self):
            return latents.__dlpack_device__()

    class Converting:
        def __array__(self, dtype=None, copy=None):
            return np.asarray(latents, dtype=dtype)

    for given in (Exporting(), Converting(), latents.tolist(), latents.astype(np.float64), np.asfortranarray(latents)):
        assert np.array_equal(digits.decode(given), expected)
    assert np.array_equal(digits.decode(latents[0]), expected[:1])


def test_any_number_of_rows_gives_the_same_bits(digits):
    z = np.random.default_rng(2).standard_normal((70_000, 2)).astype(np.float32)
    whole = digits.decode(z)  # More than is made between two looks at signals.
    assert np.array_equal(whole[:10], digits.decode(z[:10])) and np.array_equal(whole[-10:], digits.decode(z[-10:]))
    assert digits.decode(z[:0]).shape == (0, 64)


def test_closed_forms_have_their_formulas():
    plane = latlas.load("builtin:polar", dtype="f64")
    z = np.array([[2.0, 0.5]])
    jacobian = plane.jacobian(z)
    assert jacobian.shape == (1, plane.ambient_dim, 2)
    assert np.allclose(np.einsum("nDi,nDj->nij", jacobian, jacobian), plane.metric(z), atol=1e-14)


def test_models_in_memory_and_in_other_processes(digits, latents, tmp_path):
    again = pickle.loads(pickle.dumps(digits))
    assert np.array_equal(again.decode(latents), digits.decode(latents)) and again.sha256 == digits.sha256


def test_what_is_wrong_is_told(digits, tmp_path):
    with pytest.raises(ValueError, match=r"latents of width 2, got shape \[3, 5\]"):
        digits.decode(np.zeros((3, 5)))
    with pytest.raises(ValueError, match="not finite, the first in row 1"):
        digits.decode([[0, 0], [np.nan, 0]])
    with pytest.raises(TypeError, match="complex"):
        digits.decode(np.zeros((1, 2), dtype=complex))
    with pytest.raises(FileNotFoundError, match="missing.onnx"):
        latlas.load(tmp_path / "missing.onnx")
    with pytest.raises(ValueError, match="digits-vae"):
        latlas.load("builtin:digit-vae")
    with pytest.raises(ValueError):
        latlas.from_bytes(b"not a model")
    with pytest.raises(ValueError, match="'f32' and 'f64'"):
        latlas.load("builtin:digits-vae", dtype="f16")
    with pytest.raises(ValueError, match="gaussian"):
        digits.metric([0, 0], embedding="gausian")


def test_the_lock_is_released(digits):
    z = np.random.default_rng(3).standard_normal((300_000, 2)).astype(np.float32)
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    start = time.perf_counter()
    digits.jacobian(z)
    end = time.perf_counter()
    done.set()
    ticker.join()
    during = [t for t in ticks if start < t < end]
    assert len(during) > 5 and np.diff([start, *during, end]).max() < 0.8 * (end - start)


def test_encoders(digits_encoder):
    x = latlas.data("digits")[:5]
    mean, logvar = digits_encoder.encode(x)
    assert mean.shape == logvar.shape == (5, 2)
    assert np.array_equal(pickle.loads(pickle.dumps(digits_encoder)).encode(x)[0], mean)
