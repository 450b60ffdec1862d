//! What cannot be used is refused, and the reply says which field it is.

use reqwest::Method;
use serde_json::{Value, json};

use super::desk::{ANSWERS, Desk, id_of};
use super::http::{Reply, reply};

fn question(key: &str) -> Value {
    json!({"key": key, "ask": "How much is a day pass?"})
}

#[tokio::test]
async fn a_campaign_that_makes_no_sense_is_refused_by_the_name_of_its_field() {
    let desk = Desk::open().await;
    for (body, pointer) in [
        (json!({"name": "A", "colour": "red"}), "/colour"),
        (json!({"name": 7}), "/name"),
        (json!({"name": ""}), "/name"),
        (json!({"name": "  "}), "/name"),
        (json!({"name": "A".repeat(201)}), "/name"),
        (json!({"name": "A", "on_behalf_of": ""}), "/on_behalf_of"),
        (json!({"name": "A", "questions": "all"}), "/questions"),
        (json!({"name": "A", "questions": []}), "/questions"),
        (json!({"name": "A", "questions": [question("a"), question("a")]}), "/questions/1/key"),
        (json!({"name": "A", "questions": [question("A b")]}), "/questions/0/key"),
        (json!({"name": "A", "questions": [question("")]}), "/questions/0/key"),
        (json!({"name": "A", "questions": [{"key": "a", "ask": " "}]}), "/questions/0/ask"),
        (json!({"name": "A", "questions": [{"key": "a", "ask": "?", "type": "essay"}]}), "/questions/0/type"),
        (json!({"name": "A", "questions": [{"key": "a", "ask": "?", "type": "choice"}]}), "/questions/0/choices"),
        (json!({"name": "A", "questions": [{"key": "a", "ask": "?", "choices": ["b"]}]}), "/questions/0/choices"),
        (
            json!({"name": "A", "questions": [{"key": "a", "ask": "?", "type": "choice", "choices": vec!["b"; 51]}]}),
            "/questions/0/choices",
        ),
        (
            json!({"name": "A", "questions": [{"key": "a", "ask": "?", "type": "choice", "choices": ["b", "c".repeat(101)]}]}),
            "/questions/0/choices/1",
        ),
        (json!({"name": "A", "policy": {"max_attempts": 0}}), "/policy/max_attempts"),
        (json!({"name": "A", "policy": {"max_attempts": 21}}), "/policy/max_attempts"),
        (json!({"name": "A", "policy": {"max_attempts": "three"}}), "/policy/max_attempts"),
        (json!({"name": "A", "policy": {"redial_after_minutes": -1}}), "/policy/redial_after_minutes"),
        (json!({"name": "A", "policy": {"redial_after_minutes": 1e300}}), "/policy/redial_after_minutes"),
        (json!({"name": "A", "policy": {"calls_per_second": 0}}), "/policy/calls_per_second"),
        (json!({"name": "A", "policy": {"max_concurrent_calls": 0}}), "/policy/max_concurrent_calls"),
        (json!({"name": "A", "policy": {"speed": 9}}), "/policy/speed"),
        (json!({"name": "A", "policy": {"voicemail": "beep"}}), "/policy/voicemail"),
        (json!({"name": "A", "policy": {"voicemail": "leave_message"}}), "/policy/voicemail_message"),
        (json!({"name": "A", "policy": {"voicemail_message": "Hello"}}), "/policy/voicemail_message"),
        (
            json!({"name": "A", "policy": {"voicemail": "leave_message", "voicemail_message": " "}}),
            "/policy/voicemail_message",
        ),
        (
            json!({"name": "A", "policy": {"voicemail": "leave_message", "voicemail_message": "A".repeat(501)}}),
            "/policy/voicemail_message",
        ),
        (json!({"name": "A", "policy": {"window": {"from": "9am"}}}), "/policy/window/from"),
        (json!({"name": "A", "policy": {"window": {"days": ["monday"]}}}), "/policy/window/days"),
        (json!({"name": "A", "policy": {"window": {"days": []}}}), "/policy/window/days"),
        (json!({"name": "A", "policy": {"window": {"holidays": ["Christmas"]}}}), "/policy/window/holidays/0"),
        (json!({"name": "A", "policy": {"window": {"until": "20:00"}}}), "/policy/window/until"),
        (json!({"name": "A", "policy": {"window": {"from": "07:00"}}}), "/policy/window"),
        (json!({"name": "A", "policy": {"window": {"from": "12:00", "to": "12:00"}}}), "/policy/window"),
    ] {
        let reply = desk.http.post("/v1/campaigns", &body).await;
        assert_eq!(reply.status, 422, "{body}: {}", reply.body);
        reply.blames(pointer);
    }
    let missing = desk.http.post("/v1/campaigns", &json!({})).await.problem(422);
    assert!(missing["detail"].as_str().unwrap().contains("name"), "{missing}");
    assert_eq!(desk.get("/v1/campaigns").await["items"], json!([]));
}

