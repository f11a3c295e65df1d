//! Tables whose scores are known in closed form.

use latlas::settings::Preset;

use crate::rows::{Rows, close, entries, numbers};

const LN2: f64 = std::f64::consts::LN_2;

/// z = (a, b), a of two and b of three values.
fn aligned() -> Rows {
    Rows::grid(&[2, 3], 40, <[f64]>::to_vec)
}

/// z = (a + b, a − b) of two bits.
fn turned() -> Rows {
    Rows::grid(&[2, 2], 50, |y| vec![y[0] + y[1], y[0] - y[1]])
}

/// z = (2a + b, 4a + c), c of four values.
fn mixed() -> Rows {
    Rows::grid(&[2, 2, 4], 25, |y| vec![2.0 * y[0] + y[1], 4.0 * y[0] + y[2]])
}

/// z = (a + ½b, b + ½a) of two signs.
fn leaning() -> Rows {
    let sign = |y: f64| 2.0 * y - 1.0;
    Rows::grid(&[2, 2], 50, |y| vec![sign(y[0]) + 0.5 * sign(y[1]), sign(y[1]) + 0.5 * sign(y[0])])
}

fn assert_matrix(rows: &Rows, id: &str, expected: &[&[f64]]) {
    for (found, expected) in entries(&rows.estimate(id, Preset::Study2019)).iter().zip(expected) {
        found.iter().zip(*expected).for_each(|(x, e)| close(*x, *e));
    }
}

#[test]
fn aligned_codes_have_every_score() {
    assert_matrix(&aligned(), "mig", &[&[std::f64::consts::LN_2, 0.0], &[0.0, 1.098_612]]);
    for id in
        ["mig", "mig-sup", "modularity", "dci-disentanglement", "dci-completeness", "dci-informativeness", "sap-r2", "irs", "explicitness"]
    {
        close(aligned().study(id), 1.0);
    }
    for id in ["dci-disentanglement", "dci-completeness", "modularity", "sap-r2", "irs"] {
        close(aligned().latlas(id), 1.0);
    }
}

#[test]
fn turned_codes_have_none_but_can_be_read() {
    let half = 0.5 * LN2;
    assert_matrix(&turned(), "mig", &[&[half, half], &[half, half]]);
    assert_matrix(&turned(), "sap-r2", &[&[0.5, 0.5], &[0.5, 0.5]]);
    for id in ["mig", "modularity", "sap-r2", "gaussian-total-correlation"] {
        close(turned().study(id), 0.0);
    }
    close(turned().study("irs"), 0.5);
    close(turned().study("mean-mutual-information"), LN2);
    close(turned().study("explicitness"), 1.0);
}

#[test]
fn mixed_codes() {
    let rows = mixed();
    assert_matrix(&rows, "mig", &[&[LN2, LN2, 0.0], &[LN2, 0.0, 2.0 * LN2]]);
    let mig = rows.estimate("mig", Preset::Study2019);
    numbers(&mig.extra["per_factor"]).iter().zip([0.0, 1.0, 1.0]).for_each(|(x, e)| close(*x, e));
    close(rows.study("mig"), 2.0 / 3.0);
    close(rows.study("mig-sup"), 0.0);
    let modularity = rows.estimate("modularity", Preset::Study2019);
    numbers(&modularity.extra["per_code"]).iter().zip([0.5, 0.875]).for_each(|(x, e)| close(*x, e));
    close(rows.study("modularity"), 0.6875);
    assert_matrix(&rows, "sap-r2", &[&[0.8, 0.2, 0.0], &[0.761_905, 0.0, 0.238_095]]);
    close(rows.study("sap-r2"), 10.0 / 63.0);
    close(rows.study("irs"), 0.6);
    close(rows.study("gaussian-total-correlation"), 0.470_194);
    close(rows.study("mean-mutual-information"), LN2);
}

#[test]
fn leaning_codes() {
    let rows = leaning();
    assert_matrix(&rows, "mig", &[&[LN2, LN2], &[LN2, LN2]]);
    assert_matrix(&rows, "sap-r2", &[&[0.8, 0.2], &[0.2, 0.8]]);
    for (id, expected) in [("mig", 0.0), ("sap-r2", 0.6), ("irs", 2.0 / 3.0), ("gaussian-total-correlation", 0.510_826)] {
        close(rows.study(id), expected);
    }
    close(rows.study("mean-mutual-information"), 2.0 * LN2);
}

