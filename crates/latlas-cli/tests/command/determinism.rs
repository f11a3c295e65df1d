//! The same command gives the same bytes, on any number of threads and cut into any number of shards.

use super::{latlas, latlas_in, scratch};

const RUN: [&str; 6] = ["run", "entropy", "builtin:digits-vae", "--samples", "300", "--json"];

#[test]
fn threads_change_no_byte() {
    let outputs = ["1", "2", "3"].map(|threads| {
        let ran = latlas(&[&RUN[..], &["--chunk", "40", "--threads", threads]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    });
    assert!(outputs[0].contains("manifold-entropy"));
    assert!(outputs[0] == outputs[1] && outputs[0] == outputs[2]);
    let again = latlas(&[&RUN[..], &["--chunk", "40", "--seed", "1"]].concat());
    assert_ne!(again.out, outputs[0], "another seed gives other numbers");
}

#[test]
fn four_shards_merge_to_the_bytes_of_the_whole() {
    let folder = scratch();
    let run = [&RUN[..], &["--chunk", "40"]].concat();
    let whole = latlas_in(folder.path(), &run);
    assert_eq!(whole.code, 0, "{}", whole.err);
    let mut merge = vec!["merge", "--json"];
    let states = ["4", "2", "1", "3"].map(|shard| (format!("{shard}/4"), format!("{shard}.state")));
    for (shard, state) in &states {
        let ran = latlas_in(folder.path(), &[&run[..], &["--shard", shard, "--state", state]].concat());
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
        merge.push(state);
    }
    let merged = latlas_in(folder.path(), &merge);
    assert_eq!(merged.code, 0, "{}", merged.err);
    assert!(merged.out == whole.out, "the merged report differs");

    let missing = latlas_in(folder.path(), &merge[..5]);
    assert_eq!((missing.code, missing.out.as_str()), (2, ""));
    assert!(missing.err.contains('3'), "the missing shard is named: {}", missing.err);
    let partial = latlas_in(folder.path(), &[&merge[..5], &["--partial"]].concat());
    assert_eq!(partial.code, 0, "{}", partial.err);
    let twice = latlas_in(folder.path(), &["merge", "1.state", "1.state"]);
    assert_eq!(twice.code, 2);
    assert!(twice.err.contains("twice"), "{}", twice.err);
}

#[test]
fn merging_in_two_steps_and_resuming_change_no_byte() {
    let folder = scratch();
    let run = [&RUN[..], &["--chunk", "40"]].concat();
    let whole = latlas_in(folder.path(), &run);
    for shard in ["1", "2"] {
        let (part, state) = (format!("{shard}/2"), format!("{shard}.state"));
        let ran = latlas_in(folder.path(), &[&run[..], &["--shard", &part, "--state", &state]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    assert_eq!(latlas_in(folder.path(), &["merge", "2.state", "1.state", "-o", "all.state"]).code, 0);
    let merged = latlas_in(folder.path(), &["merge", "all.state", "--json"]);
    assert!(merged.out == whole.out, "{}", merged.err);

    let first = latlas_in(folder.path(), &[&run[..], &["--state", "run.state"]].concat());
    let resumed = latlas_in(folder.path(), &[&run[..], &["--state", "run.state", "--resume"]].concat());
    assert_eq!((first.code, resumed.code), (0, 0), "{}{}", first.err, resumed.err);
    assert!(first.out == whole.out && resumed.out == whole.out);
    let other = latlas_in(folder.path(), &[&run[..], &["--state", "run.state", "--resume", "--seed", "1"]].concat());
    assert_eq!(other.code, 2, "a state of another run is refused: {}", other.err);
}

#[test]
fn shards_of_classes_merge_to_the_bytes_of_the_whole() {
    let folder = scratch();
    let data =
        ["--sampling", "data", "--data", "builtin:digits", "--labels", "builtin:digits:labels", "--encoder", "builtin:digits-encoder"];
    let run =
        [&["run", "total-entropy", "manifold-entropy", "builtin:digits-vae", "--json", "--conditioning", "per-class"], &data[..]].concat();
    let whole = latlas_in(folder.path(), &run);
    assert_eq!(whole.code, 0, "{}", whole.err);
    for shard in ["1", "2"] {
        let (part, state) = (format!("{shard}/2"), format!("{shard}.state"));
        let ran = latlas_in(folder.path(), &[&run[..], &["--shard", &part, "--state", &state]].concat());
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    }
    let merged = latlas_in(folder.path(), &["merge", "2.state", "1.state", "--json"]);
    assert_eq!(merged.code, 0, "{}", merged.err);
    assert!(merged.out == whole.out, "the merged report differs");
    let missing = latlas_in(folder.path(), &["merge", "2.state"]);
    assert!(missing.code == 2 && missing.err.contains("missing or not finished: 1"), "{}", missing.err);
    let resumed = latlas_in(folder.path(), &[&run[..], &["--shard", "1/2", "--state", "1.state", "--resume"]].concat());
    assert_eq!(resumed.code, 0, "{}", resumed.err);
    let plain = run.iter().copied().filter(|word| !["--conditioning", "per-class"].contains(word)).collect::<Vec<_>>();
    let ran = latlas_in(folder.path(), &[&plain[..], &["--shard", "1/2", "--state", "plain.state"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let mixed = latlas_in(folder.path(), &["merge", "plain.state", "2.state"]);
    assert!(mixed.code == 2 && mixed.err.contains("classes"), "{}", mixed.err);
}

#[test]
fn a_damaged_state_is_refused() {
    let folder = scratch();
    std::fs::write(folder.path().join("bad.state"), b"LATLASST, or so it says").unwrap();
    let ran = latlas_in(folder.path(), &["merge", "bad.state"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.starts_with("error: bad.state: "), "{}", ran.err);
}
