//! What an object means: asks whether it reports an error, and then one dialect after the other. Knows nothing of the stream.

use super::{
    Dialect, SseEvent, a2a,
    agent_error::Failure,
    agui, anthropic, autogen, bedrock_agents, converse, crewai, generic, google_adk, harness,
    json::{Json, Kind, Object},
    langgraph, llama_index, mcp, openai, pydantic_ai, strands,
    transcript::Transcript,
    vercel,
};

/// Whether data is JSON beyond doubt: models say numbers and brackets as words, and hardly ever whole strings or objects.
pub(super) fn is_json_only(json: Json<'_>) -> bool {
    match json.kind() {
        Kind::String | Kind::Escaped => true,
        Kind::Object => json.object().is_some_and(|object| !object.is_empty()),
        Kind::Array => json.items().any(|item| matches!(item.kind(), Kind::Object | Kind::Array)),
        _ => false,
    }
}

/// Asks whether an object reports an error, and then what the dialects make of it: the one that read the event before first.
pub(super) fn understand(
    only: Option<Dialect>,
    last: &mut Option<Dialect>,
    event: &SseEvent,
    json: Json<'_>,
    transcript: &mut Transcript,
) -> Option<()> {
    let object = json.object()?;
    if let Some(failure) = Failure::of(object) {
        failure.tell(object, transcript);
        return Some(());
    }
    if let Some(only) = only {
        return read(only, event, object, transcript);
    }
    if let Some(known) = last.and_then(|last| read(last, event, object, transcript)) {
        return Some(known);
    }
    if event.event == "message" && generic::is_one_text(object) {
        return generic::read(object, transcript);
    }
    understand_specific(last, event, json, transcript).or_else(|| generic::read(object, transcript))
}

/// Asks the dialects whose shapes are theirs alone.
pub(super) fn understand_specific(
    last: &mut Option<Dialect>,
    event: &SseEvent,
    json: Json<'_>,
    transcript: &mut Transcript,
) -> Option<()> {
    let object = json.object()?;
    *last = Some(*SPECIFIC.iter().find(|dialect| read(**dialect, event, object, transcript).is_some())?);
    Some(())
}

/// Reads an array: what LangGraph yields as a tuple, or the events or messages of a run that were collected.
pub(super) fn understand_list(
    only: Option<Dialect>,
    last: &mut Option<Dialect>,
    event: &SseEvent,
    json: Json<'_>,
    transcript: &mut Transcript,
) -> Option<()> {
    let mut asked = LISTS.iter().filter(|dialect| only.is_none_or(|only| only == **dialect));
    let read = |dialect: Dialect, transcript: &mut Transcript| match dialect {
        Dialect::GoogleAdk => google_adk::list(event, json, transcript),
        Dialect::PydanticAi => pydantic_ai::list(json, transcript),
        _ => langgraph::list(event, json, transcript),
    };
    *last = Some(*asked.find(|dialect| read(**dialect, transcript).is_some())?);
    Some(())
}

/// Reads an object, if it is of this dialect.
fn read(dialect: Dialect, event: &SseEvent, object: Object<'_>, transcript: &mut Transcript) -> Option<()> {
    match dialect {
        Dialect::Words | Dialect::Strings => None,
        Dialect::Objects => generic::read(object, transcript),
        Dialect::Strands => strands::read(event, object, transcript),
        Dialect::Converse => converse::read(event, object, transcript),
        Dialect::BedrockAgents => bedrock_agents::read(event, object, transcript),
        Dialect::LangGraph => langgraph::read(event, object, transcript),
        Dialect::AgUi => agui::read(event, object, transcript),
        Dialect::A2a => a2a::read(event, object, transcript),
        Dialect::Mcp => mcp::read(event, object, transcript),
        Dialect::LlamaIndex => llama_index::read(event, object, transcript),
        Dialect::OpenAi => openai::read(event, object, transcript),
        Dialect::Anthropic => anthropic::read(event, object, transcript),
        Dialect::GoogleAdk => google_adk::read(event, object, transcript),
        Dialect::Vercel => vercel::read(event, object, transcript),
        Dialect::PydanticAi => pydantic_ai::read(event, object, transcript),
        Dialect::CrewAi => crewai::read(event, object, transcript),
        Dialect::AutoGen => autogen::read(event, object, transcript),
        Dialect::Harness => harness::read(event, object, transcript),
    }
}

/// Those that read arrays.
const LISTS: &[Dialect] = &[Dialect::GoogleAdk, Dialect::PydanticAi, Dialect::LangGraph];

/// Those whose shapes are theirs alone, in the order in which they are asked.
const SPECIFIC: &[Dialect] = &[
    Dialect::A2a,
    Dialect::Mcp,
    Dialect::LlamaIndex,
    Dialect::AgUi,
    Dialect::Anthropic,
    Dialect::OpenAi,
    Dialect::GoogleAdk,
    Dialect::Vercel,
    Dialect::PydanticAi,
    Dialect::CrewAi,
    Dialect::AutoGen,
    Dialect::LangGraph,
    Dialect::Strands,
    Dialect::Converse,
    Dialect::BedrockAgents,
];

#[cfg(test)]
mod tests {
    use super::{super::json::Values, *};

    #[test]
    fn one_text_is_of_no_dialect_of_its_own() {
        for key in ["delta", "text", "content", "result", "output", "response", "message", "answer"] {
            for value in [r#""x""#, r#""""#, r#""{\"type\": \"error\"}""#, r#""RunContent(content='x')""#] {
                let event = SseEvent::new(format!("{{{key:?}: {value}}}"));
                let mut values = Values::default();
                let object = values.read(&event.data).and_then(Json::object);
                assert!(object.is_some_and(generic::is_one_text), "{}", event.data);
                for dialect in SPECIFIC {
                    let claimed = object.and_then(|object| read(*dialect, &event, object, &mut Transcript::default()));
                    assert_eq!(claimed, None, "{dialect:?} reads {}", event.data);
                }
            }
        }
        for data in [r#"{"data": "x"}"#, r#"{"text": 1}"#, r#"{"text": "x", "id": 1}"#, r#"{"name": "x"}"#, "{}"] {
            let (mut values, data) = (Values::default(), data.into());
            assert!(!values.read(&data).and_then(Json::object).is_some_and(generic::is_one_text), "{data}");
        }
    }
}
