//! The time from a call to the first event of its stream, by the clock: what a person waits for. One call at a time, one thread.

use std::time::Instant;

use futures_util::StreamExt as _;

use crate::{
    Result,
    answer::Answer,
    contender::{self, Contender, Peers},
    place::Protocol,
    rounds,
    server::Server,
    stats::{self, Ratio},
    work::Work,
};

/// Measures every contender and writes the table.
pub(crate) fn table(peers: Peers) -> Result<String> {
    let server = Server::start(Protocol::Http1)?;
    let contenders = contender::all(&server.place, peers)?;
    let names: Vec<&str> = contenders.iter().map(|it| it.name()).collect();
    let mut table = format!(
        "From the call to the first event, by the clock: half of {CALLS} calls were as fast. As a ratio to {}: the median of {ROUNDS} \
         rounds, and in parentheses the least and the most.\n\n",
        names[0]
    );
    table += &stats::heading(&[&["what is read", "floor on this machine"], &names[1..]].concat());
    let runtime = rounds::runtime()?;
    for (title, work) in [("server-sent events", Work::StreamEvents), ("the agent's text", Work::StreamText)] {
        let mut medians = vec![Vec::new(); contenders.len()];
        for _ in 0..ROUNDS {
            let times = runtime.block_on(round(&contenders, work))?;
            medians.iter_mut().zip(times).for_each(|(all, times)| all.push(stats::median(&times)));
        }
        let mut cells = vec![title.to_owned(), stats::time(stats::median(&medians[0]))];
        for own in &medians[1..] {
            let ratios: Vec<f64> = own.iter().zip(&medians[0]).map(|(own, floor)| own / floor).collect();
            cells.push(if own[0].is_nan() { "–".to_owned() } else { Ratio::of(&ratios).to_string() });
        }
        table += &stats::cells(cells);
    }
    Ok(table)
}

/// The times of each contender's calls, in which they take turns.
async fn round(contenders: &[Box<dyn Contender>], work: Work) -> Result<Vec<Vec<f64>>> {
    let mut times = vec![Vec::with_capacity(CALLS); contenders.len()];
    for call in 0..CALLS {
        for turn in 0..contenders.len() {
            // Nobody always follows the same one.
            let index = (call + turn) % contenders.len();
            // The floor looks into no body.
            let work = if index == 0 { Work::StreamBytes } else { work };
            let begun = Instant::now();
            let Some(opening) = contenders[index].open(work, Answer::Brief) else { continue };
            let mut stream = opening.await?;
            stream.next().await.ok_or("there was no event")??;
            times[index].push(begun.elapsed().as_secs_f64());
            // Its connection is kept where it was read to its end.
            while stream.next().await.transpose()?.is_some() {}
        }
    }
    Ok(times)
}

const ROUNDS: usize = 9;
const CALLS: usize = 500;
