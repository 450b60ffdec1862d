//! Only what Twilio signed is believed, in every form in which Twilio signs.
use axum::http::{HeaderMap, HeaderValue};
use gymcall::twilio::public_url::{PublicBase, PublicUrl};
use gymcall::twilio::signature::{Proof, Verifier, WebhookKeys, WebhookKeysError, decode_form, decode_json};
use proptest::prelude::*;
use serde::Deserialize;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

#[derive(Deserialize)]
struct Vector {
    name: String,
    url: String,
    params: Vec<(String, String)>,
    token: String,
    signature: String,
    body: Option<String>,
}

fn verifier(token: &str) -> Verifier {
    Verifier::new(token.to_owned().into())
}

fn url(text: &str) -> PublicUrl {
    text.parse().unwrap()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// Signs by the algorithm as documented, in its own words.
fn sign(text: &str) -> String {
    use base64::Engine;
    use hmac::Mac;
    let mut mac = hmac::Hmac::<sha1::Sha1>::new_from_slice(TOKEN.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

#[test]
fn every_vector_that_twilios_own_library_made_is_accepted() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("signature-vectors.json")).unwrap();
    assert_eq!(vectors.len(), 14);
    for vector in vectors {
        let (verifier, url) = (verifier(&vector.token), url(&vector.url));
        let verified = match &vector.body {
            Some(body) => verifier.verify_body(&url, body.as_bytes(), &*vector.signature),
            None if vector.url.starts_with("ws") => verifier.verify_upgrade(&url, &*vector.signature),
            None => verifier.verify_form(&url, &vector.params, &*vector.signature),
        };
        assert_eq!(verified, Ok(()), "{}", vector.name);
        let other = self::verifier("another token");
        let refused = match &vector.body {
            Some(body) => other.verify_body(&url, body.as_bytes(), &*vector.signature),
            None => other.verify_form(&url, &vector.params, &*vector.signature),
        };
        assert!(refused.is_err(), "{}", vector.name);
    }
}

#[test]
fn the_example_of_the_documentation_is_accepted() {
    let params = pairs(&[
        ("Digits", "1234"),
        ("To", "+18005551212"),
        ("From", "+14158675310"),
        ("Caller", "+14158675310"),
        ("CallSid", "CA1234567890ABCDE"),
    ]);
    let url = url("https://example.com/myapp.php?foo=1&bar=2");
    assert_eq!(verifier("12345").verify_form(&url, &params, "L/OH5YylLD5NRKLltdqwSvS0BnU="), Ok(()));
}

#[test]
fn the_port_user_and_fragment_are_judged_as_twilio_signs() {
    let table = [
        ("https://h/x", "https://h:443/x", true),
        ("https://h:443/x", "https://h/x", true),
        ("https://h/x", "https://h:8443/x", true),
        ("https://h:8443/x", "https://h/x", false),
        ("http://h/x", "http://h:8080/x", true),
        ("http://h:8080/x", "http://h/x", false),
        ("http://h:8080/x", "http://h:8080/x", true),
        ("https://h/x", "https://h/x#rc=2", true),
        ("https://h/x", "https://u:p@h/x", true),
        ("https://h/x", "https://u:p@h:8443/x#rc=2", true),
        ("https://h/x/", "https://h/x", false),
        ("https://h/x", "http://h/x", false),
        ("https://h/x", "wss://h/x", false),
        ("https://h/x?a=b%20c", "https://h/x?a=b+c", false),
        ("http://[::1]/x", "http://[::1]:8080/x", true),
        ("http://[::1]:8080/x", "http://[::1]:8080/x", true),
    ];
    for (signed, known, accepted) in table {
        let verified = verifier(TOKEN).verify_form(&url(known), &[], &*sign(signed));
        assert_eq!(verified.is_ok(), accepted, "signed over {signed}, known as {known}");
    }
}

#[test]
fn an_upgrade_is_accepted_with_and_without_the_last_slash() {
    let base = PublicBase::new(&"https://gym.example/".parse().unwrap()).unwrap();
    let opened = base.opened("/v1/twilio/stream", None);
    for (signed, accepted) in [
        ("wss://gym.example/v1/twilio/stream", true),
        ("wss://gym.example/v1/twilio/stream/", true),
        ("wss://gym.example:443/v1/twilio/stream", true),
        ("https://gym.example/v1/twilio/stream", false),
        ("ws://gym.example/v1/twilio/stream", false),
        ("wss://gym.example/v1/twilio/streams", false),
    ] {
        let verified = verifier(TOKEN).verify_upgrade(&opened, &*sign(signed));
        assert_eq!(verified.is_ok(), accepted, "{signed}");
    }
    let slash = base.opened("/v1/twilio/stream/", None);
    let signature = sign("wss://gym.example/v1/twilio/stream");
    assert!(verifier(TOKEN).verify_upgrade(&slash, &*signature).is_ok());
}

#[test]
fn the_url_comes_from_our_settings_and_keeps_the_query_byte_for_byte() {
    for (base, expected) in [
        ("https://gym.example", "https://gym.example/v1/x?a=%2f+%20&&b"),
        ("https://gym.example:443/", "https://gym.example/v1/x?a=%2f+%20&&b"),
        ("https://u:p@gym.example/calls/?x#y", "https://gym.example/calls/v1/x?a=%2f+%20&&b"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1/x?a=%2f+%20&&b"),
    ] {
        let base = PublicBase::new(&base.parse().unwrap()).unwrap();
        assert_eq!(base.requested("/v1/x", Some("a=%2f+%20&&b")).to_string(), expected);
        assert_eq!(base.opened("/v1/x", Some("a=%2f+%20&&b")).to_string(), expected.replacen("http", "ws", 1));
    }
    for base in ["ftp://gym.example", "wss://gym.example"] {
        assert!(PublicBase::new(&base.parse().unwrap()).is_err(), "{base}");
    }
    assert!("gym.example/x".parse::<PublicUrl>().is_err());
    assert!("https:///x".parse::<PublicUrl>().is_err());
}

#[test]
fn a_body_that_is_not_the_signed_one_is_refused() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("signature-vectors.json")).unwrap();
    let vector = vectors.into_iter().find(|vector| vector.body.is_some()).unwrap();
    let verifier = verifier(TOKEN);
    let body = vector.body.unwrap();
    assert!(verifier.verify_body(&url(&vector.url), body.as_bytes(), &*vector.signature).is_ok());
    assert!(verifier.verify_body(&url(&vector.url), b"{}", &*vector.signature).is_err());
    // Without a hash in the signed URL nothing vouches for the body.
    let bare = "https://agent.example.com/x";
    assert!(verifier.verify_body(&url(bare), body.as_bytes(), &*sign(bare)).is_err());
}

