//! One delivery: a signed POST to somebody else's server.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use gymcall_jobs::endpoint::{Delivery, Secret};
use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::CONTENT_TYPE;
use reqwest::{ClientBuilder, StatusCode, redirect, retry};
use rustls::crypto::{CryptoProvider, ring};
use url::{Host, Url};

use super::message::Message;
use super::signature;
use super::target::{Reach, TargetError};
use crate::twilio::client::explain;

/// How long a delivery may take, from connecting to the answer.
const WITHIN: Duration = Duration::from_secs(10);
/// How long finding out where a name leads may take.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(3);

/// Where names lead.
pub trait Names: Send + Sync {
    /// The addresses of a host.
    fn addresses(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The names as this machine knows them.
#[derive(Debug)]
pub struct SystemNames;

impl Names for SystemNames {
    fn addresses(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// Delivers. Clones share connections.
#[derive(Clone)]
pub struct Sender {
    reach: Reach,
    names: Arc<dyn Names>,
    /// The reason, where there can be none: a bare container has no root certificates.
    https: Result<reqwest::Client, String>,
    http: Result<reqwest::Client, String>,
}

impl Sender {
    /// One that reaches so far, by these names.
    pub fn new(reach: Reach, names: Arc<dyn Names>) -> Self {
        let build = |builder: ClientBuilder| builder.build().map_err(explain);
        let https = build(builder(reach, &names));
        // To this machine only, where nothing is signed by anybody.
        let http = build(builder(reach, &names).tls_certs_only([]));
        Self { reach, names, https, http }
    }

    /// Reads a URL and checks where it leads now. A name that leads nowhere yet is taken: each delivery asks again.
    pub async fn check(&self, text: &str) -> Result<Url, TargetError> {
        let url = self.reach.url(text)?;
        if let Some(Host::Domain(name)) = url.host()
            && let Ok(Ok(addresses)) = tokio::time::timeout(LOOK_UP_WITHIN, self.names.addresses(name)).await
        {
            addresses.into_iter().try_for_each(|address| self.reach.address(address))?;
        }
        Ok(url)
    }

    /// Delivers a message, once.
    pub async fn deliver(&self, url: &str, secret: &Secret, message: &Message<'_>, now: Timestamp) -> Delivery {
        match self.post(url, secret, message, now).await {
            Ok(status) if status.is_success() => Delivery::Taken,
            Ok(StatusCode::GONE) => Delivery::Gone,
            Ok(status) => Delivery::Failed(format!("it answered {status}")),
            Err(why) => Delivery::Failed(why),
        }
    }

    async fn post(
        &self,
        url: &str,
        secret: &Secret,
        message: &Message<'_>,
        now: Timestamp,
    ) -> Result<StatusCode, String> {
        // Again: the server may not be only on this machine any more.
        let url = self.reach.url(url).map_err(|error| error.to_string())?;
        let client = if url.scheme() == "https" { &self.https } else { &self.http };
        let client = client.as_ref().map_err(Clone::clone)?;
        let (seconds, body) = (now.as_second(), message.text());
        let signed = signature::sign(secret, &message.id, seconds, &body)?;
        let request = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signed)
            .body(body);
        // What else it answers is not read.
        request.send().await.map(|response| response.status()).map_err(explain)
    }
}

fn builder(reach: Reach, names: &Arc<dyn Names>) -> ClientBuilder {
    // reqwest panics without a provider. Another one that was there first is as good.
    let _ = CryptoProvider::install_default(ring::default_provider());
    reqwest::Client::builder()
        .user_agent(concat!("gymcall/", env!("CARGO_PKG_VERSION")))
        .http1_only()
        // Where it is redirected to was not checked, and a proxy would make the connection for us.
        .redirect(redirect::Policy::none())
        .no_proxy()
        .retry(retry::never())
        .timeout(WITHIN)
        .dns_resolver(Guarded { reach, names: Arc::clone(names) })
}

/// Says where a name leads only if every connection that may be made there is allowed. What is checked here is what
/// is connected to: a name that is looked up twice may lead to two places.
struct Guarded {
    reach: Reach,
    names: Arc<dyn Names>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, addresses) = (self.reach, self.names.addresses(name.as_str()));
        Box::pin(async move {
            let addresses = addresses.await?;
            addresses.iter().try_for_each(|address| reach.address(*address))?;
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use gymcall_jobs::endpoint::Delivery;
    use tokio::net::TcpListener;

    use super::super::message::Data;
    use super::*;

    /// Every name leads here.
    struct AllLeadTo(IpAddr);

    impl Names for AllLeadTo {
        fn addresses(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let address = self.0;
            Box::pin(async move { Ok(vec![address]) })
        }
    }

    fn message() -> Message<'static> {
        let timestamp = Timestamp::UNIX_EPOCH;
        Message { id: "evt_1-0".to_owned(), r#type: "job.failed", timestamp, data: Data::default() }
    }

    async fn delivered(sender: &Sender, url: &str) -> String {
        match sender.deliver(url, &signature::secret(&[1; 32]), &message(), Timestamp::UNIX_EPOCH).await {
            Delivery::Failed(why) => why,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_a_private_address_is_refused_at_creation_and_at_each_delivery() {
        for address in ["10.0.0.7", "169.254.169.254", "127.0.0.1", "::1", "::ffff:10.0.0.7", "fd00::1"] {
            let address: IpAddr = address.parse().unwrap();
            let sender = Sender::new(Reach::Public, Arc::new(AllLeadTo(address)));
            assert_eq!(sender.check("https://hooks.example.com/").await, Err(TargetError::Address(address)));
            let why = delivered(&sender, "https://hooks.example.com/").await;
            assert!(why.contains("not an address on the public internet"), "{why}");
        }
    }

    #[tokio::test]
    async fn a_private_address_in_the_url_itself_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        // As if the endpoint had been created while the server was on this machine only.
        let sender = Sender::new(Reach::Public, Arc::new(SystemNames));
        let why = delivered(&sender, &url).await;
        assert!(why.contains("not an address on the public internet"), "{why}");
        let nobody = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(nobody.is_err(), "a connection was made");
    }

    #[tokio::test]
    async fn a_name_that_leads_nowhere_yet_may_be_an_endpoint() {
        struct Nowhere;
        impl Names for Nowhere {
            fn addresses(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
                Box::pin(async { Err(io::Error::other("no such name")) })
            }
        }
        let sender = Sender::new(Reach::Public, Arc::new(Nowhere));
        assert!(sender.check("https://hooks.example.com/").await.is_ok());
        let why = delivered(&sender, "https://hooks.example.com/").await;
        assert!(why.contains("no such name"), "{why}");
    }
}
