//! A message while it is sent. Writes nothing.

use super::super::{keep_alive::PeerActivity, sync::oneshot};
use crate::{Error, ErrorKind};

/// A message of which a part may have left. However its sending ends, the sender learns what is known, and the message counts as
/// unconfirmed.
pub(super) struct InFlight<'a> {
    sender: Option<oneshot::Sender<Result<(), Error>>>,
    activity: &'a PeerActivity,
}

impl<'a> InFlight<'a> {
    pub(super) fn new(sender: oneshot::Sender<Result<(), Error>>, activity: &'a PeerActivity) -> Self {
        Self { sender: Some(sender), activity }
    }

    /// Reports that the whole message was written.
    pub(super) fn sent(mut self) {
        self.end(Ok(()));
    }

    fn end(&mut self, outcome: Result<(), Error>) {
        if let Some(sender) = self.sender.take() {
            self.activity.note_sent();
            let _ = sender.send(outcome);
        }
    }
}

impl Drop for InFlight<'_> {
    /// Reports that the rest of the message was not written: the connection was lost, whichever half saw it first.
    fn drop(&mut self) {
        let message = "the connection was lost while the message was sent";
        self.end(Err(Error::new(ErrorKind::BrokenOff, message).possibly_run(true)));
    }
}
