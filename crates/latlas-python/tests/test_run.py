"""Runs, reports and shards: the same bits as the command."""

import json
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import latlas


def test_a_run_is_that_of_the_command_to_the_byte(digits, command):
    theirs = command("run", "entropy", "builtin:digits-vae", "--samples", 64, "--seed", 3, "--json", "--quiet")
    for decoder in (digits, "builtin:digits-vae"):
        assert latlas.run("entropy", decoder, samples=64, seed=3).to_json() == theirs
    assert latlas.run("entropy", digits, samples=64, seed=3, threads=1, chunk=None).to_json() == theirs


def test_arrays_stand_for_files(digits, command, digits_encoder):
    z = np.random.default_rng(0).standard_normal((50, 2))
    np.save(command.folder / "z.npy", z)
    theirs = json.loads(command("run", "manifold-entropy", "builtin:digits-vae", "--latents", "z.npy", "--json", "--quiet"))
    ours = latlas.run("manifold-entropy", digits, latents=z)
    assert ours.to_dict()["estimates"] == theirs["estimates"]
    assert ours.to_dict()["inputs"][1]["path"] == "array:latents"
    theirs = json.loads(
        command(
            "run", "mig", "--data", "builtin:digits", "--encoder", "builtin:digits-encoder", "--factors", "builtin:digits:labels", "--json", "--quiet"
        )
    )
    ours = latlas.run("mig", data=latlas.data("digits"), encoder=digits_encoder, factors=latlas.data("digits:labels"))
    assert ours.to_dict()["estimates"] == theirs["estimates"]


def test_jacobians_alone(digits, latents):
    jacobians = digits.jacobian(latents)
    report = latlas.run("manifold-entropy", jacobians=jacobians)
    assert report["manifold-entropy"].n_used == len(latents)


def test_estimates_and_reports_show_themselves(digits):
    report = latlas.run(["entropy"], digits, samples=64)
    estimate = report["total_correlation"]
    assert estimate.id == "total-correlation" and float(estimate) == estimate.value
    assert np.asarray(report["manifold-entropy"]).shape == (2,)
    assert "nats" in repr(estimate) and "<table>" in estimate._repr_html_() and "<table>" in report._repr_html_()
    assert estimate.title in str(report)
    assert all(law["holds"] for law in report.invariants.values()) and report.citations
    with pytest.raises(KeyError, match="did you mean 'total-correlation'"):
        report["total-corelation"]
    assert [one.id for one in report] == list(report.estimates)


def test_plots_and_pages(digits, tmp_path):
    report = latlas.report(digits, samples=64)
    assert "entropy-spectrum" in report.plots
    plot = report.plot("spectrum")
    assert plot.id == "entropy-spectrum" and plot.svg.startswith("<svg") and "<figure" in plot._repr_html_()
    with pytest.raises(ValueError, match="there is"):
        report.plot("spectacle")
    folder = report.save(tmp_path / "out")
    assert (folder / "report.html").read_text().startswith("<!DOCTYPE html>")
    again = latlas.Report.load(folder / "report.json")
    assert again.to_json() == report.to_json()
    assert again["total-correlation"].value == report["total-correlation"].value


def test_maps_of_a_plane_are_saved_beside_the_page(tmp_path):
    report = latlas.report("builtin:inversion:d=5:shift=4", samples=50, plane=(3, 0, 1))
    folder = report.save(tmp_path)
    plane = json.loads((folder / "latent-plane.json").read_text(encoding="utf-8"))
    assert [anchor["name"] for anchor in plane["anchors"]] == [f"draw {k} from the prior" for k in (3, 0, 1)]
    for drawn in plane["maps"]:
        values = np.load(folder / drawn["array"])
        assert values.ndim == 2 and drawn["low"] < drawn["high"]
        assert (folder / drawn["picture"]).read_bytes().startswith(b"\x89PNG")
    again = latlas.report("builtin:inversion:d=5:shift=4", samples=50, map_ranges=folder / "latent-plane.json").save(tmp_path / "again")
    ends = [[(m["id"], m["low"], m["high"]) for m in json.loads((f / "latent-plane.json").read_text())["maps"]] for f in (folder, again)]
    assert ends[0] == ends[1]


def test_report_without_a_model_is_of_the_digits():
    from latlas._run import prepare

    # Its whole report takes a minute; what goes into it does not.
    assert any("built-in digits" in note for note in prepare("report", None, None, {"samples": 64}).notes)


