//! Only Twilio is believed.

use serde_json::json;

use super::desk::TOKEN;
use super::desk::{Desk, Keeper, Plan, RINGS};
use super::signed::{post, post_signed, sign, target};

on_each_keeper! {
    a_request_that_twilio_did_not_sign_is_refused_and_changes_nothing,
    what_twilio_signs_for_a_job_or_tag_that_is_not_ours_is_answered_and_changes_nothing,
}

async fn a_request_that_twilio_did_not_sign_is_refused_and_changes_nothing(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.calling(&[RINGS], json!({})).await;
    let job = desk.only_job(&campaign).await;
    desk.until_ringing(&job).await;
    let call = desk.call_to(RINGS);
    let before = (desk.version(&job).await, desk.events(&job).await);

    let voice = target(&call.url);
    let status = voice.replace("/voice", "/status");
    let form = [("CallSid", call.sid.as_str()), ("CallStatus", "completed")];
    for path in [&voice, &status] {
        let url = desk.public_url(path);
        let right = sign(TOKEN, &url, &form);
        let busy = [("CallSid", call.sid.as_str()), ("CallStatus", "busy")];
        for (what, signature) in [
            ("none", None),
            ("empty", Some(String::new())),
            ("no signature at all", Some("nonsense".to_owned())),
            ("of another account", Some(sign("another token", &url, &form))),
            ("with an empty token", Some(sign("", &url, &form))),
            ("of another URL", Some(sign(TOKEN, &url.replace("/v1/", "/v2/"), &form))),
            ("of another form", Some(sign(TOKEN, &url, &busy))),
            ("of no form", Some(sign(TOKEN, &url, &[]))),
            ("cut short", Some(right[..right.len() - 1].to_owned())),
        ] {
            let reply = post(&desk, path, &form, signature.as_deref()).await;
            reply.problem(403);
            assert!(!reply.body.contains(&right), "{what}: the right signature is told");
        }
        // Nor with the right one under a tag that was changed on the way.
        let elsewhere = path.replace("tag=", "tag=0");
        post(&desk, &elsewhere, &form, Some(&right)).await.problem(403);
    }
    assert_eq!((desk.version(&job).await, desk.events(&job).await), before);
    // The very same news is believed from Twilio.
    assert_eq!(post_signed(&desk, &status, &form).await.status, 204);
    assert!(desk.version(&job).await > before.0);
}

async fn what_twilio_signs_for_a_job_or_tag_that_is_not_ours_is_answered_and_changes_nothing(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.calling(&[RINGS], json!({})).await;
    let job = desk.only_job(&campaign).await;
    desk.until_ringing(&job).await;
    let call = desk.call_to(RINGS);
    let before = desk.version(&job).await;
    let foreign = "0".repeat(32);
    for query in [
        String::new(),
        "?job=job_nonsense&tag=1".to_owned(),
        format!("?job={job}"),
        format!("?job={job}&tag={foreign}"),
        format!("?job=job_{}&tag={foreign}", "0".repeat(26)),
    ] {
        let form = [("CallSid", call.sid.as_str()), ("CallStatus", "completed")];
        let reply = post_signed(&desk, &format!("/v1/twilio/voice{query}"), &form).await;
        assert_eq!(reply.status, 200);
        assert!(reply.body.contains("<Hangup/>") && !reply.body.contains("Stream"), "{query}: {}", reply.body);
        let reply = post_signed(&desk, &format!("/v1/twilio/status{query}"), &form).await;
        assert_eq!(reply.status, 204, "{query}");
    }
    // Words of Twilio's that we do not know are no errors either: they would only come again.
    let status = target(&call.url).replace("/voice", "/status");
    for form in [&[("CallSid", call.sid.as_str()), ("CallStatus", "levitating")][..], &[("CallStatus", "busy")], &[]] {
        assert_eq!(post_signed(&desk, &status, form).await.status, 204);
    }
    assert_eq!(desk.version(&job).await, before);
}

#[tokio::test]
async fn without_a_token_nobody_is_believed() {
    let settings = vec![("TWILIO_AUTH_TOKEN", "")];
    let desk = Desk::of(Plan { settings, ..Plan::default() }).await;
    let form = [("CallSid", super::signed::FOREIGN), ("CallStatus", "busy")];
    for path in ["/v1/twilio/voice", "/v1/twilio/status"] {
        let signature = sign("", &desk.public_url(path), &form);
        post(&desk, path, &form, Some(&signature)).await.problem(403);
    }
}