#[test]
fn an_empty_token_or_signature_proves_nothing() {
    use base64::Engine;
    use hmac::Mac;
    let mut mac = hmac::Hmac::<sha1::Sha1>::new_from_slice(b"").unwrap();
    mac.update(b"https://h/x");
    let by_anybody = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    assert!(verifier("").verify_form(&url("https://h/x"), &[], &*by_anybody).is_err());
    assert!(verifier(TOKEN).verify_form(&url("https://h/x"), &[], "").is_err());
    assert!(!format!("{:?}", verifier(TOKEN)).contains(TOKEN));
}

#[test]
fn a_form_keeps_duplicates_blanks_and_spaces() {
    let decoded = decode_form("Digits=5&Digits=5&CallerName=&To=%2B1415&Said=+a+%20b%20&Ort=M%C3%BCnchen".as_bytes());
    let expected =
        [("Digits", "5"), ("Digits", "5"), ("CallerName", ""), ("To", "+1415"), ("Said", " a  b "), ("Ort", "München")];
    assert_eq!(decoded, pairs(&expected));
}

/// The proof that these headers bring.
fn proof(headers: &[(&'static str, &str)]) -> Proof {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    Proof::of(&map)
}

const SIGNATURE: &str = "x-twilio-signature";
const SETTINGS: &str = "x-twilio-webhooks-signature-settings";

#[test]
fn a_shared_key_signs_with_sha256_and_only_as_its_header_says() {
    let by_key = "zyckdPoQpCJk/KhYlLMflqgMh912lsu9ugDe3/C/cYc=";
    let (voice, params) = (url("https://agent.example.com/twilio/voice"), pairs(&[("CallSid", "CA1")]));
    let by_token = sign("https://agent.example.com/twilio/voiceCallSidCA1");
    let keys: WebhookKeys = format!("WK1:{TOKEN},WK2:another").parse().unwrap();
    let verifier = verifier(TOKEN).with_keys(keys);
    let verify = |headers: &[(&'static str, &str)]| verifier.verify_form(&voice, &params, proof(headers)).is_ok();

    for settings in [
        "key=WK1,algorithm=HMAC_SHA256",
        "algorithm=HMAC_SHA256,key=WK1",
        " key=WK1 , algorithm=HMAC_SHA256",
        "key=WK1,algorithm=HMAC_SHA256,since=2026",
    ] {
        assert!(verify(&[(SIGNATURE, by_key), (SETTINGS, settings)]), "{settings}");
        // With that header there is one way, and the account's token is not it.
        assert!(!verify(&[(SIGNATURE, &by_token), (SETTINGS, settings)]), "{settings}");
    }
    for settings in [
        "",
        "key=WK1",
        "algorithm=HMAC_SHA256",
        "key=WK3,algorithm=HMAC_SHA256",
        "key=WK2,algorithm=HMAC_SHA256",
        "key=,algorithm=HMAC_SHA256",
        "key=wk1,algorithm=HMAC_SHA256",
        "key=WK1,algorithm=HMAC_SHA1",
        "key=WK1,algorithm=none",
        "key=WK1,key=WK1,algorithm=HMAC_SHA256",
        "key=WK1,algorithm=HMAC_SHA256,algorithm=HMAC_SHA1",
        "nonsense",
    ] {
        assert!(!verify(&[(SIGNATURE, by_key), (SETTINGS, settings)]), "{settings}");
        assert!(!verify(&[(SIGNATURE, &by_token), (SETTINGS, settings)]), "downgraded: {settings}");
    }
    // Without that header it is the token's; twice, neither counts.
    assert!(verify(&[(SIGNATURE, &by_token)]) && !verify(&[(SIGNATURE, by_key)]) && !verify(&[]));
    let settings = "key=WK1,algorithm=HMAC_SHA256";
    assert!(!verify(&[(SIGNATURE, by_key), (SETTINGS, settings), (SETTINGS, settings)]));
    assert!(!verify(&[(SIGNATURE, &by_token), (SIGNATURE, &by_token)]));
}

#[test]
fn either_of_two_tokens_is_accepted_and_no_third() {
    let verifier = Verifier::new("primary".to_owned().into()).with_secondary(TOKEN.to_owned().into());
    let h = url("https://h/x");
    assert!(verifier.verify_form(&h, &[], &*sign("https://h/x")).is_ok());
    assert!(verifier.verify_upgrade(&url("wss://h/x"), &*sign("wss://h/x")).is_ok());
    let third = Verifier::new("primary".to_owned().into()).with_secondary("third".to_owned().into());
    assert!(third.verify_form(&h, &[], &*sign("https://h/x")).is_err());
}

#[test]
fn shared_keys_are_read_as_they_are_written_and_never_shown() {
    let keys: WebhookKeys = " WK1:one:two , WK2:three,".parse().unwrap();
    assert_eq!(keys.ids().collect::<Vec<_>>(), ["WK1", "WK2"]);
    assert!(!format!("{keys:?}").contains("one") && format!("{keys:?}").contains("WK1"));
    for (text, error) in [
        ("WK1", WebhookKeysError::Form),
        (":x", WebhookKeysError::Form),
        ("WK1:", WebhookKeysError::Form),
        ("WK1:x,WK1:y", WebhookKeysError::Twice),
    ] {
        assert_eq!(text.parse::<WebhookKeys>().unwrap_err(), error, "{text}");
    }
}

#[test]
fn a_json_body_is_read_as_the_form_that_it_stands_for() {
    let body =
        r#"{"CallSid":"CA1","SequenceNumber":3,"Final":true,"Nothing":null,"Parts":["x"],"More":{"CallSid":"CA2"}}"#;
    let mut read = decode_json(body.as_bytes());
    read.sort();
    assert_eq!(read, pairs(&[("CallSid", "CA1"), ("Final", "true"), ("SequenceNumber", "3")]));
    for odd in ["", "[]", "3", "{", "null"] {
        assert!(decode_json(odd.as_bytes()).is_empty(), "{odd}");
    }
}

/// A signed request: its names are distinct, so that no change is hidden by a duplicate.
fn requests() -> impl Strategy<Value = (String, Vec<(String, String)>)> {
    let url = "https://[a-z]{1,8}\\.example/[a-z/]{0,12}(\\?[a-z]{1,4}=[a-zA-Z0-9%]{0,8})?";
    let params = proptest::collection::btree_map("[A-Z][a-z]{1,8}", "[ -~é東]{0,12}", 1..6);
    (url, params.prop_map(|params| params.into_iter().collect()))
}

fn signature_of(url: &str, params: &[(String, String)]) -> String {
    let mut params = params.to_vec();
    params.sort();
    sign(&params.iter().fold(url.to_owned(), |text, (name, value)| text + name + value))
}

/// The text with one character replaced by another.
fn with_other_char(text: &str, at: prop::sample::Index) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = at.index(chars.len());
    chars[at] = if chars[at] == 'q' { 'z' } else { 'q' };
    chars.into_iter().collect()
}

proptest! {
    #[test]
    fn a_signed_request_is_accepted_in_any_order_of_its_form(
        (url, params) in requests().prop_flat_map(|(url, params)| (Just(url), Just(params).prop_shuffle())),
    ) {
        let signature = signature_of(&url, &params);
        prop_assert!(verifier(TOKEN).verify_form(&self::url(&url), &params, &*signature).is_ok());
    }

    #[test]
    fn any_change_is_refused((url, params) in requests(), at: prop::sample::Index, which: prop::sample::Index) {
        let verifier = verifier(TOKEN);
        let signature = signature_of(&url, &params);
        let which = which.index(params.len());
        let refused = |url: &str, params: &[(String, String)], signature: &str| {
            verifier.verify_form(&self::url(url), params, signature).is_err()
        };

        let after_scheme = url.strip_prefix("https://").unwrap();
        let other_url = format!("https://{}", with_other_char(after_scheme, at));
        prop_assert!(refused(&other_url, &params, &signature), "url {}", other_url);
        prop_assert!(refused(&(url.clone() + "x"), &params, &signature));

        let mut other = params.clone();
        other[which].1.push('x');
        prop_assert!(refused(&url, &other, &signature), "longer value");
        let mut other = params.clone();
        other[which].0 = with_other_char(&other[which].0, at);
        prop_assert!(refused(&url, &other, &signature), "name");
        if !params[which].1.is_empty() {
            let mut other = params.clone();
            other[which].1 = with_other_char(&other[which].1, at);
            prop_assert!(refused(&url, &other, &signature), "value");
        }
        let mut other = params.clone();
        other.remove(which);
        prop_assert!(refused(&url, &other, &signature), "left out");
        let mut other = params.clone();
        other.push(("Added".to_owned(), String::new()));
        prop_assert!(params.iter().any(|(name, _)| name == "Added") || refused(&url, &other, &signature));

        prop_assert!(refused(&url, &params, &with_other_char(&signature, at)), "signature");
        prop_assert!(refused(&url, &params, &signature[..signature.len() - 1]));
        prop_assert!(refused(&url, &params, &(signature.clone() + "=")));
    }
}
