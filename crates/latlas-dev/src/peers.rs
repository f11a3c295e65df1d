//! Live comparisons: other programs, in one cached environment outside the tree, look at what Latlas makes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::machine;
use crate::process::{self, Counts, cargo, program, root};

/// A comparison with another program.
pub struct Suite {
    /// What it shows.
    pub title: &'static str,
    /// Runs it.
    pub run: fn() -> Result<Counts>,
}

/// All comparisons.
pub const SUITES: &[Suite] = &[
    Suite { title: "exported graphs in onnxruntime", run: exported_graphs },
    Suite { title: "report pages in Chromium", run: crate::gallery::check },
    Suite { title: "the Python package beside torch, JAX, Ray, Dask and scikit-learn", run: crate::python::check_with_peers },
];

fn exported_graphs() -> Result<Counts> {
    let latlas = latlas()?;
    let mut script = program(&python()?.to_string_lossy(), &["peers/check_export.py"]);
    script.arg(latlas);
    process::count(script)
}

/// The command as its users build it.
pub fn latlas() -> Result<PathBuf> {
    process::run(cargo(&["build", "--quiet", "--release", "--package", "latlas-cli"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir));
    Ok(target.join("release").join(format!("latlas{}", std::env::consts::EXE_SUFFIX)))
}

/// A Python with everything that `peers/requirements.txt` names.
pub fn python() -> Result<PathBuf> {
    python_with("peers/requirements.txt")
}

/// A Python with everything that a file of requirements names, made once for each state of that file.
pub fn python_with(requirements: &str) -> Result<PathBuf> {
    let text = std::fs::read_to_string(root().join(requirements)).with_context(|| format!("cannot read {requirements}"))?;
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let folder = cache().join(format!("peers-{:016x}", hasher.finish()));
    let python = folder.join("bin/python");
    let complete = folder.join("complete");
    if !complete.exists() {
        machine::debian("python3", &["-m", "ensurepip", "--version"], "python3-venv")?;
        println!("making {}", folder.display());
        let folder = folder.to_string_lossy();
        process::run(program("python3", &["-m", "venv", "--clear", &folder]))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements];
        process::run(program(&python.to_string_lossy(), &pip))?;
        std::fs::write(&complete, "")?;
    }
    Ok(python)
}

/// A fresh Python of this tree, with what the requirements name and one wheel: the large packages are seen where they are, not copied.
pub fn python_with_wheel(requirements: &str, wheel: &Path) -> Result<PathBuf> {
    let base = python_with(requirements)?;
    let base = base.to_string_lossy();
    let folder = root().join("target/python");
    process::run(program(&base, &["-m", "venv", "--clear", "--without-pip", &folder.to_string_lossy()]))?;
    let python = folder.join("bin/python");
    // A `.pth` file of a folder of packages names further ones.
    let script = "import sys, sysconfig\nown = sysconfig.get_path('purelib', vars={'base': sys.argv[1]})\n\
                  with open(own + '/packages.pth', 'w') as file: file.write(sysconfig.get_path('purelib'))";
    process::run(program(&base, &["-c", script, &folder.to_string_lossy()]))?;
    let mut install = program(&base, &["-m", "pip", "--python", &python.to_string_lossy(), "install", "--quiet"]);
    install.args(["--disable-pip-version-check", "--force-reinstall", "--no-deps"]).arg(wheel);
    process::run(install)?;
    Ok(python)
}

/// Where environments and what they compile are kept, outside the tree.
pub fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("latlas")
}
