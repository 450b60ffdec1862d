//! With what requests are signed, as an app sees it.

use crate::support::app::{App, sign};
use crate::support::desk::Door;
use crate::support::rest::Client;
use crate::support::{over, settings, start};
use gymcall_simulator::{Settings, Signing};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

#[tokio::test]
async fn a_shared_key_is_named_in_its_own_header() {
    let mut app = App::start("<Response/>").await;
    let signing = Signing::SharedKey { id: "k7".into(), secret: "s3cret".into() };
    let simulator = start(Settings { signing, ..settings() }).await;
    let client = Client::of(&simulator);
    client.created("+14155550101", &[("Url", &app.url("/voice?a=1"))]).await;
    let got = app.next().await;
    assert_eq!(got.header("x-twilio-webhooks-signature-settings"), "key=k7,algorithm=HMAC_SHA256");
    let mut text = app.url("/voice?a=1");
    let mut params = got.params.clone();
    params.sort();
    params.iter().for_each(|(name, value)| text += &format!("{name}{value}"));
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(text.as_bytes());
    let bytes = mac.finalize().into_bytes();
    assert_eq!(got.header("x-twilio-signature"), base64(&bytes));
}

#[tokio::test]
async fn tokens_are_changed_while_it_runs() {
    let mut app = App::start("<Response/>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let voice = app.url("/voice");
    let params = [("Url", voice.as_str())];
    for (signing, signed) in [
        (Signing::Token, true),
        (Signing::OtherToken("0".repeat(32)), false),
        (Signing::Wrong, false),
        (Signing::Token, true),
    ] {
        simulator.sign_with(signing);
        let sid = client.created("+14155550101", &params).await;
        assert_eq!(app.next().await.signed, signed);
        over(&simulator, &sid).await;
    }
    simulator.sign_with(Signing::Nothing);
    client.created("+14155550101", &params).await;
    assert!(app.next().await.headers.get("x-twilio-signature").is_none());
}

#[tokio::test]
async fn a_json_body_is_signed_by_its_hash_in_the_query() {
    let mut app = App::start("<Response/>").await;
    let simulator = start(settings()).await;
    let body = r#"{"CallSid":"CA1"}"#;
    assert_eq!(simulator.post_json(&app.url("/json?a=1"), body).await.unwrap(), 204);
    let got = app.next().await;
    let hash: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(got.uri, format!("/json?a=1&bodySHA256={hash}"));
    assert_eq!(got.header("content-type"), "application/json");
    assert_eq!(got.header("x-twilio-signature"), sign(&app.url(&got.uri), &[]));
    assert!(simulator.post_json("http://192.0.2.1/", body).await.is_err());
}

#[tokio::test]
async fn a_stream_is_signed_with_a_slash_if_so_set() {
    let door = Door::open().await;
    let app = App::start(&door.twiml("")).await;
    let simulator = start(Settings { signs_streams_with_slash: true, ..settings() }).await;
    Client::of(&simulator).created("+14155550101", &[("Url", &app.url("/voice"))]).await;
    let desk = door.accept().await;
    assert_eq!(desk.request.headers()["x-twilio-signature"], sign(&format!("{}/", door.url()), &[]));
    assert_eq!(desk.request.uri(), "/media");
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
