//! Which edges of a graph of files lie on circles. It knows nothing of what an edge is made of.

use std::collections::{BTreeMap, BTreeSet};

/// One file's use of another, by the path it is written as.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) line: usize,
    pub(super) path: String,
}

/// Returns the edges of each strongly connected component of more than one file, sorted.
pub(super) fn circles<'a>(edges: &BTreeSet<Edge<'a>>) -> Vec<Vec<Edge<'a>>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for edge in edges {
        next.entry(edge.from).or_default().insert(edge.to);
    }
    let reach: BTreeMap<_, _> = next.keys().map(|file| (*file, reachable(file, &next))).collect();
    let together = |one: &str, other: &str| {
        let reaches = |from: &str, to: &str| reach.get(from).is_some_and(|it| it.contains(to));
        reaches(one, other) && reaches(other, one)
    };
    let mut circles = Vec::new();
    let mut done = BTreeSet::new();
    for file in next.keys().copied() {
        if !done.contains(file) {
            let inside: Vec<_> =
                edges.iter().filter(|it| together(file, it.from) && together(file, it.to)).cloned().collect();
            done.extend(inside.iter().map(|it| it.from));
            circles.extend((!inside.is_empty()).then_some(inside));
        }
    }
    circles
}

/// The files that one edge or more lead to.
fn reachable<'a>(start: &str, next: &BTreeMap<&str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<_> = next.get(start).into_iter().flatten().copied().collect();
    while let Some(file) = open.pop() {
        if seen.insert(file) {
            open.extend(next.get(file).into_iter().flatten());
        }
    }
    seen
}
