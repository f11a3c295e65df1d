//! Wrong use is met with help: what is wrong in full, and what to do.

use ndarray::ArrayD;

use super::{Ran, fixture, latlas_in, scratch, write};

/// Runs in a folder that holds some files to go wrong with.
fn refused(arguments: &[&str]) -> Ran {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    write(&path("wide.npy"), &super::latents(5, 3));
    write(&path("data.npy"), &ArrayD::from_shape_fn(vec![5, 64], |index| if index[0] == 3 { f64::NAN } else { 0.5 }));
    write(&path("narrow.npy"), &super::latents(5, 60));
    let flow = std::fs::read(fixture("galaxy_flow.onnx")).unwrap();
    std::fs::write(path("truncated.onnx"), &flow[..flow.len() / 2]).unwrap();
    std::fs::write(path("text.onnx"), "this is no model").unwrap();
    let mut ran = latlas_in(folder.path(), arguments);
    assert_eq!(ran.out, "", "nothing but data goes to standard output");
    // What was guessed of the model is told before.
    let at = ran.err.lines().position(|line| line.starts_with("error: "));
    assert!(at.is_some(), "{}", ran.err);
    ran.err = ran.err.split_inclusive('\n').skip(at.unwrap()).collect();
    ran
}

fn shown(ran: &Ran) -> String {
    format!("exit code {}\n{}", ran.code, ran.err)
}

#[test]
fn a_missing_file() {
    insta::assert_snapshot!(shown(&refused(&["run", "entropy", "missing.onnx"])));
    assert_eq!(refused(&["decode", "builtin:digits-vae", "--latents", "missing.npy", "-o", "x.npy"]).code, 2);
    assert_eq!(refused(&["inspect", "missing.onnx"]).code, 2);
}

#[test]
fn latents_of_the_wrong_width() {
    insta::assert_snapshot!(shown(&refused(&["run", "entropy", "builtin:digits-vae", "--latents", "wide.npy"])));
    assert_eq!(refused(&["jacobian", "builtin:digits-vae", "--latents", "wide.npy", "-o", "x.npy"]).code, 2);
}

#[test]
fn nan_in_the_data() {
    let data = ["run", "entropy", "builtin:digits-vae", "--encoder", "builtin:digits-encoder", "--data", "data.npy"];
    insta::assert_snapshot!(shown(&refused(&data)));
}

#[test]
fn data_of_the_wrong_width() {
    insta::assert_snapshot!(shown(&refused(&["run", "entropy", "builtin:digits-vae", "--data", "narrow.npy"])));
}

#[test]
fn an_unknown_estimator() {
    insta::assert_snapshot!(shown(&refused(&["run", "total-corelation", "builtin:digits-vae"])));
    assert_eq!(refused(&["run", "beauty", "builtin:digits-vae"]).code, 2);
}

#[test]
fn an_unknown_builtin() {
    insta::assert_snapshot!(shown(&refused(&["run", "entropy", "builtin:digit-vae"])));
    assert_eq!(refused(&["run", "entropy", "builtin:digits-vae", "--data", "builtin:digit"]).code, 2);
}

#[test]
fn an_encoder_given_as_decoder() {
    let ran = refused(&["run", "total-entropy", "builtin:digits-encoder"]);
    insta::assert_snapshot!(shown(&ran));
    assert!(ran.err.contains("encoder"), "the hint names the likely mistake");
}

#[test]
fn a_truncated_model() {
    for file in ["truncated.onnx", "text.onnx"] {
        for verb in [&["inspect", file][..], &["run", "entropy", file]] {
            let ran = refused(verb);
            assert!([2, 3].contains(&ran.code), "{}", shown(&ran));
            assert!(ran.err.contains(file), "{}", ran.err);
        }
    }
}

#[test]
fn an_output_that_does_not_exist() {
    insta::assert_snapshot!(shown(&refused(&["run", "entropy", "builtin:digits-vae", "--mean", "men"])));
}

#[test]
fn options_that_have_no_effect_are_not_taken() {
    for arguments in [&["decode", "m.onnx", "--latents", "z.npy", "-o", "x.npy", "--seed", "1"][..], &["list", "--threads", "2"]] {
        let ran = refused(arguments);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains("unexpected argument"), "{}", ran.err);
    }
}

#[test]
fn no_threads() {
    assert_eq!(refused(&["run", "entropy", "builtin:digits-vae", "--threads", "0"]).code, 2);
}

#[test]
fn control_codes_in_names_do_not_reach_the_terminal() {
    let ran = refused(&["inspect", "\u{1b}[2Jevil.onnx"]);
    assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
}
