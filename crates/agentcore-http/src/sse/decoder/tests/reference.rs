//! A second decoder, for a whole input at a time: the standard's paragraphs one by one, with no thought of speed.

use super::{Duration, SseEvent};

/// HTML standard, §9.2.6 "Interpreting an event stream", for a stream that came to its end.
pub(super) fn events(input: &[u8]) -> Vec<SseEvent> {
    let text = String::from_utf8_lossy(input);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n");
    // What follows the last line end is no line.
    let Some((text, _)) = text.rsplit_once('\n') else {
        return Vec::new();
    };

    let (mut data, mut event_type, mut last_event_id, mut retry) = (String::new(), "", "", None);
    let mut events = Vec::new();
    for line in text.split('\n') {
        if line.is_empty() {
            if let Some(data) = data.strip_suffix('\n') {
                let event = if event_type.is_empty() { "message" } else { event_type };
                events.push(SseEvent { event: event.into(), data: data.into(), id: last_event_id.into(), retry });
            }
            (data, event_type, retry) = (String::new(), "", None);
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => event_type = value,
            "data" => data += &format!("{value}\n"),
            "id" if !value.contains('\0') => last_event_id = value,
            "retry" if !value.is_empty() && value.chars().all(|c| c.is_ascii_digit()) => {
                retry = value.parse().ok().map(Duration::from_millis).or(retry);
            }
            _ => {}
        }
    }
    events
}
