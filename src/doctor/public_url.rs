//! Whether Twilio reaches us: a signed round trip through the public address, as a webhook would make it.
//!
//! Where no server listens, one stands in for it that long. Whoever answers has to show that it has the account's
//! token: a tunnel's own page, or somebody else's server, can not.

mod round_trip;

use std::net::SocketAddr;

use tokio::net::{TcpListener, lookup_host};
use tokio::task::JoinHandle;
use url::Url;

use super::Finding;
use crate::app;
use crate::config::{Settings, TwilioAccount, is_loopback};
use crate::server::doorway;
use crate::twilio::public_url::PublicBase;
use round_trip::RoundTrip;

const CHECK: &str = "public URL";

pub(super) async fn check(settings: &Settings, account: &TwilioAccount) -> Vec<Finding> {
    let stand_in = match StandIn::listen(settings.bind).await {
        Ok(stand_in) => stand_in,
        Err(finding) => return vec![*finding],
    };
    match looked_at(settings, account, stand_in).await {
        Ok(findings) => findings,
        Err(finding) => vec![*finding],
    }
}

async fn looked_at(
    settings: &Settings,
    account: &TwilioAccount,
    stand_in: Option<StandIn>,
) -> Result<Vec<Finding>, Box<Finding>> {
    let address = stand_in.as_ref().map(|stand_in| stand_in.address);
    let mend = "Set PUBLIC_BASE_URL to the https address at which Twilio reaches this server, a tunnel's for example";
    let failed = |detail: String| Box::new(Finding::failed(CHECK, detail, mend));
    let url = app::public_url(settings, address).map_err(|error| failed(error.to_string()))?;
    let base = PublicBase::new(&url).map_err(|error| failed(error.to_string()))?;
    if !is_loopback(&settings.twilio_api_base_url) {
        if is_loopback(&url) {
            return Err(failed(format!("{url} is this machine's own name for itself, which Twilio cannot reach")));
        }
        if url.scheme() != "https" {
            return Err(failed(format!("{url} is not https, and calls are not for everybody's ears")));
        }
    }
    resolves(&url).await.map_err(failed)?;
    if !settings.validate_signature {
        let mend = "Leave TWILIO_VALIDATE_SIGNATURE at true, and look again";
        return Ok(vec![Finding::warning(CHECK, "signatures are not checked, so nobody can prove to be us", mend)]);
    }
    let _serving = stand_in.map(|stand_in| stand_in.serve(settings, &base));
    let trip = RoundTrip::new(&url, base, account).map_err(|error| failed(error.to_string()))?;
    Ok(trip.make().await)
}

async fn resolves(url: &Url) -> Result<(), String> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(443);
    match lookup_host((host, port)).await.map(|mut found| found.next()) {
        Ok(Some(_)) => Ok(()),
        _ => Err(format!("the name {host} has no address: the tunnel may have got another name since")),
    }
}

/// Answers in place of a server that does not run.
struct StandIn {
    listener: TcpListener,
    address: SocketAddr,
}

/// A stand-in at work, until it is dropped.
struct Serving(JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl StandIn {
    /// Nothing if somebody listens there already: the server, one hopes.
    async fn listen(bind: SocketAddr) -> Result<Option<Self>, Box<Finding>> {
        let refused = |error: std::io::Error| {
            let mend = "Set GYMCALL_BIND to an address of this machine and a port that this user may listen on";
            Box::new(Finding::failed(CHECK, format!("cannot listen on {bind}: {error}"), mend))
        };
        match TcpListener::bind(bind).await {
            Ok(listener) => {
                let address = listener.local_addr().map_err(refused)?;
                Ok(Some(Self { listener, address }))
            }
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }

    fn serve(self, settings: &Settings, base: &PublicBase) -> Serving {
        let door = doorway::router(base.clone(), app::signatures(settings));
        Serving(tokio::spawn(async move {
            if let Err(error) = axum::serve(self.listener, door).await {
                tracing::error!(%error, "the stand-in broke off: {error}");
            }
        }))
    }
}
