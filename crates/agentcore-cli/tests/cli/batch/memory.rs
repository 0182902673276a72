//! How much memory a long batch needs, as the kernel counts it while the program runs.

#![cfg(target_os = "linux")]
#![expect(clippy::print_stderr, reason = "figures for who runs it by hand")]

use std::{fs, time::Duration};

use super::{Files, batch, numbered};
use crate::world::World;

/// Runs so many lines, and returns the peak in MB.
fn peak_mb(world: &World, files: &Files, lines: usize, flags: &[&str]) -> f64 {
    let (path, out) = (files.write("lines", numbered(lines)), files.path("out"));
    let args = [&*path, "--out", &out, "--concurrency", "32"].into_iter().chain(flags.iter().copied());
    let mut child = batch(world, "text", args).env("AGENTCORE_RATE", "100000").spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0;
    loop {
        // There is none once the program has ended.
        let status = fs::read_to_string(&status).unwrap_or_default();
        if let Some(line) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
            peak = line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0;
        }
        if let Some(exit) = child.try_wait().unwrap() {
            assert_eq!(exit.code(), Some(0));
            return peak;
        }
        let (_open, never) = std::sync::mpsc::channel::<()>();
        let _ = never.recv_timeout(Duration::from_millis(2));
    }
}

/// `AGENTCORE_HOSTILE=full` runs 100,000 lines.
#[test]
fn a_long_batch_needs_no_more_memory_than_a_short_one() {
    let world = World::new();
    let long = if std::env::var("AGENTCORE_HOSTILE").is_ok_and(|size| size == "full") { 100_000 } else { 3_000 };
    let files = Files::new("memory");
    let short = peak_mb(&world, &files, 300, &[]);
    fs::remove_file(files.path("out")).unwrap();
    let most = peak_mb(&world, &files, long, &[]);
    let (rows, newest) = files.rows("out");
    assert_eq!((rows.len(), newest.len()), (long, long));
    let resumed = peak_mb(&world, &files, long, &["--resume"]);
    eprintln!("{short:.1} MB for 300 lines, {most:.1} MB for {long}, {resumed:.1} MB to find that nothing is left");
    // The connections of 32 calls are there in either; the rest is the allocator's.
    assert!(most < short + 6.0 && resumed < short + 6.0, "{short:.1} MB, {most:.1} MB, {resumed:.1} MB");
}
