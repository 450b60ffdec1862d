//! `<Start>` and `<Stop>`: one-way streams beside what the document does.

use super::{Flow, Script};
use crate::stream;
use crate::twiml::Stream;

impl Script<'_> {
    pub(super) fn start_streams(&self, nouns: &[Stream]) -> Flow {
        let stage = self.stage;
        for noun in nouns {
            let started = stream::start(stage.exchange, stage.call, stage.line, noun, self.page.url.as_deref());
            if let Err(error) = started {
                stage.warn(error.code(), error.to_string());
            }
        }
        Flow::Next
    }

    pub(super) fn stop_streams(&self, names: &[String]) -> Flow {
        let stage = self.stage;
        for name in names {
            match stage.exchange.streams.find(&stage.call.sid, name).filter(|entry| entry.is_one_way()) {
                Some(entry) => entry.stop(),
                None => stage.warn(0, format!("there is no one-way stream {name:?} to stop")),
            }
        }
        Flow::Next
    }
}
