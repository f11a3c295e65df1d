"""The package as such: tables, stubs, the command."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest

import latlas
from latlas import _latlas


def test_tables_and_pages():
    tables = latlas.list()
    assert set(tables) == {"estimators", "models", "data", "experiments", "caveats", "ops"}
    assert "mig" in latlas.list("estimators") and "<table>" in latlas.list("data")._repr_html_()
    assert "Formula" in latlas.explain("mig") or "=" in latlas.explain("mig")
    assert latlas.explain("manifold_entropy") == latlas.explain("manifold-entropy")
    with pytest.raises(ValueError, match="did you mean 'mig'"):
        latlas.explain("migg")
    with pytest.raises(ValueError, match="did you mean 'models'"):
        latlas.list("model")


def test_data_ships_with_the_package():
    assert latlas.data("digits").shape == (1797, 64)
    assert latlas.data("digits:labels").dtype == np.int64
    with pytest.raises(ValueError):
        latlas.data("nothing")


def test_stubs_name_what_the_extension_has():
    stubs = ast.parse((Path(latlas.__file__).parent / "_latlas.pyi").read_text())

    def public(names):
        return {name for name in names if not name.startswith("_")}

    functions = {node.name for node in stubs.body if isinstance(node, ast.FunctionDef)}
    classes = {node.name: node for node in stubs.body if isinstance(node, ast.ClassDef)}
    assert public(dir(_latlas)) == public(functions | set(classes))
    for name, node in classes.items():
        methods = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
        assert public(methods) == public(dir(getattr(_latlas, name))), name


def test_everything_public_is_documented():
    for name in latlas.__all__:
        thing = getattr(latlas, name)
        if callable(thing):
            assert inspect.getdoc(thing), name
            for part in vars(thing) if inspect.isclass(thing) else ():
                if not part.startswith("_") and callable(getattr(thing, part)):
                    assert inspect.getdoc(getattr(thing, part)), f"{name}.{part}"
    assert (Path(latlas.__file__).parent / "py.typed").exists()


def test_the_command_comes_with_the_wheel(command):
    assert command("--version").strip() == f"latlas {latlas.__version__}"
    command("explain", "nothing-like-it", code=2)
    assert "mig" in command("list", "estimators")


def test_options_of_the_command_are_those_of_the_functions():
    run, report = inspect.signature(latlas.run).parameters, inspect.signature(latlas.report).parameters
    assert {"latents", "samples", "prior", "codes", "factors", "embedding", "dtype", "seed", "preset", "sketch"} <= set(run)
    assert "image" in report and "image" not in run and "json" not in run
    for function in (latlas.run, latlas.report, latlas.begin):
        for name in inspect.signature(function).parameters:
            assert f"{name} :" in function.__doc__, name
