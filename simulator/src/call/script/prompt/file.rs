//! A sound file of the app's, as it sounds on the line.

mod wav;

use std::time::Duration;

use crate::address::{self, Address};
use crate::call::script::Stage;
use crate::http;
use crate::mulaw::SILENCE;

/// No sound is longer than the ten minutes that a line takes at once, in 16-bit samples and stereo.
const LARGEST: usize = 10 * 60 * 8000 * 4;
const CONNECT: Duration = Duration::from_secs(5);
const READ: Duration = Duration::from_secs(15);
/// What a file takes for a second whose sound cannot be read here: 64 kbit/s.
const GUESSED_RATE: usize = 8000;

impl Stage<'_> {
    /// The sound at `url`; none if it cannot be had, which was warned of.
    pub(super) async fn file(&self, url: &str, base: Option<&str>) -> Option<Vec<u8>> {
        match self.fetched(url, base).await {
            Ok(sound) => Some(sound),
            Err((code, message)) => {
                self.warn(code, message);
                None
            }
        }
    }

    async fn fetched(&self, url: &str, base: Option<&str>) -> Result<Vec<u8>, (u32, String)> {
        let invalid = || (11100, format!("invalid URL {url:?}"));
        let whole = address::resolve(base, url).ok_or_else(invalid)?;
        let address = Address::parse(&whole).ok_or_else(invalid)?;
        let lost = |why: String| (11200, format!("nothing to play from {whole}: {why}"));
        if self.exchange.settings.loopback_only && !address.loopback {
            return Err(lost("not on this machine".to_owned()));
        }
        if address.scheme != "http" {
            return Err(lost("only http is spoken here".to_owned()));
        }
        let head = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\nConnection: close\r\n",
            address.target,
            address.host_header()
        );
        let socket = http::connect(&address, CONNECT).await.map_err(|failure| lost(failure.to_string()))?;
        let reply = http::exchange_up_to(socket, &head, b"", READ, LARGEST).await;
        let reply = reply.map_err(|failure| lost(failure.to_string()))?;
        if !(200..300).contains(&reply.status) {
            return Err(lost(format!("HTTP {}", reply.status)));
        }
        let kind = reply.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
        if !kind.starts_with("audio/") {
            return Err((13420, format!("{whole} is {kind:?} and no sound")));
        }
        Ok(self.sound(&whole, &reply.body))
    }

    fn sound(&self, url: &str, file: &[u8]) -> Vec<u8> {
        match wav::read(file) {
            Ok(sound) => sound,
            Err(unreadable) => {
                let samples = unreadable.samples.unwrap_or(file.len() * 8000 / GUESSED_RATE);
                self.warn(0, format!("{url} is played as silence: {}", unreadable.why));
                vec![SILENCE; samples]
            }
        }
    }
}
