//! `X-Twilio-Signature`: how a webhook proves that it comes from the account's holder.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;

/// Base64 of HMAC-SHA1, keyed with the auth token, over `url` and then every distinct parameter's
/// name and value in byte order. `url` is as requested, with its query and without its fragment.
/// Parameters that travel in the query are part of the URL and not given again.
pub(crate) fn sign(token: &str, url: &str, params: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = params.iter().collect();
    sorted.sort();
    sorted.dedup();
    // HMAC takes a key of any length, so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else {
        return String::new();
    };
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::sign;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

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
}
