//! The story: a text as a model streams it, one word an event.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use crate::invocation::{AgentRequest, AgentResponse, event};

pub(super) fn story(request: &AgentRequest, pace: Duration) -> AgentResponse {
    let prompt = request.prompt().unwrap_or_else(|| "tell me a story".into());
    let events = stream::iter(words(&prompt).into_iter().enumerate()).then(move |(index, word)| async move {
        if index > 0 && !pace.is_zero() {
            tokio::time::sleep(pace).await;
        }
        Ok::<_, Infallible>(Bytes::from(event(&word.into())))
    });
    AgentResponse::event_stream(events)
}

/// Returns the words with the space before each, so that joined they are the text.
pub(crate) fn words(prompt: &str) -> Vec<String> {
    let text = format!("{BEFORE} “{prompt}”. {AFTER}");
    let mut words: Vec<String> = text.split_whitespace().map(|word| format!(" {word}")).collect();
    if let Some(first) = words.first_mut() {
        first.remove(0);
    }
    words
}

const BEFORE: &str = "Once upon a time a small crab found a bottle on the beach, and in it a note that said";

const AFTER: &str = "Nobody on the shore knew what to do with it, so the crab carried it over the dunes, across the \
                     loopback bridge and up to the lighthouse. The keeper read it aloud, word by word, and everybody \
                     listened until the lamp went out. The end.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_joined_are_the_story() {
        let words = words("What now?");
        assert_eq!(words[0], "Once");
        assert_eq!(words[1], " upon");
        let text = words.concat();
        assert!(text.starts_with("Once upon a time a small crab found a bottle"), "{text}");
        assert!(text.contains("a note that said “What now?”. Nobody on the shore"), "{text}");
        assert!(text.ends_with("The end."), "{text}");
        assert!((60..70).contains(&words.len()), "{}", words.len());
    }
}
