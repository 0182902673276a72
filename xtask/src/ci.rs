//! Everything that a change must pass, step by step, with a heading, a duration and a summary.

use std::time::{Duration, Instant};

use clap::ValueEnum;
use xshell::cmd;

use crate::workspace::Workspace;
use crate::{Outcome, alone, api, bench, deny, examples, interop, lint, package, report, test_run, tidy};

/// A step of CI, the cheap ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// `cargo fmt --check`
    Fmt,
    /// House rules
    Tidy,
    /// Clippy on every selection of features
    Clippy,
    /// Every test
    Test,
    /// Every example
    Examples,
    /// Programs that depend on one crate
    Alone,
    /// Two minutes of streams and sockets over a network that fails
    Soak,
    /// Documentation without warnings
    Doc,
    /// The public interface, as `docs/api` has it
    Api,
    /// Packages without a warning
    Package,
    /// Licences, bans and sources
    Deny,
    /// Instructions and allocations against the committed tables
    Bench,
    /// Other people's software
    Interop,
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |it| it.get_name().to_owned())
    }

    fn run(self, workspace: &Workspace) -> Outcome {
        let shell = &workspace.shell;
        match self {
            Self::Fmt => Ok(cmd!(shell, "cargo fmt --all --check").run()?),
            Self::Tidy => tidy::run(workspace),
            Self::Clippy => lint::run(workspace),
            Self::Test => test_run::run(workspace, &[]),
            Self::Examples => examples::run(workspace),
            Self::Alone => alone::run(workspace),
            Self::Soak => crate::soak(workspace, 2, None),
            Self::Doc => document(workspace),
            Self::Api => api::run(workspace, false),
            Self::Package => package::run(workspace, false),
            Self::Deny => deny::run(workspace),
            Self::Bench => bench::check(workspace),
            Self::Interop => interop::run(workspace),
        }
    }
}

/// Writes the documentation of all crates; a warning is an error.
pub(crate) fn document(workspace: &Workspace) -> Outcome {
    let shell = &workspace.shell;
    Ok(cmd!(shell, "cargo doc --workspace --no-deps --all-features --locked")
        .env("RUSTDOCFLAGS", "--deny warnings")
        .run()?)
}

/// Runs the steps in order.
pub(crate) fn run(workspace: &Workspace, skip: &[Step], keep_going: bool) -> Outcome {
    let rows = march(skip, keep_going, |step| {
        report::heading(step.name());
        let started = Instant::now();
        let outcome = step.run(workspace);
        let took = started.elapsed();
        if let Err(error) = &outcome {
            report::failure(&**error);
        }
        let end = if outcome.is_ok() { "passed" } else { "FAILED" };
        report::line(format_args!("-- {}: {end} after {}", step.name(), report::duration(took)));
        if outcome.is_ok() { Verdict::Passed(took) } else { Verdict::Failed(took) }
    });
    report::heading("summary");
    for (step, verdict) in &rows {
        report::line(verdict.row(*step));
    }
    verdict(&rows)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Passed(Duration),
    Failed(Duration),
    Skipped,
    NotReached,
}

impl Verdict {
    fn row(self, step: Step) -> String {
        let (word, took) = match self {
            Self::Passed(took) => ("passed", report::duration(took)),
            Self::Failed(took) => ("FAILED", report::duration(took)),
            Self::Skipped => ("skipped", String::new()),
            Self::NotReached => ("not reached", String::new()),
        };
        format!("{:<8} {word:<11} {took:>12}", step.name()).trim_end().to_owned()
    }
}

/// Walks through all steps and has each one run that is neither skipped nor behind a failure.
fn march(skip: &[Step], keep_going: bool, mut run: impl FnMut(Step) -> Verdict) -> Vec<(Step, Verdict)> {
    let mut stopped = false;
    let mut rows = Vec::new();
    for step in Step::value_variants() {
        let verdict = if skip.contains(step) {
            Verdict::Skipped
        } else if stopped {
            Verdict::NotReached
        } else {
            run(*step)
        };
        stopped |= matches!(verdict, Verdict::Failed(_)) && !keep_going;
        rows.push((*step, verdict));
    }
    rows
}

fn verdict(rows: &[(Step, Verdict)]) -> Outcome {
    let failed: Vec<_> =
        rows.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Failed(_))).map(|(step, _)| step.name()).collect();
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOK: Duration = Duration::from_millis(1_500);

    /// Runs the march with some failing steps; returns which ran, and what is said at the end.
    fn walk(failing: &[Step], skip: &[Step], keep_going: bool) -> (Vec<Step>, Option<String>) {
        let mut ran = Vec::new();
        let rows = march(skip, keep_going, |step| {
            ran.push(step);
            if failing.contains(&step) { Verdict::Failed(TOOK) } else { Verdict::Passed(TOOK) }
        });
        assert_eq!(rows.len(), Step::value_variants().len(), "the summary has every step");
        (ran, verdict(&rows).err().map(|it| it.to_string()))
    }

    #[test]
    fn the_march_stops_where_it_should() {
        use Step::{Alone, Api, Bench, Clippy, Deny, Doc, Examples, Fmt, Interop, Package, Soak, Test, Tidy};
        let all = vec![Fmt, Tidy, Clippy, Test, Examples, Alone, Soak, Doc, Api, Package, Deny, Bench, Interop];
        let cases = [
            (vec![], vec![], false, all.clone(), None),
            (
                vec![],
                vec![Test, Fmt],
                false,
                vec![Tidy, Clippy, Examples, Alone, Soak, Doc, Api, Package, Deny, Bench, Interop],
                None,
            ),
            (vec![Tidy, Doc], vec![], false, vec![Fmt, Tidy], Some("failed: tidy")),
            (vec![Tidy, Doc], vec![], true, all, Some("failed: tidy, doc")),
            (
                vec![Tidy],
                vec![Tidy],
                false,
                vec![Fmt, Clippy, Test, Examples, Alone, Soak, Doc, Api, Package, Deny, Bench, Interop],
                None,
            ),
        ];
        for (failing, skip, keep_going, ran, said) in cases {
            let said = said.map(str::to_owned);
            assert_eq!(walk(&failing, &skip, keep_going), (ran, said), "{failing:?} {skip:?} {keep_going}");
        }
    }

    #[test]
    fn rows_line_up() {
        assert_eq!(Verdict::Passed(TOOK).row(Step::Fmt), "fmt      passed             1.5 s");
        assert_eq!(Verdict::Failed(TOOK).row(Step::Interop), "interop  FAILED             1.5 s");
        assert_eq!(Verdict::Skipped.row(Step::Test), "test     skipped");
        assert_eq!(Verdict::NotReached.row(Step::Doc), "doc      not reached");
    }
}
