//! A lease that is held: prolonged in the background until it is given back or lost. Takes none.

use std::{sync::Arc, time::Duration};

use tokio::{runtime::Handle, task::AbortHandle};

use super::{connection::Connection, script::EntryNames};

/// A lease of this process. Dropping it gives it back in the background, if there is a runtime.
pub(super) struct Lease {
    server: Arc<Connection>,
    names: EntryNames,
    owner: String,
    renewing: AbortHandle,
    released: bool,
}

impl Lease {
    /// Prolongs a lease that was taken just now for this long.
    pub(super) fn keep(server: Arc<Connection>, names: EntryNames, owner: String, length: Duration) -> Self {
        let command = names.renew(&owner, length);
        let renewing = tokio::spawn({
            let server = Arc::clone(&server);
            async move {
                loop {
                    tokio::time::sleep(length / 3).await;
                    // A server that is away may be back before the lease ends.
                    if let Ok(0) = server.run::<u8>(&command).await {
                        return tracing::debug!("the lease of a token was lost");
                    }
                }
            }
        });
        Self { server, names, owner, renewing: renewing.abort_handle(), released: false }
    }

    /// Gives it back. A failure does not matter: it ends by itself.
    pub(super) async fn release(mut self) {
        self.released = true;
        self.renewing.abort();
        let _ = self.server.run::<u8>(&self.names.release(&self.owner)).await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
        if let (false, Ok(runtime)) = (self.released, Handle::try_current()) {
            let (server, command) = (Arc::clone(&self.server), self.names.release(&self.owner));
            runtime.spawn(async move { server.run::<u8>(&command).await });
        }
    }
}
