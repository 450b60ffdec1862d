//! Requests to the client's app: signed, tried again as its URL asks, and written down.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout_at};

use crate::address::Address;
use crate::call::{Call, Fetch, Method};
use crate::exchange::Exchange;
use crate::http::{self, Failure, Reply};
use crate::log::Event;
use crate::overrides::{Overrides, RetryOn};
use crate::sid;
use crate::signature::{self, Signing};

/// No wait between two tries is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// One try of a webhook, as `Events.json` shows it.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) at: Timestamp,
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) took: Duration,
    pub(crate) reply: Result<Reply, Failure>,
}

/// Asks `fetch` with `params`, and again where its fragment says so. The last reply counts.
pub(crate) async fn request(
    exchange: &Exchange,
    call: &Call,
    fetch: &Fetch,
    params: &[(String, String)],
) -> Result<Reply, Failure> {
    request_with(exchange, call, fetch, params, &sid::uuid()).await
}

/// The same for the event of this `token`. All tries of it carry the token: it is how the app can tell
/// a second try from a second event.
pub(crate) async fn request_with(
    exchange: &Exchange,
    call: &Call,
    fetch: &Fetch,
    params: &[(String, String)],
    token: &str,
) -> Result<Reply, Failure> {
    let Some(address) = Address::parse(&fetch.url) else {
        exchange.warn(Some(&call.sid), 11100, format!("invalid URL {}", fetch.url));
        return Err(Failure::Connect("invalid URL".to_owned()));
    };
    let overrides = Overrides::parse(&address.fragment);
    let address = match fetch.method {
        Method::Get => address.with_query(params),
        Method::Post => address,
    };
    if call.fate.webhook_delay_ms > 0 {
        sleep(call.fate.webhook_delay()).await;
    }
    let signing = call.fate.signing().unwrap_or_else(|| exchange.signing());
    let deadline = Instant::now() + overrides.total;
    let mut attempt = 1;
    loop {
        let began = (Timestamp::now(), Instant::now());
        let once = try_once(exchange, &address, fetch.method, params, (token, &signing), &overrides);
        let mut reply = timeout_at(deadline, once).await.unwrap_or(Err(Failure::Timeout));
        if call.fate.webhook_reply_lost && reply.is_ok() {
            reply = Err(Failure::Broken("the reply was lost".to_owned()));
        }
        let delivery = Delivery {
            at: began.0,
            method: fetch.method,
            url: address.exact.clone(),
            params: params.to_vec(),
            took: began.1.elapsed(),
            reply: reply.clone(),
        };
        write_down(exchange, call, delivery, attempt);
        let wait = (exchange.settings.retry_base * (1 << (attempt - 1))).min(LONGEST_WAIT);
        if attempt > overrides.retries || !again(&reply, overrides.retry_on) || Instant::now() + wait >= deadline {
            return reply;
        }
        sleep(wait).await;
        attempt += 1;
    }
}

/// A request that is lost on its way: the app hears nothing of it, and Twilio has no reply.
pub(crate) fn lose(
    exchange: &Exchange,
    call: &Call,
    fetch: &Fetch,
    params: &[(String, String)],
) -> Result<Reply, Failure> {
    let url = Address::parse(&fetch.url).map_or_else(|| fetch.url.clone(), |address| address.exact);
    let (at, reply) = (Timestamp::now(), Err(Failure::Lost));
    let delivery =
        Delivery { at, method: fetch.method, url, params: params.to_vec(), took: Duration::ZERO, reply: reply.clone() };
    write_down(exchange, call, delivery, 1);
    reply
}

async fn try_once(
    exchange: &Exchange,
    address: &Address,
    method: Method,
    params: &[(String, String)],
    (token, signing): (&str, &Signing),
    overrides: &Overrides,
) -> Result<Reply, Failure> {
    allowed(exchange, address)?;
    let (signed, body) = match method {
        Method::Get => (&[][..], String::new()),
        Method::Post => (params, url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()),
    };
    let mut head = head(exchange, address, method.as_str(), (token, signing), signed);
    if method == Method::Post {
        head += "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n";
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    let ask = async |head: &str| {
        let socket = http::connect(address, overrides.connect).await?;
        http::exchange(socket, head, body.as_bytes(), overrides.read).await
    };
    let reply = ask(&head).await?;
    let wants_basic =
        || reply.challenge.as_ref().is_some_and(|challenge| challenge.to_ascii_lowercase().starts_with("basic"));
    match &address.user {
        // Only an app that asks for them gets to see the URL's user and password.
        Some(user) if reply.status == 401 && wants_basic() => {
            ask(&format!("{head}Authorization: Basic {}\r\n", STANDARD.encode(user))).await
        }
        _ => Ok(reply),
    }
}

/// The lines of a request to `address`, signed over the form `signed`, up to those of its body.
fn head(
    exchange: &Exchange,
    address: &Address,
    method: &str,
    (token, signing): (&str, &Signing),
    signed: &[(String, String)],
) -> String {
    let mut head = format!(
        "{method} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n\
         I-Twilio-Idempotency-Token: {token}\r\nX-Home-Region: us1\r\nConnection: close\r\n",
        address.target,
        address.host_header(),
    );
    for (name, value) in signing.headers(&exchange.settings.auth_token, &address.exact, signed) {
        head += &format!("{name}: {value}\r\n");
    }
    head
}

/// Posts a JSON body to `url`, as Twilio's newer products do: the URL carries the body's hash, and only
/// the URL is signed. Not a call's webhook, so it is neither tried again nor written down.
pub(crate) async fn post_json(exchange: &Exchange, url: &str, body: &str) -> Result<Reply, Failure> {
    let address = Address::parse(url).ok_or_else(|| Failure::Connect("invalid URL".to_owned()))?;
    allowed(exchange, &address)?;
    let overrides = Overrides::parse(&address.fragment);
    let hash = ("bodySHA256".to_owned(), signature::body_hash(body.as_bytes()));
    let address = address.with_query(&[hash]);
    let mut head = head(exchange, &address, "POST", (&sid::uuid(), &exchange.signing()), &[]);
    head += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    let socket = http::connect(&address, overrides.connect).await?;
    http::exchange(socket, &head, body.as_bytes(), overrides.read).await
}

/// Whether a request may go there at all.
fn allowed(exchange: &Exchange, address: &Address) -> Result<(), Failure> {
    if exchange.settings.loopback_only && !address.loopback {
        return Err(Failure::Connect("not on this machine".to_owned()));
    }
    if address.scheme != "http" {
        return Err(Failure::Connect("only http is spoken here".to_owned()));
    }
    Ok(())
}

fn again(reply: &Result<Reply, Failure>, on: RetryOn) -> bool {
    match reply {
        Ok(reply) => match reply.status {
            400..=499 => on.client_error,
            500..=599 => on.server_error,
            _ => false,
        },
        Err(Failure::Connect(_)) => on.connect,
        // An app that was killed while it answered has not answered in time either.
        Err(Failure::Timeout | Failure::Broken(_)) => on.read,
        Err(Failure::TooLarge | Failure::Lost) => false,
    }
}

fn write_down(exchange: &Exchange, call: &Call, delivery: Delivery, attempt: u32) {
    exchange.log.add(Event::Webhook {
        sid: call.sid.clone(),
        method: delivery.method.as_str().to_owned(),
        url: delivery.url.clone(),
        params: delivery.params.clone(),
        attempt,
        response: delivery.reply.as_ref().ok().map(|reply| reply.status),
        error: delivery.reply.as_ref().err().map(Failure::to_string),
        duration_ms: delivery.took.as_millis() as u64,
    });
    call.delivered(delivery);
}
