//! CPU time for each unit of work, in rounds in which every contender has its turn. One thread is the client of all.

use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::runtime::{self, Runtime};

use crate::{
    Result,
    contender::{self, Contender, Peers},
    place::Protocol,
    server::Server,
    stats::{self, Ratio},
    work::{Row, TIMED},
};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    rounds: usize,
    /// Each row's count is divided by this.
    divisor: usize,
}

pub(crate) const FULL: Extent = Extent { rounds: 9, divisor: 1 };
/// Says whether it runs, and about how much.
pub(crate) const QUICK: Extent = Extent { rounds: 5, divisor: 20 };

/// Measures every row whose title has this in it, and writes the table.
pub(crate) fn table(extent: Extent, part: &str, peers: Peers) -> Result<String> {
    let server = Server::start(Protocol::Http1)?;
    let contenders = contender::all(&server.place, peers)?;
    let runtime = runtime()?;
    let names: Vec<&str> = contenders.iter().map(|it| it.name()).collect();
    let mut table = format!(
        "CPU time as a ratio to the floor, {}: the median of {} rounds, and in parentheses the least and the most.\n\n",
        names[0], extent.rounds
    );
    table += &stats::heading(&[&["work", "floor on this machine"], &names[1..]].concat());
    for row in TIMED.iter().filter(|row| row.title.contains(part)) {
        let mut cells = vec![row.title.to_owned()];
        cells.extend(measure(row, &contenders, &runtime, extent)?);
        table += &stats::cells(cells);
    }
    Ok(table)
}

/// The cells of one row: the floor's time, and every other contender's ratio to it.
fn measure(row: &Row, contenders: &[Box<dyn Contender>], runtime: &Runtime, extent: Extent) -> Result<Vec<String>> {
    let (units, unit) = row.work.units();
    let count = (row.count / extent.divisor).max(row.concurrency);
    let mut times = vec![Vec::new(); contenders.len()];
    // The first round is not counted: connections are made and buffers grow.
    for round in 0..=extent.rounds {
        for turn in 0..contenders.len() {
            // Nobody always follows the same one.
            let index = (round + turn) % contenders.len();
            let contender = &*contenders[index];
            if contender.run(row.work).is_none() {
                continue;
            }
            let before = cpu_time()?;
            runtime.block_on(repeat(contender, index == 0, row, count))?;
            let time = cpu_time()?.saturating_sub(before);
            if round > 0 {
                times[index].push(time.as_secs_f64() / (count * units) as f64);
            }
        }
    }
    let mut cells = vec![format!("{} per {unit}", stats::time(stats::median(&times[0])))];
    for (contender, own) in contenders.iter().zip(&times).skip(1) {
        if own.is_empty() {
            cells.push("–".to_owned());
            continue;
        }
        let ratios: Vec<f64> = own.iter().zip(&times[0]).map(|(own, floor)| own / floor).collect();
        let ratio = Ratio::of(&ratios);
        if !ratio.is_sane() {
            return Err(format!("{}, {}: {ratio} is no ratio of two times", row.title, contender.name()).into());
        }
        cells.push(ratio.to_string());
    }
    Ok(cells)
}

/// The runtime of all contenders.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Does the work of a row `count` times, and checks each time that it was done.
pub(crate) async fn repeat(contender: &dyn Contender, floor: bool, row: &Row, count: usize) -> Result<()> {
    let expected = row.work.bytes(floor);
    let workers = (0..row.concurrency).map(|_| async {
        for _ in 0..count / row.concurrency {
            let read = contender.run(row.work).ok_or("this is not the contender's work")?.await?;
            if read != expected {
                let name = contender.name();
                return Err(format!("{}: {name} read {read} bytes, not {expected}", row.title).into());
            }
        }
        Ok(())
    });
    try_join_all(workers).await.map(drop)
}

/// The time that all threads of this process have spent on a processor.
#[cfg(unix)]
pub(crate) fn cpu_time() -> Result<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Ok(Duration::new(time.tv_sec.try_into()?, time.tv_nsec.try_into()?))
}

#[cfg(not(unix))]
pub(crate) fn cpu_time() -> Result<Duration> {
    Err("CPU time is measured on Unix alone".into())
}
