//! What a table of timings must say of the machine that it was measured on.

use std::process::Command;

/// Date, processor, its vector instructions, cores, and the revision that was measured, as one sentence each.
pub fn description() -> String {
    let date = said("date", &["-u", "+%Y-%m-%d"]);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let revision = said("git", &["rev-parse", "--short", "HEAD"]);
    let changed = if said("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty() { "" } else { ", with changes" };
    let rustc = said("rustc", &["--version"]);
    format!("{date}; {}; {cores} cores; {rustc}; revision {revision}{changed}", processor())
}

/// Name, family and model of the processor, and the widest vectors that it has.
fn processor() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpu.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_string())
    };
    let Some(name) = field("model name") else { return std::env::consts::ARCH.into() };
    let flags = field("flags").unwrap_or_default();
    let widest = [("avx512f", "AVX-512"), ("avx2", "AVX2")].into_iter().find(|(flag, _)| flags.split(' ').any(|f| f == *flag));
    let number = |name: &str| field(name).unwrap_or_else(|| "?".into());
    format!("{name} (family {}, model {}, {})", number("cpu family"), number("model"), widest.map_or("SSE", |w| w.1))
}

/// What a program prints, or nothing.
fn said(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(name).args(arguments).current_dir(crate::process::root()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string()).unwrap_or_default()
}
