//! The functions that a harness calls and somebody has to run: the harness itself, whose results follow, or the caller. Bounded.

use bytestring::ByteString;

use super::Dialect;

/// The calls without a result so far.
#[derive(Clone, Default)]
pub(super) struct InlineFunctions {
    calls: Vec<FunctionCall>,
}

/// A call of a function.
#[derive(Clone)]
pub(super) struct FunctionCall {
    dialect: Dialect,
    /// The block in which its input comes; none once that is complete.
    slot: Option<ByteString>,
    pub(super) id: ByteString,
    pub(super) name: ByteString,
    pub(super) input: String,
}

impl InlineFunctions {
    pub(super) fn begin(&mut self, dialect: Dialect, slot: ByteString, id: ByteString, name: ByteString) {
        if self.calls.len() < MOST_CALLS && self.bytes() + id.len() + name.len() <= MOST_BYTES {
            let copy = |text: ByteString| ByteString::from(&*text);
            self.calls.push(FunctionCall {
                dialect,
                slot: Some(copy(slot)),
                id: copy(id),
                name: copy(name),
                input: String::new(),
            });
        }
    }

    pub(super) fn input(&mut self, slot: &str, piece: &str) {
        let has_room = self.bytes() + piece.len() <= MOST_BYTES;
        let call = self.calls.iter_mut().find(|call| call.slot.as_deref() == Some(slot));
        if let Some(call) = call.filter(|_| has_room) {
            call.input.push_str(piece);
        }
    }

    /// The input of a block is complete, or that of every one.
    pub(super) fn complete(&mut self, slot: Option<&str>) {
        let calls = self.calls.iter_mut().filter(|call| slot.is_none_or(|slot| call.slot.as_deref() == Some(slot)));
        calls.for_each(|call| call.slot = None);
    }

    /// A result has come.
    pub(super) fn answered(&mut self, id: &str) {
        self.take_one(id);
    }

    /// Takes one, whatever it waits for.
    pub(super) fn take_one(&mut self, id: &str) -> Option<FunctionCall> {
        let index = self.calls.iter().position(|call| call.id == id)?;
        Some(self.calls.remove(index))
    }

    /// Takes the calls of a dialect whose input is complete, and to which no result has come.
    pub(super) fn take(&mut self, dialect: Dialect) -> impl Iterator<Item = FunctionCall> + use<> {
        self.calls
            .extract_if(.., |call| call.dialect == dialect)
            .filter(|call| call.slot.is_none())
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn bytes(&self) -> usize {
        self.calls.iter().map(|call| call.id.len() + call.name.len() + call.input.len()).sum()
    }
}

/// More than a model calls at once.
const MOST_CALLS: usize = 64;
/// What all of them take together.
const MOST_BYTES: usize = 1024 * 1024;
