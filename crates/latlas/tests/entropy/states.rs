//! States of shards: what merges, what is refused, and that a damaged file never panics.

use crate::explicit::{Explicit, inputs, settings};
use latlas::error::Result;
use latlas::run::{Inputs, Settings, Shard, State, run_shard};

fn linear() -> Inputs {
    inputs(Explicit::linear(2, vec![2., 1., 0., 1.]))
}

fn shard(inputs: &Inputs, settings: &Settings, index: usize, of: usize) -> State {
    run_shard(&["entropy".into()], inputs, settings, Shard { index, of }, &|_, _| {}).unwrap()
}

fn message(result: Result<()>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn foreign_states_are_refused() {
    let settings = Settings { chunk: Some(8), ..settings(100) };
    let state = || shard(&linear(), &settings, 0, 3);
    assert!(message(state().merge(state())).contains("shard 1 of 3 is there twice"));
    let other_seed = Settings { seed: 1, ..settings.clone() };
    assert!(message(state().merge(shard(&linear(), &other_seed, 1, 3))).contains("settings differ"));
    assert!(message(state().merge(shard(&linear(), &settings, 1, 4))).contains("number of shards differ"));
    let record = latlas::report::InputRecord { role: "model".into(), path: "a.onnx".into(), sha256: "00".into(), shape: vec![2] };
    let other_model = Inputs { records: vec![record], ..linear() };
    assert!(message(state().merge(shard(&other_model, &settings, 1, 3))).contains("model or inputs differ"));
    let fewer = run_shard(&["total-entropy".into()], &linear(), &settings, Shard { index: 1, of: 3 }, &|_, _| {}).unwrap();
    assert!(message(state().merge(fewer)).contains("estimators differ"));
    let mut state = state();
    assert_eq!(state.missing(), [1, 2]);
    state.merge(shard(&linear(), &settings, 2, 3)).unwrap();
    let error = state.finish().unwrap_err().to_string();
    assert!(error.contains("of 3 shards, 1 are missing or not finished: 2"), "{error}");
    let partial = shard(&linear(), &settings, 0, 3).finish_partial().unwrap();
    assert_eq!(partial.settings["missing_shards"], serde_json::json!([2, 3]));
    assert_eq!(partial.estimates[0].n_seen, 32);
}

#[test]
fn a_state_survives_its_file() {
    let folder = std::env::temp_dir().join(format!("latlas-states-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("a.state");
    let state = shard(&linear(), &settings(50), 0, 1);
    state.save(&path).unwrap();
    let loaded = State::load(&path).unwrap();
    assert_eq!(format!("{:?}", loaded.finish().unwrap()), format!("{:?}", state.finish().unwrap()));
    assert!(State::load(&folder.join("missing")).is_err());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn damaged_states_are_refused() {
    let bytes = shard(&linear(), &settings(50), 0, 1).to_bytes().unwrap();
    for cut in [0, 7, 12, 44, bytes.len() - 1] {
        assert!(State::from_bytes(&bytes[..cut]).is_err());
    }
    let mut flipped = bytes.clone();
    flipped[100] ^= 1;
    assert!(State::from_bytes(&flipped).is_err_and(|e| e.to_string().contains("digest")));
    let mut later = bytes;
    later[8] = 9;
    assert!(State::from_bytes(&later).is_err_and(|e| e.to_string().contains("another version")));
}

/// With a right digest over wrong content: whatever comes out, it is not a panic. Every byte of the content is set to values
/// that lie at the edges of how numbers are stored.
#[test]
fn forged_states_do_not_panic() {
    use rayon::prelude::*;
    use sha2::{Digest, Sha256};
    let bytes = shard(&linear(), &Settings { chunk: Some(1), ..settings(2) }, 0, 1).to_bytes().unwrap();
    let survives = |position: usize, value: u8| {
        let mut forged = bytes.clone();
        forged[position] = value;
        let digest = Sha256::digest(&forged[44..]);
        forged[12..44].copy_from_slice(&digest);
        State::from_bytes(&forged).is_ok_and(|state| {
            let _ = state.finish_partial();
            true
        })
    };
    let positions = (44..bytes.len()).into_par_iter();
    let others = |position: usize| [0, 1, 0x7f, 0x80, 0xff].into_iter().filter(|value| *value != bytes[position]).collect::<Vec<u8>>();
    let survived: usize = positions.map(|position| others(position).into_iter().filter(|value| survives(position, *value)).count()).sum();
    assert!(survived > 100, "{survived} of {} positions", bytes.len());
}
