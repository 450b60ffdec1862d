//! `X-Twilio-Signature`: how a webhook proves that it comes from the account's holder.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// With what webhooks and streams are signed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Signing {
    /// HMAC-SHA1 with the account's token.
    #[default]
    Token,
    /// HMAC-SHA1 with another token: the secondary one while tokens are changed, or a stranger's.
    OtherToken(String),
    /// HMAC-SHA256 with a secret that both sides hold, whose `id` is named in the header
    /// `X-Twilio-Webhooks-Signature-Settings`.
    SharedKey {
        /// Its name.
        id: String,
        /// The key itself.
        secret: String,
    },
    /// As the token signs, with the last bytes changed: never valid.
    Wrong,
    /// Not at all: the header is missing.
    Nothing,
}

impl Signing {
    /// The headers that prove a request to `url` with the form `params`; `token` is the account's.
    /// `url` is as requested, with its query and without its fragment. Parameters that travel in the
    /// query are part of the URL and not given again.
    pub(crate) fn headers(&self, token: &str, url: &str, params: &[(String, String)]) -> Vec<(&'static str, String)> {
        let text = signed_text(url, params);
        match self {
            Signing::Token => vec![(SIGNATURE, code::<Hmac<Sha1>>(token, &text))],
            Signing::OtherToken(other) => vec![(SIGNATURE, code::<Hmac<Sha1>>(other, &text))],
            Signing::SharedKey { id, secret } => vec![
                (SIGNATURE, code::<Hmac<Sha256>>(secret, &text)),
                (SIGNATURE_SETTINGS, format!("key={id},algorithm=HMAC_SHA256")),
            ],
            Signing::Wrong => {
                let right = code::<Hmac<Sha1>>(token, &text);
                let wrong = format!("{}AAAA=", &right[..right.len().saturating_sub(5)]);
                vec![(SIGNATURE, if wrong == right { right.replace("AAAA=", "BBBB=") } else { wrong })]
            }
            Signing::Nothing => Vec::new(),
        }
    }
}

const SIGNATURE: &str = "X-Twilio-Signature";
const SIGNATURE_SETTINGS: &str = "X-Twilio-Webhooks-Signature-Settings";

/// `url`, and then every distinct parameter's name and value in byte order.
fn signed_text(url: &str, params: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = params.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut text = url.to_owned();
    for (name, value) in sorted {
        text += name;
        text += value;
    }
    text
}

