"""Decoders from torch: six families against torch's own derivatives, and what cannot be exported."""

import warnings

import numpy as np
import pytest

import latlas

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.func import jacfwd, vmap  # noqa: E402

torch.set_num_threads(1)


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(5, 8 * 4 * 4)
        self.layers = nn.Sequential(nn.ELU(), nn.ConvTranspose2d(8, 6, 4, 2, 1), nn.Softplus(), nn.ConvTranspose2d(6, 1, 4, 2, 1), nn.Sigmoid())

    def forward(self, z):
        return self.layers(self.linear(z).unflatten(1, (8, 4, 4)))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 8 * 4 * 4)
        self.block = nn.Sequential(nn.GroupNorm(2, 8), nn.SiLU(), nn.Conv2d(8, 8, 3, padding=1), nn.GroupNorm(4, 8), nn.SiLU(), nn.Conv2d(8, 8, 3, padding=1))
        self.out = nn.Conv2d(8, 2, 3, padding=1)

    def forward(self, z):
        x = self.linear(z).unflatten(1, (8, 4, 4))
        x = x + self.block(x)
        return self.out(nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Linear(6, 5 * 8)
        self.query, self.key, self.value = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.norm, self.out = nn.LayerNorm(8), nn.Linear(8, 3)

    def forward(self, z):
        x = self.tokens(z).unflatten(1, (5, 8))
        q, k, v = self.query(x), self.key(x), self.value(x)
        x = self.norm(x + torch.softmax(q @ k.transpose(1, 2) / 8**0.5, -1) @ v)
        return self.out(torch.nn.functional.gelu(x))


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.mean, self.logvar = nn.Sequential(nn.Linear(3, 16), nn.Tanh()), nn.Linear(16, 10), nn.Linear(16, 10)

    def forward(self, z):
        h = self.body(z)
        return self.mean(h), self.logvar(h)


class CouplingFlow(nn.Module):
    def __init__(self):
        super().__init__()
        from nflows.nn.nets import ResidualNet
        from nflows.transforms import AffineCouplingTransform, CompositeTransform, ReversePermutation

        def net(a, b):
            return ResidualNet(a, b, hidden_features=16, num_blocks=1, activation=torch.tanh)

        mask = torch.arange(6) % 2
        steps = []
        for i in range(3):
            steps += [AffineCouplingTransform(mask if i % 2 else 1 - mask, net), ReversePermutation(6)]
        self.flow = CompositeTransform(steps)

    def forward(self, z):
        return self.flow(z)[0]


FAMILIES = {
    "mlp": (lambda: nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 32), nn.GELU(), nn.Linear(32, 50)), 8),
    "convolutional": (Convolutional, 5),
    "residual": (Residual, 4),
    "attention": (Attention, 6),
    "coupling flow": (CouplingFlow, 6),
    "two heads": (TwoHeads, 3),
}


@pytest.mark.parametrize("dtype,tolerance", [("f32", 1e-5), ("f64", 1e-10)])
@pytest.mark.parametrize("family", FAMILIES)
def test_jacobians_and_metrics_agree_with_torch(family, dtype, tolerance):
    torch.manual_seed(0)
    make, d = FAMILIES[family]
    module = make().eval()
    decoder = latlas.from_torch(module, d, dtype=dtype)
    number = torch.float64 if dtype == "f64" else torch.float32
    exact = make()
    exact.load_state_dict(module.state_dict())
    exact = exact.eval().double()
    z = torch.randn(9, d, dtype=number)

    def mean(z):
        out = exact(z[None])
        return (out[0] if isinstance(out, tuple) else out)[0]

    theirs = vmap(jacfwd(mean))(z.double()).detach().numpy()
    ours = decoder.jacobian(z)
    assert ours.dtype == (np.float64 if dtype == "f64" else np.float32) and ours.shape == theirs.shape
    # Exporters write numbers of Python, such as the 1e-3 in each coupling's scale, in single precision: 5e-11 a layer.
    tolerance *= 3 if (family, dtype) == ("coupling flow", "f64") else 1
    assert np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max()
    flat = theirs.reshape(9, -1, d)
    metric = np.einsum("nDi,nDj->nij", flat, flat)
    assert np.abs(decoder.metric(z, embedding="mean") - metric).max() <= 2 * tolerance * np.abs(metric).max()


