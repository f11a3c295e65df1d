//! The functions of the Python package that have the options of a verb or the page of an estimator: written when
//! `LATLAS_GENERATE` is set, compared otherwise.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};
use latlas::estimators::{self, Card, Need};

use crate::generated::is_current;

/// Options that only a terminal or a file system has a use for; the package has functions for what some of them do.
const OF_THE_TERMINAL: &[&str] =
    &["json", "rows", "save", "estimator", "quiet", "color", "out", "state", "shard", "resume", "gate", "help", "threads"];

/// Options of a verb in the order of its help.
fn options(verb: &Command) -> Vec<&Arg> {
    let named = |arg: &&Arg| arg.get_long().is_some_and(|name| !OF_THE_TERMINAL.contains(&name));
    verb.get_arguments().filter(named).collect()
}

fn name(arg: &Arg) -> String {
    arg.get_long().unwrap_or_default().replace('-', "_")
}

/// Whether several values are taken.
fn is_list(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append) || arg.get_value_delimiter().is_some()
}

/// The type in a signature, and in words.
fn types(arg: &Arg) -> (&'static str, &'static str) {
    let value = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    let is_many = is_list(arg);
    match (value, is_many) {
        _ if matches!(arg.get_action(), ArgAction::SetTrue) => ("bool", "bool"),
        ("MODEL.onnx" | "A.onnx,B.onnx", _) => ("ModelInput | Sequence[ModelInput] | None", "decoder, file, or a sequence of them"),
        ("FEATURE.onnx", _) => ("ModelInput | None", "encoder or file"),
        ("FILE", true) => ("ModelInput | Sequence[ModelInput] | None", "encoder, file, or a sequence of them"),
        ("FILE", false) if arg.get_long() == Some("encoder") => ("ModelInput | None", "encoder or file"),
        ("FILE", false) => ("ArrayInput | None", "array or file"),
        ("SCALE", _) if arg.get_long() == Some("data-scale") => ("ArrayInput | None", "number, array or file"),
        ("PRIOR", _) => ("ArrayInput | None", "str, array or file"),
        ("N" | "M" | "INT", _) => ("int | None", "int"),
        ("SHARE" | "SCALE" | "STD", _) => ("float | None", "float"),
        (_, true) => ("Any | None", "a value or a sequence of them"),
        _ => ("str | None", "str"),
    }
}

/// Lines of text below a heading of a docstring.
fn indented(text: &str, depth: usize) -> String {
    let pad = " ".repeat(depth);
    text.lines().map(|line| if line.trim().is_empty() { String::new() } else { format!("{pad}{line}") } + "\n").collect()
}

/// Text inside a raw docstring.
fn quoted(text: &str) -> String {
    text.replace("\"\"\"", "'''")
}

/// Options as Python writes them.
fn in_python(text: &str, all: &[&Arg]) -> String {
    let mut said = text.to_string();
    let mut known: Vec<&str> = all.iter().filter_map(|arg| arg.get_long()).collect();
    known.sort_by_key(|name| std::cmp::Reverse(name.len()));
    for name in known {
        said = said.replace(&format!("--{name}"), &format!("``{}``", name.replace('-', "_")));
    }
    said
}

fn parameters(verb: &Command) -> (String, String) {
    let all = options(verb);
    let (mut signature, mut documented) = (String::new(), String::new());
    for arg in &all {
        let (code, words) = types(arg);
        let default = if code == "bool" { "False" } else { "None" };
        let _ = writeln!(signature, "    {}: {code} = {default},", name(arg));
        let mut help = in_python(&arg.get_help().map(ToString::to_string).unwrap_or_default(), &all);
        let values: Vec<String> = arg.get_possible_values().iter().map(|value| format!("``{}``", value.get_name())).collect();
        if !values.is_empty() && code != "bool" {
            let _ = write!(help, " (one of {})", values.join(", "));
        }
        let fallback: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        if !fallback.is_empty() && code != "bool" {
            let _ = write!(help, " [default: {}]", fallback.join(","));
        }
        let _ = write!(documented, "{} : {words}, optional\n{}", name(arg), indented(&help, 4));
    }
    (signature, documented)
}

fn verb<'a>(command: &'a Command, name: &str) -> &'a Command {
    command.find_subcommand(name).unwrap()
}

