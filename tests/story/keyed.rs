//! What was asked for under a key and carried out is answered as it was then, whatever has become of it.

use reqwest::Method;
use serde_json::json;

use super::desk::{ANSWERS, BUSY, CURT, Desk, id_of};
use super::http::{Http, Reply, reply};

const LIST: &str = "phone_number\n+14155550190\n";

/// Every write that names a campaign, each under a key of its own.
async fn writes(http: &Http, campaign: &str, job: &str) -> Vec<Reply> {
    let campaign = format!("/v1/campaigns/{campaign}");
    let mut replies = Vec::new();
    for (path, body) in [
        (format!("{campaign}/duplicate"), json!({"name": "Copy"})),
        (format!("{campaign}/redial"), json!({"jobs": [job]})),
        (format!("{campaign}/test_call"), json!({"phone_number": ANSWERS})),
    ] {
        replies.push(http.post_keyed(&path, &path, &body).await);
    }
    replies.push(http.upload(&format!("{campaign}/gyms"), LIST, &[("idempotency-key", "gyms")]).await);
    replies
}

#[tokio::test]
async fn a_replay_wins_over_what_has_become_of_the_campaign() {
    let desk = Desk::open().await;
    let campaign = desk.calling(&[CURT], json!({"max_attempts": 1})).await;
    let job = id_of(&desk.finished(&campaign).await[0]);
    let first = writes(&desk.http, &campaign, &job).await;
    assert_eq!(first.iter().map(|reply| reply.status).collect::<Vec<_>>(), [201, 201, 201, 200]);
    let resolved = format!("/v1/jobs/{job}/resolve");
    let refused = desk.http.post_keyed(&resolved, "gyms", &json!({"fate": "unknown"})).await;
    assert!(refused.problem(422)["detail"].as_str().unwrap().contains("Idempotency-Key"), "{}", refused.body);

    desk.tell(&campaign, "cancel").await.expect(200);
    let path = format!("/v1/campaigns/{campaign}");
    desk.http.post(&format!("{path}/redial"), &json!({"jobs": [job]})).await.problem(409);
    desk.import(&campaign, LIST).await.problem(409);
    for gone in [false, true] {
        if gone {
            desk.until("its calls are over", async || {
                let deleted = reply(desk.http.request(Method::DELETE, &path)).await;
                (deleted.status == 204).then_some(())
            })
            .await;
            desk.http.post(&format!("{path}/duplicate"), &json!({})).await.problem(404);
        }
        for (replay, first) in writes(&desk.http, &campaign, &job).await.iter().zip(&first) {
            assert_eq!((replay.status, &replay.body), (first.status, &first.body), "deleted: {gone}");
            assert_eq!(replay.header("idempotency-replayed"), "true");
        }
        // Another file under the same key is another request, whatever it is asked of.
        let key = [("idempotency-key", "gyms")];
        desk.http.upload(&format!("{path}/gyms"), "phone_number\n+14155550191\n", &key).await.problem(422);
    }
    assert_eq!(desk.get("/v1/campaigns").await["items"].as_array().unwrap().len(), 1, "the copy alone");
}

#[tokio::test]
async fn a_list_of_suppressions_under_a_key_of_another_list_changes_nothing() {
    let desk = Desk::open().await;
    let key = [("idempotency-key", "one")];
    let list = |phone: &str| format!("phone_number\n{phone}\n");
    let first = desk.http.upload("/v1/suppressions", &list(CURT), &key).await;
    first.expect(200);
    desk.http.upload("/v1/suppressions", &list(BUSY), &key).await.problem(422);
    desk.http.upload("/v1/suppressions", "nonsense", &key).await.problem(422);
    let replay = desk.http.upload("/v1/suppressions", &list(CURT), &key).await;
    assert_eq!((replay.status, &replay.body, replay.header("idempotency-replayed")), (200, &first.body, "true"));
    let suppressed = desk.get("/v1/suppressions").await["items"].clone();
    assert_eq!(suppressed.as_array().unwrap().len(), 1, "{suppressed}");
}
