//! `gymcall events`

use std::io::Write as _;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::client::Client;
use super::table::{RESET, YELLOW, text};
use super::{CliError, Done};

/// What happens, as it happens. A connection that breaks is taken up again where it broke off.
#[derive(Debug, Args)]
pub(super) struct Events {
    /// What came after the event with this id; without it, what happens from now on
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// Only what is about this campaign
    #[arg(long, value_name = "ID")]
    campaign: Option<String>,
    /// End with the first event of this name, such as campaign.ended
    #[arg(long, value_name = "EVENT")]
    until: Option<String>,
}

/// How long a broken connection rests before it is made anew.
const REST: Duration = Duration::from_secs(1);
/// After how long without a word a connection counts as broken: three of the server's signs of life.
const SILENCE: Duration = Duration::from_secs(45);

impl Events {
    pub(super) async fn run(self, client: &Client, json: bool) -> Result<Done, CliError> {
        let broken = |error| CliError::File { path: "standard output".into(), error };
        let mut after = self.after.clone();
        // A server that never answered is not there; one that did may be starting anew.
        let mut stream = client.download(&self.path(after.as_deref())).await?;
        loop {
            let mut reader = Reader::default();
            // A server that is there says at least that it is alive.
            while let Ok(Ok(Some(piece))) = tokio::time::timeout(SILENCE, stream.chunk()).await {
                for event in reader.take(&piece) {
                    after = event.id.clone().or(after);
                    if self.show(&event, json).map_err(broken)? {
                        return Ok(Done::Well);
                    }
                }
            }
            stream = loop {
                tokio::time::sleep(REST).await;
                match client.download(&self.path(after.as_deref())).await {
                    Err(CliError::Unreachable { .. }) => {}
                    answered => break answered?,
                }
            };
        }
    }

    fn path(&self, after: Option<&str>) -> String {
        let after = after.map(|id| format!("after={id}"));
        let campaign = self.campaign.as_ref().map(|id| format!("campaign={id}"));
        format!("/v1/events?{}", after.into_iter().chain(campaign).collect::<Vec<_>>().join("&"))
    }

    /// Prints an event, and says whether it is the last one that is waited for.
    fn show(&self, event: &Event, json: bool) -> std::io::Result<bool> {
        let Ok(message) = serde_json::from_str::<Value>(&event.data) else { return Ok(false) };
        let mut out = anstream::stdout();
        if json {
            // One line for each, because there is no end to them.
            writeln!(out, "{message}")?;
        } else if event.name == "gap" {
            writeln!(out, "{YELLOW}{}{RESET}", text(&message["detail"]))?;
        } else {
            let data = &message["data"];
            let subject = if data["job_id"].is_null() { &data["campaign_id"] } else { &data["job_id"] };
            let more = ["paused_reason", "disposition", "ended_reason", "skip_reason"].map(|name| text(&data[name]));
            let more = more.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
            writeln!(out, "{} {} {} {more}", text(&message["timestamp"]), event.name, text(subject))?;
        }
        Ok(self.until.as_ref() == Some(&event.name))
    }
}

/// One event of a stream.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Event {
    id: Option<String>,
    name: String,
    data: String,
}

/// Reads a stream of server-sent events, in whatever pieces it comes.
#[derive(Debug, Default)]
struct Reader {
    left: Vec<u8>,
    event: Event,
}

impl Reader {
    fn take(&mut self, piece: &[u8]) -> Vec<Event> {
        self.left.extend_from_slice(piece);
        let mut events = Vec::new();
        while let Some(end) = self.left.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.left.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                events.push(std::mem::take(&mut self.event));
                continue;
            }
            // Without a name before the colon it is a comment, which keeps the connection alive.
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "id" => self.event.id = Some(value.to_owned()),
                "event" => value.clone_into(&mut self.event.name),
                "data" => {
                    if !self.event.data.is_empty() {
                        self.event.data.push('\n');
                    }
                    self.event.data.push_str(value);
                }
                _ => {}
            }
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_in_whatever_pieces_they_come() {
        let text =
            ": alive\n\nid: 7\r\nevent: job.completed\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\nid:8\n\nid: 9\nevent: late";
        let event = |id: Option<&str>, name: &str, data: &str| Event {
            id: id.map(str::to_owned),
            name: name.to_owned(),
            data: data.to_owned(),
        };
        let expected =
            [event(None, "", ""), event(Some("7"), "job.completed", "{\"a\":\n1}"), event(Some("8"), "", "")];
        for size in [1, 2, 7, 1000] {
            let mut reader = Reader::default();
            let found: Vec<Event> = text.as_bytes().chunks(size).flat_map(|piece| reader.take(piece)).collect();
            assert_eq!(found, expected, "in pieces of {size}");
        }
    }
}
