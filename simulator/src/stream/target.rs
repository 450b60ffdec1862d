//! Where a stream goes.

use url::Url;

use super::{Direction, Trouble};
use crate::address::{self, Address};
use crate::twiml;

/// The URL of a stream, ready to be requested.
pub(super) struct Target {
    pub(super) address: Address,
    /// What is signed: the URL with a WebSocket scheme and without its query, which Twilio drops.
    pub(super) signed: String,
}

/// The target of `noun`, or what Twilio would find wrong with it.
pub(super) fn of(noun: &twiml::Stream, base: Option<&str>, direction: Direction) -> Result<Target, Trouble> {
    let trouble = |code, message: &str| Trouble { code, message: format!("{message}: {}", noun.url) };
    if direction == Direction::TwoWay
        && let Some(track) = &noun.track
        && track != "inbound_track"
    {
        return Err(trouble(31941, "a bidirectional stream has inbound_track"));
    }
    let whole = address::resolve(base, &noun.url).ok_or_else(|| trouble(31923, "malformed URL"))?;
    let plain = whole.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = plain.split_once("://").ok_or_else(|| trouble(31923, "malformed URL"))?;
    // A relative URL has the scheme of its document; one that is written out must be a WebSocket's.
    let is_relative = Url::parse(&noun.url).is_err();
    let scheme = match scheme {
        "ws" | "wss" => scheme,
        "http" if is_relative => "ws",
        "https" if is_relative => "wss",
        _ => return Err(trouble(31922, "not a WebSocket URL")),
    };
    let signed = format!("{scheme}://{rest}");
    let address = Address::parse(&signed).ok_or_else(|| trouble(31923, "malformed URL"))?;
    // Twilio takes wss only; this machine is not asked for a certificate.
    if scheme == "ws" && !address.loopback {
        return Err(trouble(31922, "only wss leads to other machines"));
    }
    Ok(Target { address, signed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Method;

    fn noun(url: &str, track: Option<&str>) -> twiml::Stream {
        twiml::Stream {
            url: url.to_owned(),
            name: None,
            track: track.map(str::to_owned),
            status_callback: None,
            status_callback_method: Method::Post,
            parameters: Vec::new(),
        }
    }

    #[test]
    fn the_scheme_becomes_a_websockets_and_the_query_is_dropped() {
        for (url, signed) in [
            ("ws://127.0.0.1:8080/media?job=1", "ws://127.0.0.1:8080/media"),
            ("wss://h.example/media", "wss://h.example/media"),
            ("/media", "ws://127.0.0.1:9/media"),
        ] {
            let target = of(&noun(url, None), Some("http://127.0.0.1:9/voice"), Direction::TwoWay).ok().unwrap();
            assert_eq!(target.signed, signed);
        }
    }

    #[test]
    fn wrong_tracks_and_schemes_have_their_codes() {
        let code = |url, track| of(&noun(url, track), None, Direction::TwoWay).err().unwrap().code;
        assert_eq!(code("ws://h/x", Some("both_tracks")), 31941);
        for url in ["ftp://h/x", "http://127.0.0.1/x", "https://h/x", "ws://h/x"] {
            assert_eq!(code(url, None), 31922, "{url}");
        }
        assert_eq!(code("/x", None), 31923);
    }
}
