//! Our own address as Twilio sees it.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// An address that Twilio could not use, or that is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// The scheme is none of those that apply.
    #[error("the public base URL must start with http:// or https://")]
    Scheme,
    /// There is no host.
    #[error("the URL has no host")]
    Host,
}

/// `PUBLIC_BASE_URL`: how Twilio reaches us.
///
/// Every URL that we hand to Twilio and every URL that we check a signature over is
/// made here. The `Host` and `X-Forwarded-*` headers are never asked: whoever sends a
/// request writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicBase {
    http: Url,
    ws: Url,
}

impl PublicBase {
    /// Takes the base URL; a path in it is a prefix of every path of ours.
    ///
    /// User, password, query and fragment are dropped: Twilio signs without the first
    /// two, and the others have no meaning in a base.
    pub fn new(base: &Url) -> Result<Self, PublicUrlError> {
        let socket = match base.scheme() {
            "http" => "ws",
            "https" => "wss",
            _ => return Err(PublicUrlError::Scheme),
        };
        let mut http = base.clone();
        http.set_query(None);
        http.set_fragment(None);
        http.set_username("").map_err(|()| PublicUrlError::Host)?;
        http.set_password(None).map_err(|()| PublicUrlError::Host)?;
        let mut ws = http.clone();
        ws.set_scheme(socket).map_err(|()| PublicUrlError::Scheme)?;
        Ok(Self { http, ws })
    }

    /// The path that stands before every path of ours; empty if there is none.
    pub fn prefix(&self) -> &str {
        self.http.path().trim_end_matches('/')
    }

    /// The address of one of our paths, which starts with `/`.
    pub fn http_url(&self, path: &str) -> Url {
        below(&self.http, path)
    }

    /// The address of one of our paths as a socket: `ws` for `http`, `wss` for `https`.
    pub fn ws_url(&self, path: &str) -> Url {
        below(&self.ws, path)
    }

    /// The URL that Twilio requested, from the path and the query as they came.
    pub fn requested(&self, path: &str, raw_query: Option<&str>) -> PublicUrl {
        joined(&self.http, path, raw_query)
    }

    /// The URL of a socket that Twilio opened, from the path and the query as they came.
    pub fn opened(&self, path: &str, raw_query: Option<&str>) -> PublicUrl {
        joined(&self.ws, path, raw_query)
    }
}

fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let prefix = base.path().trim_end_matches('/');
    url.set_path(&[prefix, path].concat());
    url
}

/// Twilio signs the bytes it sent. A URL parser would tidy the percent-encoding, and a
/// true signature would then look false: so this joins text.
fn joined(base: &Url, path: &str, raw_query: Option<&str>) -> PublicUrl {
    let mut text = base.as_str().trim_end_matches('/').to_owned();
    text.push_str(path);
    if let Some(query) = raw_query {
        text.push('?');
        text.push_str(query);
    }
    PublicUrl::from_parts(&text)
}

/// A URL that Twilio used, byte for byte, without user, password and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    scheme: String,
    host: String,
    port: Option<String>,
    /// The path and, after `?`, the query.
    rest: String,
}

impl PublicUrl {
    fn from_parts(text: &str) -> Self {
        let text = text.split_once('#').map_or(text, |(before, _)| before);
        let (scheme, after) = text.split_once("://").unwrap_or(("", text));
        let end = after.find(['/', '?']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = match authority.rsplit_once(':') {
            // `[::1]` has colons and no port.
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, Some(port)),
            _ => (authority, None),
        };
        Self { scheme: scheme.to_owned(), host: host.to_owned(), port: port.map(str::to_owned), rest: rest.to_owned() }
    }

    /// The query as it came, without `?`.
    pub fn query(&self) -> Option<&str> {
        self.rest.split_once('?').map(|(_, query)| query)
    }

    /// The forms over which Twilio may have signed: without the port, and with it.
    ///
    /// Twilio keeps the port of http callbacks and drops that of https ones. Its own
    /// libraries try both, and add the scheme's port where none is written.
    pub(super) fn signed_forms(&self) -> [String; 2] {
        let default = if matches!(self.scheme.as_str(), "https" | "wss") { "443" } else { "80" };
        let port = self.port.as_deref().unwrap_or(default);
        [
            [&self.scheme, "://", &self.host, &self.rest].concat(),
            [&self.scheme, "://", &self.host, ":", port, &self.rest].concat(),
        ]
    }

    /// The form over which Twilio does sign: https without the port, http as it is.
    pub(super) fn as_twilio_signs(&self) -> String {
        let [without_port, _] = self.signed_forms();
        if matches!(self.scheme.as_str(), "https" | "wss") { without_port } else { self.to_string() }
    }

    /// The same URL with a slash at the end of its path where it has none, and the
    /// other way round.
    pub(super) fn with_slash_toggled(&self) -> Self {
        let (path, query) = match self.rest.find('?') {
            Some(at) => self.rest.split_at(at),
            None => (self.rest.as_str(), ""),
        };
        let rest = match path.strip_suffix('/') {
            Some(bare) => [bare, query].concat(),
            None => [path, "/", query].concat(),
        };
        Self { rest, ..self.clone() }
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let url = Self::from_parts(text);
        if !matches!(url.scheme.as_str(), "http" | "https" | "ws" | "wss") {
            return Err(PublicUrlError::Scheme);
        }
        if url.host.is_empty() {
            return Err(PublicUrlError::Host);
        }
        Ok(url)
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if let Some(port) = &self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(&self.rest)
    }
}
