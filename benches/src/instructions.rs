//! Instructions for each unit of work, as callgrind counts them: of N times and of 2 N times, so that all else cancels out.

use std::{env, path::Path, process::Command};

use crate::{
    Result,
    contender::{self, Contender, Peers},
    place::{Place, Protocol},
    rounds,
    server::Server,
    stats,
    work::{COUNTED, Row},
};

/// Counts every row and writes the document.
pub(crate) fn document(peers: Peers) -> Result<String> {
    let server = Server::start(Protocol::Http1)?;
    let contenders = contender::all(&server.place, peers)?;
    let names: Vec<&str> = contenders.iter().map(|it| it.name()).collect();
    let mut document = format!("{INTRODUCTION}Floor: {}.\n\n", names[0]);
    document += &stats::heading(&[&["work", "floor"], &names[1..]].concat());
    for (number, row) in COUNTED.iter().enumerate() {
        let mut cells = vec![row.title.to_owned()];
        let mut floor = None;
        for (index, contender) in contenders.iter().enumerate() {
            cells.push(if contender.run(row.work).is_none() {
                "–".to_owned()
            } else {
                let own = instructions(&server.place, number, index, row)?;
                match floor {
                    None => {
                        floor = Some(own);
                        format!("{own:.0} per {}", row.work.units().1)
                    }
                    Some(floor) => format!("{} ({own:.0})", stats::factor(own / floor)),
                }
            });
        }
        document += &stats::cells(cells);
    }
    Ok(document)
}

/// How many instructions a contender takes for a unit of the row's work.
fn instructions(place: &Place, number: usize, contender: usize, row: &Row) -> Result<f64> {
    let place = place.to_string();
    let count = |times: usize| {
        let arguments = [COMMAND, &place, &number.to_string(), &contender.to_string(), &times.to_string()];
        callgrind(&env::current_exe()?, &arguments.map(str::to_owned), &[])
    };
    Ok((count(2 * row.count)? - count(row.count)?) / (row.count * row.work.units().0) as f64)
}

/// Runs a program under callgrind, which ends by telling how many instructions it has collected.
pub(crate) fn callgrind(program: &Path, arguments: &[String], variables: &[(&str, &str)]) -> Result<f64> {
    // Whoever reads the environment takes the longer the more is in it.
    let path = env::var_os("PATH").unwrap_or_default();
    let output = Command::new("valgrind")
        .env_clear()
        .env("PATH", path)
        .envs(variables.iter().copied())
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(arguments)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    collected.filter(|_| output.status.success()).ok_or_else(|| format!("callgrind counted nothing:\n{said}").into())
}

/// Does what is counted: the work of a row by a contender.
pub(crate) fn counted(place: &str, number: &str, contender: &str, count: &str, peers: Peers) -> Result<String> {
    let row = COUNTED.get(number.parse::<usize>()?).ok_or("there is no such row")?;
    let index: usize = contender.parse()?;
    let contenders = contender::all(&place.parse()?, peers)?;
    let contender: &dyn Contender = &**contenders.get(index).ok_or("there is no such contender")?;
    rounds::runtime()?.block_on(rounds::repeat(contender, index == 0, row, count.parse()?))?;
    Ok(String::new())
}

/// The argument that makes this program do the work of one cell.
pub(crate) const COMMAND: &str = "count";

const INTRODUCTION: &str = "\
# Instructions, as ratios to the floor

Written by `cargo xtask bench --instructions > benches/instructions.md`. Each contender does its work N times and 2 N times under
valgrind's callgrind; the difference is divided by N, so that the start of the program and of the connection cancels out. The
server is another process and is not counted, nor is the kernel. Everything is plain HTTP/1.1 on loopback, one call at a time; an
event has 120 bytes, is a chunk of its own, and comes in a stream of 2,000, 64 in a write.

A cell has the ratio to the floor and in parentheses the number of instructions, which depends on the compiler and the kind of
processor. Two runs differ by one or two percent, because how much one read brings depends on time.

";
