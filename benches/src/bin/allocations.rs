//! Counts allocations, by an allocator that counts.

use std::process::ExitCode;

use allocation_counter::measure;

fn main() -> ExitCode {
    agentcore_benches::count_allocations(|run| measure(run).count_total)
}