fn code<M: Mac + hmac::digest::KeyInit>(key: &str, text: &str) -> String {
    // HMAC takes a key of any length, so this cannot fail.
    let Ok(mut mac) = <M as Mac>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// What a JSON webhook carries in its query as `bodySHA256`, in lower-case hexadecimal.
pub(crate) fn body_hash(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Signing, body_hash};

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn sign(token: &str, url: &str, params: &[(String, String)]) -> String {
        Signing::Token.headers(token, url, params).remove(0).1
    }

    fn params(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn signs_as_twilio_does() {
        type Vector<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
        let vectors: &[Vector<'_>] = &[
            (
                "https://agent.example.com/twilio/voice",
                &[
                    ("CallSid", "CA00000000000000000000000000000001"),
                    ("AccountSid", "AC00000000000000000000000000000000"),
                    ("From", "+15005550006"),
                    ("To", "+14155550100"),
                    ("CallStatus", "in-progress"),
                    ("Direction", "outbound-api"),
                    ("ApiVersion", "2010-04-01"),
                ],
                "bBluQzdfWF+QEdDVYLuiWQHrKRc=",
            ),
            (
                "https://agent.example.com/twilio/status?job=42&tok=a%2Fb%20c",
                &[
                    ("CallSid", "CA00000000000000000000000000000001"),
                    ("CallStatus", "completed"),
                    ("CallDuration", "17"),
                    ("SequenceNumber", "3"),
                ],
                "fl9KFHp3sXtm18s0ZwR2wzsAnTU=",
            ),
            (
                "https://agent.example.com/twilio/gather",
                &[
                    ("SpeechResult", "où est l’église ? 東京 +1 & co"),
                    ("Confidence", "0.91"),
                    ("CallerCity", "SÃO PAULO"),
                ],
                "au6I05ZOpJanNa0GiQ27k+IGC1k=",
            ),
            (
                "https://agent.example.com/twilio/voice",
                &[("CallerName", ""), ("ForwardedFrom", ""), ("CallSid", "CA2")],
                "9OR89winMB8SS2AZZm89snlechM=",
            ),
            (
                "https://agent.example.com/twilio/multi",
                &[("StatusCallbackEvent", "ringing"), ("StatusCallbackEvent", "answered"), ("A", "1")],
                "N3Wsn+NVPlmTd2MNobeJ33u6p40=",
            ),
            (
                "https://agent.example.com/twilio/multi",
                &[("Digits", "5"), ("Digits", "5"), ("A", "1")],
                "olrY8QBROD+Bk8U5r2DoNhasA0c=",
            ),
            (
                "http://127.0.0.1:8080/twilio/status",
                &[("CallSid", "CA00000000000000000000000000000001"), ("CallStatus", "ringing")],
                "1Mm81IYehpe72VtYwY9nSOxT1Os=",
            ),
            (
                "https://agent.example.com/twilio/voice?CallSid=CA1&From=%2B15005550006&CallStatus=ringing",
                &[],
                "yUCliXZqH0LC6nU5v/zjDRc4Vi4=",
            ),
            ("wss://agent.example.com/media", &[], "JciMyB+ZAO77W9pFJQyhg1uyyQQ="),
            (
                "https://agent.example.com/x",
                &[("b", "2"), ("B", "1"), ("a", "3"), ("_c", "4")],
                "MEf3FREyiaA1XgnmvVQ5LVlLH30=",
            ),
            ("ws://127.0.0.1:8080/media", &[], "Li79bytPrTFKs9QqAU3+yWThhxM="),
        ];
        for (url, pairs, signature) in vectors {
            assert_eq!(sign(TOKEN, url, &params(pairs)), *signature, "{url}");
        }
        assert_eq!(
            sign(
                "12345",
                "https://example.com/myapp.php?foo=1&bar=2",
                &params(&[
                    ("Digits", "1234"),
                    ("To", "+18005551212"),
                    ("From", "+14158675310"),
                    ("Caller", "+14158675310"),
                    ("CallSid", "CA1234567890ABCDE"),
                ])
            ),
            "L/OH5YylLD5NRKLltdqwSvS0BnU="
        );
    }

    #[test]
    fn a_shared_key_signs_with_sha256_and_says_so() {
        let signing = Signing::SharedKey { id: "k1".into(), secret: TOKEN.into() };
        let headers =
            signing.headers("unused", "https://agent.example.com/twilio/voice", &params(&[("CallSid", "CA1")]));
        assert_eq!(headers[0].1, "zyckdPoQpCJk/KhYlLMflqgMh912lsu9ugDe3/C/cYc=");
        assert_eq!(headers[1].1, "key=k1,algorithm=HMAC_SHA256");
    }

    #[test]
    fn other_tokens_and_broken_signatures_do_not_verify() {
        let url = "https://h/x";
        let right = sign(TOKEN, url, &[]);
        let other = Signing::OtherToken("12345".into());
        assert_eq!(other.headers(TOKEN, url, &[])[0].1, sign("12345", url, &[]));
        let wrong = Signing::Wrong.headers(TOKEN, url, &[]).remove(0).1;
        assert!(wrong != right && wrong.len() == right.len());
        assert!(Signing::Nothing.headers(TOKEN, url, &[]).is_empty());
    }

    #[test]
    fn a_json_body_is_named_by_its_hash() {
        let body = br#"{"CallSid":"CA1234567890ABCDE","Caller":"+12349013030"}"#;
        assert_eq!(body_hash(body), "5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9");
    }
}
