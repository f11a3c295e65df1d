//! The same bits for any number of threads and shards.

use crate::explicit::{Explicit, bits, inputs, settings};
use latlas::report::Report;
use latlas::run::{Inputs, Settings, Shard, State, run, run_shard};

/// A map into nine dimensions that has nothing simple about it, with some dead and some unusable samples.
fn tangled() -> Inputs {
    let value = |z: &[f64], k: usize| (z[0] * 0.3 * (k as f64 + 1.0) + z[1] * z[2]).sin() + z[1] * 0.1 * k as f64;
    let f = move |z: &[f64]| (0..9).map(|k| value(z, k)).collect();
    let j = |z: &[f64]| {
        let row = |k: usize| {
            let slope = (z[0] * 0.3 * (k as f64 + 1.0) + z[1] * z[2]).cos();
            [slope * 0.3 * (k as f64 + 1.0), slope * z[2] + 0.1 * k as f64, if z[2] < -2.0 { 0.0 } else { slope * z[1] }]
        };
        let mut j: Vec<f64> = (0..9).flat_map(row).collect();
        if z[0] > 2.2 {
            j[4] = f64::NAN;
        }
        j
    };
    inputs(Explicit::new(3, 9, f, j))
}

fn settings_of_many_chunks() -> Settings {
    Settings { chunk: Some(37), partition: Some("0|1-2".into()), ..settings(1000) }
}

fn with_threads(threads: usize, run: impl FnOnce() -> Report + Send) -> Report {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

#[test]
fn threads_and_shards_do_not_change_a_bit() {
    let (inputs, settings, ids) = (tangled(), settings_of_many_chunks(), ["entropy".to_string()]);
    let whole = |threads: usize| with_threads(threads, || run(&ids, &inputs, &settings, &|_, _| {}).unwrap());
    let reference = bits(&whole(1));
    assert!(reference.contains("non-finite") && reference.contains("dead-column"));
    assert_eq!(bits(&whole(2)), reference);
    assert_eq!(bits(&whole(3)), reference);
    for (of, order) in [(4, [2, 0, 3, 1].as_slice()), (2, &[1, 0]), (40, &(0..40).collect::<Vec<_>>())] {
        let states: Vec<State> = order
            .iter()
            .map(|index| {
                let state = run_shard(&ids, &inputs, &settings, Shard { index: *index, of }, &|_, _| {}).unwrap();
                State::from_bytes(&state.to_bytes().unwrap()).unwrap()
            })
            .collect();
        let merged = states.into_iter().reduce(|mut a, b| {
            a.merge(b).unwrap();
            a
        });
        assert_eq!(bits(&merged.unwrap().finish().unwrap()), reference, "{of} shards");
    }
}

#[test]
fn a_run_goes_on_where_it_was_stopped() {
    let (inputs, settings, ids) = (tangled(), settings_of_many_chunks(), ["entropy".to_string()]);
    let reference = bits(&run(&ids, &inputs, &settings, &|_, _| {}).unwrap());
    let saved = std::cell::RefCell::new(Vec::new());
    let mut state = State::begin(&ids, &inputs, &settings, Shard::WHOLE).unwrap();
    let stop = |state: &State| {
        saved.replace(state.to_bytes()?);
        Err(latlas::Error::State { what: "stopped".into(), hint: None })
    };
    assert!(state.advance(&inputs, &|_, _| {}, &stop).is_err());
    let mut resumed = State::from_bytes(&saved.borrow()).unwrap();
    assert_eq!(resumed.missing(), [0]);
    let first = std::cell::Cell::new(None);
    resumed
        .advance(
            &inputs,
            &|done, _| {
                if first.get().is_none() {
                    first.set(Some(done));
                }
            },
            &|_| Ok(()),
        )
        .unwrap();
    assert!(first.get().unwrap() > 0, "nothing was resumed");
    assert_eq!(bits(&resumed.finish().unwrap()), reference);
}

#[test]
fn chunk_size_changes_rounding_only() {
    let (inputs, ids) = (tangled(), ["total-entropy".to_string()]);
    let value = |chunk| {
        let settings = Settings { chunk: Some(chunk), ..settings(500) };
        match run(&ids, &inputs, &settings, &|_, _| {}).unwrap().estimates[0].value {
            latlas::estimate::Value::Scalar(x) => x,
            _ => f64::NAN,
        }
    };
    assert!((value(1) - value(500)).abs() < 1e-12);
}
