//! Two of Twilio's calls claim one attempt.

use gymcall_simulator::{Event, Status};
use serde_json::json;

use super::desk::{ANSWERS, Desk, FROM, Keeper, RINGS, TOKEN, job_and_tag};
use super::signed::{FOREIGN, post_signed, target};

on_each_keeper! {
    a_second_call_for_one_attempt_is_let_go_and_the_first_is_not_disturbed,
    a_second_call_is_hung_up_at_twilio,
}

async fn a_second_call_for_one_attempt_is_let_go_and_the_first_is_not_disturbed(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.calling(&[ANSWERS], json!({"max_attempts": 1})).await;
    let own = desk.until_logged("the sound is here", |event| matches!(event, Event::StreamOpened { .. })).await;
    let own = own.what.sid().unwrap().to_owned();
    let call = desk.call_to(ANSWERS);
    let (job, tag) = job_and_tag(&call);

    let voice = target(&call.url);
    let reply = post_signed(&desk, &voice, &[("CallSid", FOREIGN), ("CallStatus", "in-progress")]).await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.contains("<Hangup/>") && !reply.body.contains("Stream"), "{}", reply.body);
    assert!(!reply.body.contains(&tag));
    for status in ["in-progress", "busy"] {
        let news = [("CallSid", FOREIGN), ("CallStatus", status)];
        let reply = post_signed(&desk, &voice.replace("/voice", "/status"), &news).await;
        assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    }
    // The attempt's own call is asked for the same TwiML again, and gets it.
    let reply = post_signed(&desk, &voice, &[("CallSid", &own), ("CallStatus", "in-progress")]).await;
    assert!(reply.body.contains("<Stream"), "{}", reply.body);

    let jobs = desk.finished(&campaign).await;
    assert_eq!(jobs[0]["id"], *job);
    assert_eq!((&jobs[0]["outcome"], &jobs[0]["disposition"]), (&json!("answered"), &json!("answered_full")));
    let attempt = &jobs[0]["attempts"][0];
    assert_eq!((&attempt["twilio_call_sid"], &attempt["conflicts"]), (&json!(own), &json!([FOREIGN])));
    // Over is over: the same claim gets nobody to talk to, and changes nothing.
    let version = desk.version(&job).await;
    let reply = post_signed(&desk, &voice, &[("CallSid", &own), ("CallStatus", "in-progress")]).await;
    assert!(reply.body.contains("<Hangup/>") && !reply.body.contains("Stream"), "{}", reply.body);
    assert_eq!(desk.version(&job).await, version);
}

async fn a_second_call_is_hung_up_at_twilio(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.calling(&[ANSWERS], json!({"max_attempts": 1})).await;
    desk.until_created(1).await;
    let call = desk.call_to(ANSWERS);
    // Twilio makes a call that nobody asked for: here by somebody who has our callback URLs.
    let status = call.url.replace("/voice", "/status");
    let form = [
        ("To", RINGS),
        ("From", FROM),
        ("Url", &call.url),
        ("StatusCallback", &status),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "completed"),
    ];
    let account = gymcall_simulator::Settings::default().account_sid;
    let url = format!("{}/2010-04-01/Accounts/{account}/Calls.json", desk.twilio.url());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let reply = client.post(url).basic_auth(&account, Some(TOKEN)).form(&form).send().await.unwrap();
    assert_eq!(reply.status(), 201);
    let second = desk.call_to(RINGS).sid;

    desk.until_logged(
        "the second call is hung up",
        |event| matches!(event, Event::Status { sid, status: Status::Canceled, .. } if *sid == second),
    )
    .await;
    let jobs = desk.finished(&campaign).await;
    assert_eq!((&jobs[0]["outcome"], &jobs[0]["attempts"][0]["conflicts"]), (&json!("answered"), &json!([second])));
    assert_eq!(jobs[0]["attempts"][0]["twilio_call_sid"], *call.sid);
}