#[tokio::test]
async fn a_campaign_needs_no_more_than_a_name() {
    let desk = Desk::open().await;
    let made = desk.http.post_keyed("/v1/campaigns", "one", &json!({"name": " Gyms "})).await;
    let campaign = made.expect(201);
    assert_eq!((&campaign["name"], &campaign["status"]), (&json!("Gyms"), &json!("draft")));
    let keys: Vec<_> = campaign["questions"].as_array().unwrap().iter().map(|question| &question["key"]).collect();
    assert_eq!(keys, ["opening_hours", "day_pass_price", "classes", "drop_in_policy"]);
    assert_eq!(desk.get(&format!("/v1/campaigns/{}", id_of(&campaign))).await, campaign);
    let replay = desk.http.post_keyed("/v1/campaigns", "one", &json!({"name": " Gyms "})).await;
    assert_eq!((replay.status, &replay.body, replay.header("idempotency-replayed")), (201, &made.body, "true"));
    desk.http.post_keyed("/v1/campaigns", "one", &json!({"name": "Other gyms"})).await.problem(422);
    // One key is one request, whatever its address.
    desk.http.post_keyed("/v1/suppressions", "one", &json!({"phone_number": ANSWERS})).await.problem(422);
    assert_eq!(desk.get("/v1/campaigns").await["items"].as_array().unwrap().len(), 1);
    desk.http.post_keyed("/v1/campaigns", &"k".repeat(256), &json!({"name": "A"})).await.problem(400);
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_does_not_fit_is_said() {
    let desk = Desk::open().await;
    let campaign = desk.campaign_of(&[ANSWERS], json!({})).await;
    let job = desk.only_job(&campaign).await;
    let nobody = "job_00000000000000000000000000";
    for path in [
        "/v1/campaigns/nonsense".to_owned(),
        "/v1/campaigns/camp_00000000000000000000000000".to_owned(),
        format!("/v1/campaigns/{job}"),
        format!("/v1/campaigns/{job}/jobs"),
        format!("/v1/campaigns/{job}/results"),
        format!("/v1/campaigns/{job}/results.csv"),
        format!("/v1/jobs/{campaign}"),
        format!("/v1/jobs/{nobody}"),
        format!("/v1/jobs/{nobody}/events"),
        format!("/v1/calls/{campaign}"),
        "/v1/nothing".to_owned(),
        "/v1".to_owned(),
    ] {
        desk.http.get(&path).await.problem(404);
    }
    for path in
        [format!("/v1/campaigns/{job}/start"), format!("/v1/jobs/{nobody}/cancel"), format!("/v1/jobs/{nobody}/redial")]
    {
        desk.http.post(&path, &json!({})).await.problem(404);
    }
    desk.http.post(&format!("/v1/jobs/{nobody}/resolve"), &json!({"fate": "called"})).await.problem(404);
    for (method, path) in [
        (Method::DELETE, "/v1/campaigns".to_owned()),
        (Method::GET, format!("/v1/campaigns/{campaign}/start")),
        (Method::PUT, format!("/v1/jobs/{job}")),
        (Method::GET, "/v1/twilio/status".to_owned()),
        (Method::POST, "/healthz".to_owned()),
    ] {
        desk.http.send(method, &path).await.problem(405);
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_a_problem_too() {
    let desk = Desk::open().await;
    let campaign = desk.campaign_of(&[ANSWERS], json!({})).await;
    let job = desk.only_job(&campaign).await;
    for path in [
        "/v1/campaigns?cursor=nonsense".to_owned(),
        format!("/v1/campaigns/{campaign}/jobs?cursor=nonsense"),
        format!("/v1/campaigns/{campaign}/results?cursor=nonsense"),
    ] {
        desk.http.get(&path).await.blames("/cursor");
    }
    for (path, pointer) in [
        ("/v1/campaigns?limit=many".to_owned(), "/limit"),
        ("/v1/campaigns?limit=1&limit=2".to_owned(), "/limit"),
        ("/v1/campaigns?page=2".to_owned(), "/page"),
        ("/v1/suppressions?limit=-1".to_owned(), "/limit"),
        (format!("/v1/campaigns/{campaign}/jobs?status=asleep"), "/status"),
        (format!("/v1/campaigns/{campaign}/jobs?run=nonsense"), "/run"),
        (format!("/v1/campaigns/{campaign}/jobs?state=waiting"), "/state"),
        (format!("/v1/campaigns/{campaign}/results?limit=many"), "/limit"),
        (format!("/v1/campaigns/{campaign}/results.csv?quotes=all"), "/quotes"),
        (format!("/v1/campaigns/{campaign}/changes?since=yesterday"), "/since"),
        (format!("/v1/jobs/{job}/events?cursor=nonsense"), "/cursor"),
        (format!("/v1/calls/{job}/recording.wav?from=start"), "/from"),
        ("/v1/events?campaigns=all".to_owned(), "/campaigns"),
    ] {
        desk.http.get(&path).await.blames(pointer);
    }
}

async fn post_text(desk: &Desk, path: &str, body: impl Into<reqwest::Body>) -> Reply {
    reply(desk.http.request(Method::POST, path).header("content-type", "application/json").body(body)).await
}

#[tokio::test]
async fn a_body_that_is_not_json_is_400() {
    let desk = Desk::open().await;
    for path in ["/v1/calls", "/v1/campaigns", "/v1/suppressions"] {
        for body in ["", "{", "name=A", "\u{0}"] {
            post_text(&desk, path, body).await.problem(400);
        }
        post_text(&desk, path, vec![b'{', 0xff, b'}']).await.problem(400);
        // More than any request of this kind has to say.
        let reply = post_text(&desk, path, format!("{{\"name\": \"{}\"}}", "A".repeat(300_000))).await;
        reply.problem(413);
    }
    post_text(&desk, "/v1/campaigns", "{\"name\": \"A\"} and more").await.problem(400);
    assert_eq!(desk.get("/v1/campaigns").await["items"], json!([]));
}
