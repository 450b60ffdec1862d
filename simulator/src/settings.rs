//! What a simulator is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::account::Account;
use crate::callee::Callees;
use crate::fault::Faults;
use crate::signature::Signing;
use crate::speech::Speech;

/// Settings of a simulator. `Settings::default()` is a kind Twilio on a free port of this machine.
#[derive(Clone)]
pub struct Settings {
    /// Where the REST API listens; port 0 takes a free one.
    pub bind: SocketAddr,
    /// The one account, `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// Its token: the password of the REST API and the key of every signature.
    pub auth_token: String,
    /// With what webhooks and streams are signed, until [`Simulator::sign_with`](crate::Simulator::sign_with).
    pub signing: Signing,
    /// Whether a stream is signed over its URL with a `/` at the end, as Twilio sometimes does.
    pub signs_streams_with_slash: bool,
    /// What the account has and may do: numbers, keys, limits.
    pub account: Account,
    /// Who can be called.
    pub callees: Callees,
    /// How callees and `<Say>` sound.
    pub speech: Speech,
    /// How unkind it is.
    pub faults: Faults,
    /// Decides the faults that have a rate.
    pub seed: u64,
    /// Calls dialled per second at most; the others stay queued.
    pub calls_per_second: f64,
    /// Where the log is appended to, besides memory.
    pub log_path: Option<PathBuf>,
    /// Wait before the second try of a webhook; it doubles with each further try, up to 5 s.
    pub retry_base: Duration,
    /// Time from dialling (`initiated`) to `ringing`.
    pub dial_delay: Duration,
    /// Whether webhooks and streams go to this machine only. Without it a wrong URL in a test could
    /// send signed requests into the world.
    pub loopback_only: bool,
    /// Bytes that wait for an app which reads a stream too slowly; what comes on top is lost (31930).
    pub largest_stream_lag: usize,
    /// Price of one begun minute of a picked-up call, in US dollars.
    pub price_per_minute: f64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            account_sid: "AC00000000000000000000000000000000".to_owned(),
            auth_token: "0123456789abcdef0123456789abcdef".to_owned(),
            signing: Signing::Token,
            signs_streams_with_slash: false,
            account: Account::default(),
            callees: Callees::built_in(),
            speech: Speech::default(),
            faults: Faults::default(),
            seed: 0,
            calls_per_second: 1.0,
            log_path: None,
            retry_base: Duration::from_millis(200),
            dial_delay: Duration::from_millis(50),
            loopback_only: true,
            // Ten seconds of messages.
            largest_stream_lag: 500 * 350,
            price_per_minute: 0.014,
        }
    }
}
