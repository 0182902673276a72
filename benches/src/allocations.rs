//! Allocations for each unit of work, counted on the thread that is the client. Knows no allocator: who counts is passed in.

use crate::{
    Result,
    contender::{self, Contender},
    place::Protocol,
    rounds,
    server::Server,
    stats,
    work::{COUNTED, Row},
};

/// Counts the allocations of this thread while it runs something.
pub type Count = fn(&mut dyn FnMut()) -> u64;

/// Counts every row and writes the document.
pub(crate) fn document(count: Count) -> Result<String> {
    let server = Server::start(Protocol::Http1)?;
    let contenders = contender::all(&server.place, |_| Ok(Vec::new()))?;
    let names: Vec<&str> = contenders.iter().map(|it| it.name()).collect();
    let mut document = INTRODUCTION.to_owned();
    document += &stats::heading(&[&["work", "unit"], &names[..]].concat());
    for row in COUNTED {
        let mut cells = vec![row.title.to_owned(), row.work.units().1.to_owned()];
        for (index, contender) in contenders.iter().enumerate() {
            cells.push(match contender.run(row.work) {
                None => "–".to_owned(),
                Some(_) => format!("{:.2}", per_unit(&**contender, index == 0, row, count)?),
            });
        }
        document += &stats::cells(cells);
    }
    Ok(document)
}

/// The allocations of N times, after N times in which connections were made and buffers grew.
fn per_unit(contender: &dyn Contender, is_floor: bool, row: &Row, count: Count) -> Result<f64> {
    let runtime = rounds::runtime()?;
    let run = || runtime.block_on(rounds::repeat(contender, is_floor, row, row.count));
    run()?;
    let mut outcome = Ok(());
    let counted = count(&mut || outcome = run());
    outcome?;
    Ok(counted as f64 / (row.count * row.work.units().0) as f64)
}

const INTRODUCTION: &str = "\
# Allocations

Written by `cargo xtask bench --allocations > benches/allocations.md`: how often each contender allocates for a unit of work, once its
connections are made and its buffers have grown. Work and contenders are those of [instructions.md](instructions.md).

";
