//! The tools an agent calls, while their input arrives. Tells each call and each result once; keeps no input.

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
};

use bytestring::ByteString;

use super::{ToolResult, ToolUse};

/// The calls of a stream.
#[derive(Clone, Default)]
pub(super) struct ToolCalls {
    open: Vec<Open>,
    called: Ids,
    answered: Ids,
}

/// A call whose input is not complete.
#[derive(Clone)]
struct Open {
    /// What its further pieces are known by: an index, or the call's own id.
    slot: ByteString,
    id: ByteString,
    name: ByteString,
}

impl ToolCalls {
    /// A call begins, if it is not known, and ends another that was in its slot.
    pub(super) fn begin(&mut self, slot: ByteString, id: ByteString, name: ByteString) -> Vec<ToolUse> {
        let bytes = slot.len() + id.len() + name.len();
        if bytes > MOST_OPEN_BYTES || !self.called.note(&id) {
            return Vec::new();
        }
        let mut told = self.end(|open| open == &*slot);
        while self.open.len() == MOST_OPEN || self.open_bytes() + bytes > MOST_OPEN_BYTES {
            self.open.remove(0);
        }
        self.open.push(Open { slot: copy(&slot), id: copy(&id), name: copy(&name) });
        told.push(ToolUse { id, name, input: ByteString::new(), last: false });
        told
    }

    /// A piece of the input of the call in the slot, or of the call begun last.
    pub(super) fn input(&self, slot: Option<&str>, input: ByteString) -> Option<ToolUse> {
        let open = match slot {
            Some(slot) => self.open.iter().find(|open| open.slot == slot),
            None => self.open.last(),
        }?;
        Some(ToolUse { id: open.id.clone(), name: open.name.clone(), input, last: false })
    }

    /// The input of the calls in these slots is complete.
    pub(super) fn end(&mut self, belongs: impl Fn(&str) -> bool) -> Vec<ToolUse> {
        self.open.extract_if(.., |open| belongs(&open.slot)).map(Open::end).collect()
    }

    /// A call as a whole; only its end if it has begun, and nothing if it has been told.
    pub(super) fn whole(&mut self, id: ByteString, name: ByteString, input: ByteString) -> Option<ToolUse> {
        if self.called.note(&id) {
            return Some(ToolUse { id, name, input, last: true });
        }
        self.ended(&id)
    }

    /// A call's result, after the end of the call if nothing else told that.
    pub(super) fn result(&mut self, result: ToolResult) -> (Option<ToolUse>, Option<ToolResult>) {
        (self.ended(&result.id), self.answered.note(&result.id).then_some(result))
    }

    fn open_bytes(&self) -> usize {
        self.open.iter().map(|open| open.slot.len() + open.id.len() + open.name.len()).sum()
    }

    fn ended(&mut self, id: &str) -> Option<ToolUse> {
        let index = self.open.iter().position(|open| open.id == id)?;
        Some(self.open.remove(index).end())
    }
}

impl Open {
    fn end(self) -> ToolUse {
        ToolUse { id: self.id, name: self.name, input: ByteString::new(), last: true }
    }
}

/// A copy, because a slice keeps the whole event that it came in.
fn copy(text: &ByteString) -> ByteString {
    ByteString::from(&**text)
}

/// The ids that were seen, by their hashes.
#[derive(Clone, Default)]
struct Ids {
    hashes: HashSet<u64>,
    state: RandomState,
}

impl Ids {
    /// Notes an id; tells whether it is new. What has no id always is.
    fn note(&mut self, id: &str) -> bool {
        if self.hashes.len() == MOST_IDS {
            self.hashes.clear();
        }
        id.is_empty() || self.hashes.insert(self.state.hash_one(id))
    }
}

/// How many calls are open before the oldest is forgotten, which has no further pieces then.
const MOST_OPEN: usize = 256;

/// How many bytes their slots, ids and names have together. A call that has more by itself is told only where it comes as a whole.
const MOST_OPEN_BYTES: usize = 256 * 1024;

/// How many ids are remembered before all are forgotten.
const MOST_IDS: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded() {
        for length in [1, 100, 10_000, MOST_OPEN_BYTES / 3] {
            let mut calls = ToolCalls::default();
            for number in 0..2 * MOST_OPEN {
                let id = ByteString::from(format!("{number}-{}", "x".repeat(length)));
                let begun = calls.begin(id.clone(), id.clone(), "add".into());
                assert!(begun.iter().any(|call| call.id == id && !call.last), "each is told");
                assert_eq!(calls.input(Some(&id), "{".into()).map(|call| call.id), Some(id), "and goes on");
            }
            assert!(calls.open.len() <= MOST_OPEN && calls.open_bytes() <= MOST_OPEN_BYTES, "{length}");
            assert!(length > 100 || calls.open.len() == MOST_OPEN, "{length}");
        }
    }

    /// Parts of such a call cannot be known again; the call as a whole can.
    #[test]
    fn an_id_longer_than_all_that_is_kept() {
        let (mut calls, id) = (ToolCalls::default(), ByteString::from("x".repeat(MOST_OPEN_BYTES)));
        assert_eq!(calls.begin(id.clone(), id.clone(), "add".into()), []);
        assert_eq!(calls.input(Some(&id), "{".into()), None);
        assert_eq!((calls.open.len(), calls.end(|_| true)), (0, Vec::new()));
        assert_eq!(calls.whole(id.clone(), "add".into(), "{}".into()), Some(ToolUse::new(id, "add", "{}")));
    }
}
