//! What Twilio signs with changes while calls go on.

use gymcall_simulator::Signing;
use serde_json::json;

use super::desk::{ANSWERS, Desk, Keeper, Plan, RINGS};
use super::signed::{post, sign, target};

const SECONDARY: &str = "fedcba9876543210fedcba9876543210";
const KEY: &str = "a secret of ours and Twilio's";

async fn desk(settings: Vec<(&'static str, &'static str)>) -> Desk {
    Desk::of(Plan { settings, ..Plan::default() }).await
}

/// A whole call, signed like this throughout.
async fn is_called(desk: &Desk, signing: Signing) {
    desk.twilio.sign_with(signing);
    let campaign = desk.calling(&[ANSWERS], json!({})).await;
    assert_eq!(desk.finished(&campaign).await[0]["outcome"], "answered");
}

#[tokio::test]
async fn during_a_rotation_webhooks_and_streams_of_both_tokens_are_believed() {
    let desk = desk(vec![("TWILIO_AUTH_TOKEN_SECONDARY", SECONDARY)]).await;
    is_called(&desk, Signing::Token).await;
    is_called(&desk, Signing::OtherToken(SECONDARY.to_owned())).await;
    let form = [("CallSid", super::signed::FOREIGN), ("CallStatus", "busy")];
    let path = "/v1/twilio/status";
    for (token, status) in [(SECONDARY, 204), ("a third token", 403), ("", 403)] {
        let signature = sign(token, &desk.public_url(path), &form);
        assert_eq!(post(&desk, path, &form, Some(&signature)).await.status, status, "{token:?}");
    }
}

#[tokio::test]
async fn webhooks_and_streams_may_be_signed_with_a_shared_key() {
    let keys = "other:x,WK1:a secret of ours and Twilio's";
    let desk = desk(vec![("TWILIO_WEBHOOK_KEYS", keys)]).await;
    is_called(&desk, Signing::SharedKey { id: "WK1".to_owned(), secret: KEY.to_owned() }).await;
    is_called(&desk, Signing::Token).await;
}

#[tokio::test]
async fn a_signed_json_body_is_read_by_the_names_of_the_form() {
    let desk = Desk::on(Keeper::Embedded).await;
    let campaign = desk.calling(&[RINGS], json!({})).await;
    let job = desk.only_job(&campaign).await;
    desk.until_ringing(&job).await;
    let call = desk.call_to(RINGS);
    let status = desk.public_url(&target(&call.url).replace("/voice", "/status"));
    let post = async |body: &str| desk.twilio.post_json(&status, body).await.unwrap();

    // What means nothing changes nothing, and is no error either: it would only come again.
    let before = desk.version(&job).await;
    for body in ["", "[]", "{", "{\"CallSid\": null}", "{\"CallSid\": {\"CallStatus\": \"busy\"}}"] {
        assert_eq!(post(body).await, 204, "{body}");
    }
    assert_eq!(desk.version(&job).await, before);
    let news = json!({"CallSid": call.sid, "CallStatus": "busy", "SequenceNumber": 2});
    desk.twilio.sign_with(Signing::Wrong);
    assert_eq!(post(&news.to_string()).await, 403);
    desk.twilio.sign_with(Signing::Token);
    assert_eq!(post(&news.to_string()).await, 204);
    assert_eq!(desk.job(&job).await["attempts"][0]["status"], "busy");
}

#[tokio::test]
async fn a_json_body_whose_hash_is_not_signed_is_refused() {
    let desk = Desk::on(Keeper::Embedded).await;
    let path = "/v1/twilio/status";
    let signature = sign(super::desk::TOKEN, &desk.public_url(path), &[]);
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        let request = desk.http.request(reqwest::Method::POST, path).header("content-type", kind);
        let request = request.header("x-twilio-signature", &signature).body("{\"CallStatus\":\"busy\"}");
        super::http::reply(request).await.problem(403);
    }
}
