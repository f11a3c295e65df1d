"""Latlas: an atlas of your generative model's latent space.

    import latlas

    decoder = latlas.load("decoder.onnx")            # or latlas.from_torch(module, latent_dim=10)
    decoder.decode(z); decoder.jacobian(z); decoder.metric(z); decoder.geodesic(a, b)
    report = latlas.run(["entropy", "geometry"], decoder, samples=1000)
    report["total-correlation"]
    latlas.metrics.mig(codes, factors)
    latlas.compare(decoder, other, samples=1000)     # differences, with their errors
    latlas.report(decoder, data=x, encoder=encoder).save("out")

``latlas.list()`` shows what there is, ``latlas.explain(id)`` its page.
"""

from __future__ import annotations

from latlas import metrics
from latlas._decoder import Decoder, Encoder, from_bytes, load, load_encoder
from latlas._generated import begin, compare, report, run
from latlas._latlas import __version__
from latlas._report import Estimate, Plot, Report
from latlas._run import Run, merge, merge_states
from latlas._tables import data, explain, list
from latlas._torch import from_torch
from latlas._jax import from_jax

__all__ = [
    "Decoder",
    "Encoder",
    "Estimate",
    "Plot",
    "Report",
    "Run",
    "__version__",
    "begin",
    "compare",
    "data",
    "explain",
    "from_bytes",
    "from_jax",
    "from_torch",
    "list",
    "load",
    "load_encoder",
    "merge",
    "merge_states",
    "metrics",
    "report",
    "run",
]
