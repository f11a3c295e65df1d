//! Drawn sprites beside the frames of the official animation.

use latlas::data::sprites::{SIDE, sprite};

fn array(key: &str) -> Vec<f64> {
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dsprites_frames.npz");
    latlas::data::read(&format!("{}:{key}", path.display())).unwrap().values.iter().copied().collect()
}

#[test]
fn sprites_are_those_of_the_official_animation() {
    let (frames, factors) = (array("frames"), array("factors"));
    assert_eq!(frames.len(), 320 * SIDE * SIDE);
    let mut shapes = [(0, 0.0, 0); 3];
    for (frame, factors) in frames.chunks(SIDE * SIDE).zip(factors.chunks(5)) {
        let [shape, scale, orientation, x, y] = [0, 1, 2, 3, 4].map(|k| factors[k] as usize);
        let drawn = sprite(&[0, shape, scale, orientation, x, y]);
        let pairs = || frame.iter().map(|x| *x > 0.5).zip(drawn.iter().copied());
        let wrong = pairs().filter(|(a, b)| a != b).count();
        let (both, any) = (pairs().filter(|(a, b)| *a && *b).count(), pairs().filter(|(a, b)| *a || *b).count());
        let (count, overlap, worst) = &mut shapes[shape];
        *count += 1;
        *overlap += both as f64 / any as f64;
        *worst = (*worst).max(wrong);
    }
    for (shape, (frames, least, most)) in [(64, 0.9997, 4), (64, 0.9933, 4), (192, 0.9963, 6)].into_iter().enumerate() {
        let (count, overlap, worst) = shapes[shape];
        let mean = overlap / f64::from(count);
        assert!(count == frames && mean > least - 1e-4 && worst <= most, "shape {shape}: {count} {mean} {worst}");
    }
}
