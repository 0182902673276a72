//! What an agent asks, as one line for people. Asks nobody.

use agentcore_client::Interrupt;

use crate::errors::one_line;

/// Returns the line for an interrupt, in the agent's words.
pub(crate) fn question(interrupt: &Interrupt) -> String {
    let (name, reason) = (one_line(&interrupt.name), one_line(&interrupt.reason));
    match (&*name, &*reason) {
        ("", "") => "the agent waits for an answer".to_owned(),
        ("", reason) => format!("the agent asks: {reason}"),
        (name, "") => format!("the agent waits for an answer to {name}"),
        (name, reason) if name == reason => format!("the agent asks: {reason}"),
        (name, reason) => format!("the agent asks ({name}): {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_each() {
        for (name, reason, line) in [
            ("", "", "the agent waits for an answer"),
            ("", "May I?", "the agent asks: May I?"),
            ("approve", "", "the agent waits for an answer to approve"),
            ("approve", "May\nI?\u{1b}[2J", "the agent asks (approve): May I? [2J"),
            ("input", "input", "the agent asks: input"),
        ] {
            let mut interrupt = Interrupt::new("i1", reason);
            interrupt.name = name.into();
            assert_eq!(question(&interrupt), line);
        }
    }
}