#[test]
fn robustness_by_quantile_and_by_maximum() {
    let codes = [0.0, 1.0, 2.0, 6.0, 4.0, 4.0, 4.0, 4.0];
    let rows = Rows {
        codes: ndarray::Array2::from_shape_fn((8, 1), |(i, _)| codes[i]),
        factors: ndarray::Array2::from_shape_fn((8, 1), |(i, _)| (i / 4) as f64),
    };
    let irs = rows.estimate("irs", Preset::Study2019);
    assert!((rows.study("irs") - 0.4072).abs() < 5e-5);
    close(irs.extra["maximum_form"].as_f64().unwrap(), 0.4);
}

#[test]
fn a_square_is_as_good_as_its_root_up_to_the_bend() {
    close(Rows::grid(&[3], 40, |y| vec![y[0], y[0] * y[0]]).study("sap-r2"), 1.0 / 13.0);
}

#[test]
fn noisy_bits() {
    // p(a, b) = 3/8 where they agree.
    let pairs = [(0., 0.), (0., 0.), (0., 0.), (0., 1.), (1., 0.), (1., 1.), (1., 1.), (1., 1.)];
    let rows = Rows {
        codes: ndarray::Array2::from_shape_fn((80, 1), |(i, _)| pairs[i % 8].0),
        factors: ndarray::Array2::from_shape_fn((80, 1), |(i, _)| pairs[i % 8].1),
    };
    close(rows.study("explicitness"), 0.75);
    close(rows.study("dci-informativeness"), 0.75);
    let mig = rows.estimate("mig", Preset::Study2019);
    close(mig.extra["matrix"]["values"][0][0].as_f64().unwrap(), 0.130_812);
}

#[test]
fn parity_bits_share_nothing_in_pairs() {
    let rows = Rows::grid(&[2, 2], 50, |y| vec![y[0], y[1], (y[0] + y[1]) % 2.0]);
    close(rows.study("mean-mutual-information"), 0.0);
}

#[test]
fn turned_gaussian_codes_follow_the_angle() {
    use latlas::random::{Purpose, Stream};
    let angle = std::f64::consts::PI / 6.0;
    let mut stream = Stream::new(3, Purpose::Directions, 0, 1);
    let n = 20_000;
    let factors = ndarray::Array2::from_shape_simple_fn((n, 2), || stream.normal());
    let (sin, cos) = angle.sin_cos();
    let codes = ndarray::Array2::from_shape_fn((n, 2), |(i, l)| {
        let (a, b) = (factors[[i, 0]], factors[[i, 1]]);
        if l == 0 { cos * a - sin * b } else { sin * a + cos * b }
    });
    let rows = Rows { codes, factors };
    assert!((rows.study("sap-r2") - 0.5).abs() < 0.01);
    assert!(rows.study("gaussian-total-correlation") < 1e-3);
}

#[test]
fn noise_has_known_information_and_robustness() {
    use latlas::random::{Purpose, Stream};
    let mut stream = Stream::new(5, Purpose::Directions, 0, 1);
    let codes = ndarray::Array2::from_shape_simple_fn((10_000, 1), || stream.normal());
    let factors = ndarray::Array2::from_shape_fn((10_000, 1), |(i, _)| (i % 10) as f64);
    let noise = Rows { codes, factors };
    let irs = noise.study("irs");
    assert!((irs - 0.36).abs() < 0.05, "{irs}");
    let mut stream = Stream::new(6, Purpose::Directions, 0, 1);
    let mut total = 0.0;
    for _ in 0..20 {
        let codes = ndarray::Array2::from_shape_simple_fn((2000, 1), || stream.uniform());
        let factors = ndarray::Array2::from_shape_simple_fn((2000, 1), || (7.0 * stream.uniform()).floor());
        total += entries(&Rows { codes, factors }.estimate("mig", Preset::Study2019))[0][0] / 20.0;
    }
    assert!((total - 0.0289).abs() < 0.001, "{total}");
}
