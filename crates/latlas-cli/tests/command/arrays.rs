//! decode, jacobian, metric: shapes, values, and independence of how they are cut.

use super::{fixture, latents, latlas_in, read, scratch, write};

fn member(key: &str) -> ndarray::ArrayD<f64> {
    read(std::path::Path::new(&format!("{}:{key}", fixture("digits_vae.check.npz").display())))
}

fn worst(a: &ndarray::ArrayD<f64>, b: &ndarray::ArrayD<f64>) -> f64 {
    assert_eq!(a.shape(), b.shape());
    let scale = b.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    a.iter().zip(b).fold(0.0, |worst: f64, (x, y)| worst.max((x - y).abs() / scale))
}

#[test]
fn the_digits_vae_gives_its_published_values() {
    let folder = scratch();
    let z = format!("{}:z", fixture("digits_vae.check.npz").display());
    for (dtype, accepted) in [("f64", 1e-9), ("f32", 1e-4)] {
        for (verb, key) in [("decode", "mean"), ("jacobian", "jacobian_mean"), ("metric", "expected_metric")] {
            let ran = latlas_in(folder.path(), &[verb, "builtin:digits-vae", "--latents", &z, "-o", "out.npy", "--dtype", dtype]);
            assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
            let error = worst(&read(&folder.path().join("out.npy")), &member(key));
            assert!(error <= accepted, "{verb} {dtype}: {error}");
        }
        let logvar = ["jacobian", "builtin:digits-vae", "--latents", &z, "--output", "logvar", "-o", "out.npy", "--dtype", dtype];
        assert_eq!(latlas_in(folder.path(), &logvar).code, 0);
        let error = worst(&read(&folder.path().join("out.npy")), &member("jacobian_logvar"));
        assert!(error <= accepted, "logvar {dtype}: {error}");
    }
}

#[test]
fn many_latents_give_the_same_as_few() {
    let folder = scratch();
    let z = latents(3000, 2);
    write(&folder.path().join("z.npy"), &z);
    let run = |verb: &str, latents: &str, out: &str, threads: &str| {
        let arguments = [verb, "builtin:digits-vae", "--latents", latents, "-o", out, "--threads", threads, "--quiet"];
        let ran = latlas_in(folder.path(), &arguments);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        read(&folder.path().join(out))
    };
    let all = run("jacobian", "z.npy", "j.npy", "2");
    assert_eq!(all.shape(), [3000, 64, 2]);
    assert_eq!(run("jacobian", "z.npy", "j1.npy", "1"), all);
    let tail = z.slice_axis(ndarray::Axis(0), (2990..3000).into()).to_owned();
    write(&folder.path().join("tail.npy"), &tail);
    let few = run("jacobian", "tail.npy", "t.npy", "1");
    assert!(worst(&few, &all.slice_axis(ndarray::Axis(0), (2990..3000).into()).to_owned()) < 1e-5);
}