#[test]
fn generated_python_functions_have_the_options_of_the_command() {
    let mut command = latlas_cli::command();
    command.build();
    let mut text = String::from(
        "\"\"\"Functions with the options of the command. Made by `cargo dev generate`; edit the command's arguments instead.\"\"\"\n\n\
         from __future__ import annotations\n\n\
         from collections.abc import Sequence\n\
         from typing import Any\n\n\
         from latlas._run import ArrayInput, ModelInput, Progress, Run, compare as _compare, options, prepare\n\
         from latlas._report import Report\n\n\
         __all__ = [\"begin\", \"compare\", \"report\", \"run\"]\n\n",
    );
    let running = "threads : int, optional\n    Threads; all cores by default.\nprogress : bool or callable, optional\n    Whether to show a bar, or a function ``(done, all)`` to call; by default there is a bar if tqdm is installed.\n";
    let (signature, documented) = parameters(verb(&command, "run"));
    let ids = "estimators : str or sequence of str\n    Ids of estimators or groups: :func:`latlas.list` shows them, :func:`latlas.explain` has their pages.\n\
               decoder : Decoder, path or ``builtin:NAME``, optional\n    What is measured.\n";
    for (name, gives, what, body) in [
        (
            "run",
            "Report",
            "Measures: runs the named estimators or groups, and gives their values with uncertainties.",
            "prepare(\"run\", estimators, decoder, options(locals())).measure(threads, progress)",
        ),
        (
            "begin",
            "Run",
            "Prepares what :func:`run` would do, to be done shard by shard: see :meth:`Run.shard` and :meth:`Run.merge`.",
            "prepare(\"run\", estimators, decoder, options(locals()))",
        ),
    ] {
        let is_run = name == "run";
        let more = if is_run { "    threads: int | None = None,\n    progress: Progress = None,\n" } else { "" };
        let _ = write!(
            text,
            "\ndef {name}(\n    estimators: str | Sequence[str],\n    decoder: ModelInput | None = None,\n    *,\n{signature}{more}) -> {gives}:\n    r\"\"\"{what}\n\n    Parameters\n    ----------\n{}    \"\"\"\n    return {body}\n",
            quoted(&indented(&format!("{ids}{documented}{}", if is_run { running } else { "" }), 4)),
        );
        text.push('\n');
    }
    let (signature, documented) = parameters(verb(&command, "report"));
    let ids = "decoder : Decoder, path or ``builtin:NAME``, optional\n    What is measured; without a model, Jacobians or codes, the built-in digits and their model.\n";
    let _ = write!(
        text,
        "\ndef report(\n    decoder: ModelInput | None = None,\n    *,\n{signature}    threads: int | None = None,\n    progress: Progress = None,\n) -> Report:\n    r\"\"\"Measures everything that applies to what was given; ``report(…).save(\"out\")`` writes the page.\n\n    Parameters\n    ----------\n{}    \"\"\"\n    return prepare(\"report\", None, decoder, options(locals())).measure(threads, progress, whole_page=True)\n",
        quoted(&indented(&format!("{ids}{documented}{running}"), 4)),
    );
    let (signature, documented) = parameters(verb(&command, "compare"));
    let sides = "*sides : Decoder, Report, path or ``builtin:NAME``\n    Two models or more, or two reports or more (or their JSON files).\n\
                 estimators : str or sequence of str, optional\n    Ids of estimators or groups, for models; all entropies by default.\n";
    let _ = write!(
        text,
        "\n\ndef compare(\n    *sides: ModelInput | Report,\n    estimators: str | Sequence[str] | None = None,\n{signature}    threads: int | None = None,\n    progress: Progress = None,\n) -> Report:\n    r\"\"\"Compares models on the same latents or data, or reports: differences from the first one.\n\n    Parameters\n    ----------\n{}    \"\"\"\n    return _compare(sides, estimators, threads, progress, options(locals()))\n",
        quoted(&indented(&format!("{sides}{documented}{running}"), 4)),
    );
    is_current("../crates/latlas-python/python/latlas/_generated.py", &text);
}

#[test]
fn generated_python_metrics_are_the_scores_of_codes() {
    let of_codes = |card: &Card| card.needs.contains(&Need::Codes);
    let cards: Vec<&Card> = estimators::all().map(|entry| &entry.card).filter(|card| of_codes(card)).collect();
    let names: Vec<String> = cards.iter().map(|card| card.id.replace('-', "_")).collect();
    let listed: String = names.iter().map(|name| format!("    \"{name}\",\n")).collect();
    let mut text = format!(
        "\"\"\"Scores of codes as plain functions. Made from the table of estimators by `cargo dev generate`.\n\n\
         Each takes codes ``[n, L]`` and what else it scores them by, and gives a number (an array, where it has several), or the\n\
         whole :class:`latlas.Estimate` with ``return_estimate=True``. ``random_state`` keys what is drawn: an int, a NumPy\n\
         generator, or None for the fixed key 0. Further options are those of :func:`latlas.run`: ``preset=\"study-2019\"``,\n\
         ``factor_kinds``, ``test_codes`` ….\n\"\"\"\n\n\
         from __future__ import annotations\n\nfrom typing import Any\n\nfrom latlas._score import score\n\n__all__ = [\n{listed}]\n\n"
    );
    for (card, name) in cards.iter().zip(&names) {
        let mut given = vec!["codes"];
        given.extend(card.needs.contains(&Need::CodesLogvar).then_some("codes_logvar"));
        given.extend(card.needs.contains(&Need::Factors).then_some("factors"));
        let arguments: String = given.iter().map(|name| format!("{name}: Any, ")).collect();
        let passed: String = given.iter().map(|name| format!("{name}={name}, ")).collect();
        let about = |name: &str| match name {
            "codes" => "codes : array ``[n, L]``\n    Codes of data; rows that are not finite are counted and left out.\n",
            "codes_logvar" => "codes_logvar : array ``[n, L]``\n    Log variances of the posterior whose means the codes are.\n",
            _ => "factors : array ``[n, K]`` or ``[n]``\n    Factors of variation; NaN is a missing label.\n",
        };
        let page = format!(
            "{}.\n\nUnit {}; range {}.\n\nParameters\n----------\n{}random_state : int, numpy.random.Generator or None\nreturn_estimate : bool\n    Give the whole estimate, with its standard error or interval and its caveats.\n**options\n    Those of :func:`latlas.run`.\n\nNotes\n-----\n{}\n",
            card.title,
            card.unit,
            card.range,
            given.iter().map(|name| about(name)).collect::<String>(),
            card.page().trim()
        );
        let _ = write!(
            text,
            "\ndef {name}({arguments}*, random_state: Any = None, return_estimate: bool = False, **options: Any) -> Any:\n    r\"\"\"{}    \"\"\"\n    return score(\"{}\", random_state, return_estimate, {passed}**options)\n\n",
            quoted(indented(&page, 4).trim_start()),
            card.id,
        );
    }
    is_current("../crates/latlas-python/python/latlas/metrics.py", &(text.trim_end().to_string() + "\n"));
}
