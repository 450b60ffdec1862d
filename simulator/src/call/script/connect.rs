//! `<Connect>`: a media stream that the document waits for.

use std::pin::pin;

use tokio::sync::oneshot;

use super::{Flow, Script, interruption};
use crate::stream;
use crate::twiml::Connect;

impl Script<'_> {
    /// Until the stream ends. If the call ends or is redirected first, the stream still says goodbye.
    pub(super) async fn connect(&mut self, connect: &Connect) -> Flow {
        let (stop, stopped) = oneshot::channel();
        let (stage, base) = (self.stage, self.page.url.as_deref());
        let session = stream::run(stage.exchange, stage.call, stage.line, &connect.stream, base, stopped);
        let mut session = pin!(session);
        tokio::select! {
            () = &mut session => {}
            flow = interruption(self.commands) => {
                drop(stop);
                session.await;
                return flow;
            }
        }
        match &connect.action {
            Some(action) => self.act(Some(action), connect.method, Vec::new()),
            None => Flow::Next,
        }
    }
}