def test_shards_merge_to_the_whole(digits, tmp_path, command):
    options = {"samples": 600, "chunk": 50}
    whole = latlas.run("entropy", digits, **options)
    begun = latlas.begin("entropy", digits, **options)
    states = [begun.shard(i, 3) for i in (2, 0, 1)]
    assert begun.merge(states).to_json() == whole.to_json() == latlas.merge(states).to_json()
    words = ["run", "entropy", "builtin:digits-vae", "--samples", 600, "--chunk", 50, "--quiet", "--shard", "2/3", "--state", "part"]
    command(*words)
    assert latlas.merge([states[0], states[1], command.folder / "part"]).to_json() == whole.to_json()
    with pytest.raises(ValueError, match="missing or not finished: 2"):
        latlas.merge(states[:2])
    assert latlas.merge(states[:2], partial=True).settings["missing_shards"] == [2]
    with pytest.raises(ValueError, match="twice"):
        latlas.merge([states[0], *states])
    with pytest.raises(ValueError):
        latlas.merge([states[0][:-1]])
    with pytest.raises(ValueError, match="shard 3 of 3"):
        begun.shard(3, 3)


def test_wrong_use_is_told(digits):
    with pytest.raises(ValueError, match="did you mean `total-correlation`"):
        latlas.run("total-corelation", digits)
    with pytest.raises(TypeError, match="smaples"):
        latlas.run("entropy", digits, smaples=3)
    with pytest.raises(ValueError, match="give it a decoder|no decoder"):
        latlas.run("manifold-entropy")
    with pytest.raises(TypeError, match="latlas.load"):
        latlas.run("entropy", lambda z: z)
    with pytest.raises(ValueError, match="latents of width 2"):
        latlas.run("entropy", digits, latents=np.zeros((3, 7)))
    with pytest.raises(ValueError, match="condition"):
        latlas.run("entropy", digits, condition=np.zeros((1, 3)), samples=10)


def test_progress_is_reported_and_can_stop_a_run(digits):
    seen = []
    latlas.run("manifold-entropy", digits, samples=500, chunk=50, progress=lambda done, all: seen.append((done, all)))
    assert seen[-1] == (500, 500) and seen == sorted(seen)

    def stop(done, all):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        latlas.run("manifold-entropy", digits, samples=500, chunk=50, progress=stop)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as a signal")
def test_control_c_stops_a_run():
    script = "import latlas; print('go', flush=True); latlas.run('entropy', 'builtin:digits-vae', samples=50_000_000, chunk=1000)"
    # A shell's background jobs ignore the signal, and so would their children.
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout.readline() == "go\n"
    time.sleep(1.0)
    start = time.perf_counter()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors and time.perf_counter() - start < 30


def test_runs_go_on_beside_each_other(digits):
    reports = [None] * 3

    def work(i):
        reports[i] = latlas.run("manifold-entropy", digits, samples=200, seed=i).to_json()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert reports == [latlas.run("manifold-entropy", digits, samples=200, seed=i).to_json() for i in range(3)]


def test_models_are_compared_as_by_the_command(digits, command, tmp_path):
    command("train", "vae", "--data", "builtin:digits", "--epochs", 1, "-o", "other", "--quiet")
    other = tmp_path / "other" / "decoder.onnx"
    theirs = command("compare", "builtin:digits-vae", other, "--samples", 64, "--json", "--quiet")
    ours = latlas.compare(digits, latlas.load(other), samples=64)
    assert ours.to_json() == theirs
    along = latlas.compare(digits, other, samples=64, along={"beta": [1, 4]}, estimators="total-entropy")
    assert "total-entropy-difference" in along
    # A model and itself differ by nothing, and names that are the same are told apart.
    same = latlas.compare(digits, digits, samples=64, estimators=["total-entropy"])
    assert np.all(np.asarray(same["total-entropy-difference"]) == 0.0)


def test_reports_are_compared(digits, tmp_path):
    few, many = (latlas.run("total-entropy", digits, samples=samples) for samples in (64, 128))
    found = latlas.compare(few, many)
    expected = float(many["total-entropy"]) - float(few["total-entropy"])
    assert np.asarray(found["total-entropy-difference"]).ravel()[-1] == pytest.approx(expected, abs=1e-12)
    files = [one.save(tmp_path / name) / "report.json" for one, name in ((few, "few"), (many, "many"))]
    assert latlas.compare(*files).to_dict()["estimates"] == found.to_dict()["estimates"]
    with pytest.raises(TypeError, match="a model and a report"):
        latlas.compare(few, digits)
    with pytest.raises(TypeError, match="samples cannot be chosen"):
        latlas.compare(few, many, samples=3)
    with pytest.raises(ValueError, match="two models or reports at least, got 1"):
        latlas.compare(few)
