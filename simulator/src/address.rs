//! A URL to be requested, kept to the byte: what is signed must be what was written.

use url::{Host, Url};

/// Where a webhook or a stream goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) scheme: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query, percent-encoding untouched.
    pub(crate) target: String,
    /// The whole URL without user and fragment: this is what is signed.
    pub(crate) exact: String,
    /// What follows `#`: Twilio's connection overrides. Never sent.
    pub(crate) fragment: String,
    pub(crate) loopback: bool,
    /// User and password of the URL, as HTTP's Basic scheme wants them. Never sent unasked.
    pub(crate) user: Option<String>,
}

impl Address {
    /// Reads an absolute URL; `None` if it is none or names no host.
    pub(crate) fn parse(text: &str) -> Option<Address> {
        // It is sent as it is written: a space or the end of a line would make another request of it.
        if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let (host, loopback) = match url.host()? {
            Host::Domain(name) => (name.to_owned(), name == "localhost" || name.ends_with(".localhost")),
            Host::Ipv4(ip) => (ip.to_string(), ip.is_loopback()),
            Host::Ipv6(ip) => (ip.to_string(), ip.is_loopback()),
        };
        let port = url.port().or_else(|| default_port(url.scheme()))?;
        let (whole, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (scheme, rest) = whole.split_once("://")?;
        let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(path_at);
        let authority = authority.rsplit('@').next().unwrap_or(authority);
        let decoded = |text: &str| percent_decoded(text.as_bytes());
        let user = (!url.username().is_empty())
            .then(|| format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default())));
        Some(Address {
            scheme: url.scheme().to_owned(),
            host,
            port,
            target: match target.chars().next() {
                None => "/".to_owned(),
                Some('?') => format!("/{target}"),
                Some(_) => target.to_owned(),
            },
            exact: format!("{scheme}://{authority}{target}"),
            fragment: fragment.to_owned(),
            loopback,
            user,
        })
    }

    /// The same address with `params` added to its query, for a GET webhook.
    pub(crate) fn with_query(&self, params: &[(String, String)]) -> Address {
        if params.is_empty() {
            return self.clone();
        }
        let query: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        let joint = if self.target.contains('?') { '&' } else { '?' };
        Address {
            target: format!("{}{joint}{query}", self.target),
            exact: format!("{}{joint}{query}", self.exact),
            ..self.clone()
        }
    }

    /// The `Host` header: IPv6 in brackets, and no port where it is the scheme's own. An app may build
    /// the URL that it verifies from it.
    pub(crate) fn host_header(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if Some(self.port) == default_port(&self.scheme) { host } else { format!("{host}:{}", self.port) }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

/// What `%40` and the like stand for.
fn percent_decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `reference` as seen from `base`, which may be absent (inline documents have none).
pub(crate) fn resolve(base: Option<&str>, reference: &str) -> Option<String> {
    if Url::parse(reference).is_ok() {
        return Some(reference.to_owned());
    }
    let base = Url::parse(base?).ok()?;
    Some(base.join(reference).ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_url_as_written_but_for_user_and_fragment() {
        let address = Address::parse("http://me:pw@127.0.0.1:4010/p?x=a%2Fb%20c#rc=2&rp=5xx").unwrap();
        assert_eq!(address.exact, "http://127.0.0.1:4010/p?x=a%2Fb%20c");
        assert_eq!(address.target, "/p?x=a%2Fb%20c");
        assert_eq!(address.fragment, "rc=2&rp=5xx");
        assert_eq!(address.host_header(), "127.0.0.1:4010");
        assert!(address.loopback);
        for (url, host) in [
            ("http://h/x", "h"),
            ("http://h:80/x", "h"),
            ("https://h/x", "h"),
            ("http://h:443/x", "h:443"),
            ("http://[::1]/x", "[::1]"),
            ("http://[::1]:81/x", "[::1]:81"),
        ] {
            assert_eq!(Address::parse(url).unwrap().host_header(), host, "{url}");
        }
        assert_eq!(address.user.as_deref(), Some("me:pw"));
        let odd = Address::parse("http://a%40b:p%3Aw@h/").unwrap();
        assert_eq!((odd.exact.as_str(), odd.user.as_deref()), ("http://h/", Some("a@b:p:w")));
        assert_eq!(Address::parse("http://h/@x").unwrap().user, None);
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (url, loopback) in [
            ("http://localhost:1/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]:80/", true),
            ("http://10.0.0.1/", false),
            ("https://agent.example.com/", false),
            ("http://localhost.example.com/", false),
        ] {
            assert_eq!(Address::parse(url).unwrap().loopback, loopback, "{url}");
        }
        assert!(Address::parse("/relative").is_none());
    }

    #[test]
    fn a_get_webhook_carries_its_parameters_in_the_query() {
        let address = Address::parse("http://127.0.0.1/p?a=1").unwrap();
        let address = address.with_query(&[("To".into(), "+1 2".into())]);
        assert_eq!(address.exact, "http://127.0.0.1/p?a=1&To=%2B1+2");
    }

    #[test]
    fn relative_urls_resolve_against_their_document() {
        let base = Some("http://127.0.0.1:1/a/voice?x=1");
        assert_eq!(resolve(base, "next").as_deref(), Some("http://127.0.0.1:1/a/next"));
        assert_eq!(resolve(None, "next"), None);
        assert_eq!(resolve(None, "ws://h/x").as_deref(), Some("ws://h/x"));
    }
}