def test_heads_and_distributions():
    from torch import distributions as td

    torch.manual_seed(0)
    two = latlas.from_torch(TwoHeads(), 3)
    assert set(two.heads) == {"mean", "logvar"}
    named = latlas.from_torch(TwoHeads(), 3, outputs=["mean", "std"])
    assert set(named.heads) == {"mean", "std"}

    class Normal(nn.Module):
        def __init__(self):
            super().__init__()
            self.mean = nn.Linear(3, 7)

        def forward(self, z):
            return td.Independent(td.Normal(self.mean(z), nn.functional.softplus(self.mean(z)) + 0.1), 1)

    class Bernoulli(Normal):
        def forward(self, z):
            return td.Bernoulli(logits=self.mean(z))

    normal, z = Normal(), torch.randn(4, 3)
    decoder = latlas.from_torch(normal, 3)
    assert set(decoder.heads) == {"mean", "std"}
    assert np.allclose(decoder.decode(z), normal(z).mean.detach(), atol=1e-6)
    # The metric of a decoder with a spread is that of mean and spread.
    assert not np.allclose(decoder.metric(z), decoder.metric(z, embedding="mean"))
    bernoulli = latlas.from_torch(Bernoulli(), 3)
    assert "logits" in bernoulli.heads and bernoulli.metric(z, embedding="bernoulli").shape == (4, 3, 3)
    assert td.Distribution._validate_args  # as it was before


def test_the_module_stays_as_it_was_and_is_exported_in_evaluation_mode():
    module = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.BatchNorm1d(8), nn.Linear(8, 9))
    module.train()
    with pytest.warns(UserWarning, match="evaluation mode"):
        decoder = latlas.from_torch(module, 3)
    assert module.training and module[0].weight.dtype == torch.float32
    z = torch.randn(5, 3)
    with torch.no_grad():
        assert np.allclose(decoder.decode(z), module.eval()(z), atol=1e-5)


def test_functions_and_shaped_latents():
    decoder = latlas.from_torch(lambda z: torch.stack([z[:, 0].cos(), z[:, 0].sin(), z[:, 1]], 1), 2, dtype="f64")
    assert np.allclose(decoder.metric([[0.3, 0.2]]), np.eye(2), atol=1e-14)
    shaped = latlas.from_torch(nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.Tanh()), (1, 4, 2))
    assert shaped.latent_dim == 8 and shaped.ambient_shape == (3, 4, 2)
    assert shaped.decode(torch.randn(2, 1, 4, 2)).shape == (2, 3, 4, 2)


def test_conditions():
    class Conditional(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(5, 9)

        def forward(self, z, c):
            return torch.tanh(self.linear(torch.cat([z, c], 1)))

    module = Conditional()
    decoder = latlas.from_torch(module, 2, condition_dim=3)
    z, c = torch.randn(4, 2), torch.randn(4, 3)
    assert np.allclose(decoder.decode(z, condition=c), module(z, c).detach(), atol=1e-6)


def test_what_cannot_be_exported_says_so():
    class Random(nn.Module):
        def forward(self, z):
            return torch.cat([z, torch.randn_like(z)], 1)

    with pytest.raises(ValueError, match="random numbers"):
        latlas.from_torch(Random(), 3)

    class Bessel(nn.Module):
        def forward(self, z):
            return torch.special.i1(z.repeat(1, 3))

    with pytest.raises(NotImplementedError, match=r"(?s)i1.*jacobians=J"):
        latlas.from_torch(Bessel(), 3)

    class Branching(nn.Module):
        def forward(self, z):
            return z.repeat(1, 2) * (2.0 if bool(z.sum() > 0) else 3.0)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((ValueError, NotImplementedError)):
            latlas.from_torch(Branching(), 3, check_points=50)


def test_arrays_of_torch_are_taken_without_a_copy(digits):
    z = torch.randn(6, 2)
    from latlas._arrays import as_numpy

    assert as_numpy(z).ctypes.data == z.data_ptr()
    assert as_numpy(z.requires_grad_()).ctypes.data == z.data_ptr()
    assert np.array_equal(digits.decode(z), digits.decode(z.detach().numpy()))
    turned = torch.randn(2, 6).T
    assert np.array_equal(digits.decode(turned), digits.decode(turned.contiguous()))
