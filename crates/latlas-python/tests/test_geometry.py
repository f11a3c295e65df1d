"""Geodesics, exponential and logarithmic maps, distances."""

import numpy as np
import pytest

import latlas


def test_maps_undo_each_other_on_a_sphere():
    sphere = latlas.load("builtin:sphere", dtype="f64")
    a, v = np.array([[1.2, 0.3], [1.5, -0.4]]), np.array([[0.2, 0.4], [-0.3, 0.2]])
    b = sphere.exp(a, v)
    assert np.allclose(sphere.log(a, b), v, atol=1e-6)
    x, y = sphere.decode(a), sphere.decode(b)
    angle = np.arccos(np.clip((x * y).sum(1) / (np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)), -1, 1))
    radius = np.linalg.norm(x, axis=1)
    assert np.allclose(sphere.distance(a, b), radius * angle, rtol=1e-8)
    length, lower, upper = sphere.distance(a, b, return_bracket=True)
    assert (lower <= length + 1e-12).all() and (length <= upper * (1 + 1e-9)).all()


def test_curves_are_those_of_the_command(command):
    decoder = latlas.load("builtin:digits-vae")
    a, b = np.array([[0.0, 0.0], [-1.0, 0.5]]), np.array([[1.0, 1.0], [0.5, -0.5]])
    np.save(command.folder / "a.npy", a)
    np.save(command.folder / "b.npy", b)
    command("geodesic", "builtin:digits-vae", "--from", "a.npy", "--to", "b.npy", "-o", "out.npz", "--points", 9, "--levels", "16,32", "--quiet")
    theirs = np.load(command.folder / "out.npz")
    ours = decoder.geodesic(a, b, points=9, levels=[16, 32])
    for key in ("curves", "length", "lower", "upper", "energy"):
        assert np.array_equal(theirs[key], ours[key]), key
    assert ours["curves"].shape == (2, 9, 2) and np.allclose(ours["curves"][:, 0], a) and np.allclose(ours["curves"][:, -1], b)
    assert len(ours["status"]) == 2 and ours["converged"].dtype == bool


def test_distances_between_all_rows():
    decoder = latlas.load("builtin:digits-vae")
    z = np.random.default_rng(0).standard_normal((12, 2))
    lower, upper = decoder.distance(z, neighbours=5)
    assert lower.shape == upper.shape == (12, 12)
    assert (lower <= upper + 1e-9).all() and np.allclose(np.diag(upper), 0)
    with pytest.raises(TypeError, match="levels"):
        decoder.distance(z, levels=[8])
    with pytest.raises(TypeError, match="no option smooth"):
        decoder.log(z, z, smooth=True)
    with pytest.raises(ValueError, match="points=1"):
        decoder.geodesic(z, z, points=1)
