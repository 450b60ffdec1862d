//! A campaign is changed while it stands, and deleted once it does not call.

use reqwest::Method;
use serde_json::{Value, json};

use super::desk::{ANSWERS, BUSY, Desk, Keeper, THINKS, id_of};
use super::http::{Http, Reply, reply};

on_each_keeper!(patches_at_the_same_time_are_all_kept, a_deleted_campaign_is_gone_and_its_jobs_are_not);

async fn patch(http: &Http, campaign: &str, body: &Value) -> Reply {
    reply(http.request(Method::PATCH, &format!("/v1/campaigns/{campaign}")).json(body)).await
}

async fn delete(http: &Http, campaign: &str, key: &str) -> Reply {
    let path = format!("/v1/campaigns/{campaign}");
    reply(http.request(Method::DELETE, &path).header("idempotency-key", key)).await
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_takes_a_field_back() {
    let desk = Desk::open().await;
    let made = json!({
        "name": "Gyms", "on_behalf_of": "Fit Map", "greeting": "Good evening.",
        "policy": {"max_attempts": 2, "calls_per_second": 3.0, "window": {"days": ["mon"], "from": "10:00"}},
        "schedule": {"cron": "0 21 * * *", "timezone": "America/New_York"},
    });
    let before = desk.http.post("/v1/campaigns", &made).await.expect(201);
    let id = id_of(&before);
    let change = json!({
        "name": " More gyms ", "greeting": null,
        "policy": {"max_attempts": 4, "calls_per_second": null, "window": {"to": "18:00"}},
        "schedule": {"timezone": "America/Chicago"},
    });
    let after = patch(&desk.http, &id, &change).await.expect(200);
    assert_eq!(after, desk.get(&format!("/v1/campaigns/{id}")).await);
    let mut wanted = before.clone();
    wanted["name"] = json!("More gyms");
    wanted["greeting"] = Value::Null;
    wanted["policy"]["max_attempts"] = json!(4);
    wanted["policy"].as_object_mut().unwrap().remove("calls_per_second");
    wanted["policy"]["window"]["to"] = json!("18:00");
    wanted["schedule"]["timezone"] = json!("America/Chicago");
    wanted["updated_at"] = after["updated_at"].clone();
    assert_eq!(after, wanted);
    // Who is called on whose behalf is the name as long as nobody says otherwise.
    let plain = id_of(&desk.http.post("/v1/campaigns", &json!({"name": "Test"})).await.expect(201));
    let renamed = patch(&desk.http, &plain, &json!({"name": "Acme"})).await.expect(200);
    assert_eq!(renamed["on_behalf_of"], "Acme");
    // Nobody has to say of a schedule what goes when the other kind comes.
    let once = patch(&desk.http, &id, &json!({"schedule": {"at": "2999-01-01T00:00:00Z"}})).await.expect(200);
    assert_eq!((&once["schedule"]["at"], &once["schedule"]["cron"]), (&json!("2999-01-01T00:00:00Z"), &Value::Null));
    let usual = patch(&desk.http, &id, &json!({"schedule": null, "policy": null})).await.expect(200);
    assert_eq!((&usual["schedule"], &usual["policy"]["max_attempts"]), (&Value::Null, &json!(3)));
    assert_eq!(usual["policy"]["window"]["from"], "09:00");
}

#[tokio::test]
async fn a_patch_is_checked_like_a_new_campaign_and_changes_nothing_if_it_is_refused() {
    let desk = Desk::open().await;
    let campaign = desk.http.post("/v1/campaigns", &json!({"name": "Gyms"})).await.expect(201);
    let id = id_of(&campaign);
    for (change, pointer) in [
        (json!({"name": ""}), "/name"),
        (json!({"colour": "red"}), "/colour"),
        (json!({"name": "Other", "policy": {"max_attempts": 0}}), "/policy/max_attempts"),
        (json!({"policy": {"window": {"from": "05:00"}}}), "/policy/window"),
        (json!({"policy": {"speed": 9}}), "/policy/speed"),
        (json!({"questions": []}), "/questions"),
        (json!({"schedule": {"at": "2001-01-01T00:00:00Z"}}), "/schedule/at"),
        (json!({"schedule": {"cron": "0 21 * * *"}}), "/schedule/timezone"),
    ] {
        patch(&desk.http, &id, &change).await.blames(pointer);
    }
    patch(&desk.http, &id, &json!({"name": null})).await.problem(422);
    patch(&desk.http, &id, &json!(["name"])).await.problem(422);
    patch(&desk.http, "camp_00000000000000000000000000", &json!({"name": "A"})).await.problem(404);
    assert_eq!(desk.get(&format!("/v1/campaigns/{id}")).await, campaign);
}

#[tokio::test]
async fn what_is_said_stays_once_a_campaign_was_started_and_how_it_calls_may_change() {
    let desk = Desk::open().await;
    let id = desk.campaign_of(&[THINKS], json!({})).await;
    desk.http.post(&format!("/v1/campaigns/{id}/start"), &json!({})).await.expect(200);
    for (change, pointer) in [
        (json!({"questions": null, "on_behalf_of": "Others"}), "/on_behalf_of"),
        (json!({"greeting": "Hello."}), "/greeting"),
        (json!({"questions": [{"key": "pool", "ask": "Do you have a pool?"}]}), "/questions"),
    ] {
        let problem = patch(&desk.http, &id, &change).await.problem(409);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let changed = patch(&desk.http, &id, &json!({"name": "Later", "policy": {"max_attempts": 7}})).await.expect(200);
    assert_eq!((&changed["name"], &changed["policy"]["max_attempts"]), (&json!("Later"), &json!(7)));
    // The same again is no change.
    let asked = changed["questions"].clone();
    patch(&desk.http, &id, &json!({"questions": asked})).await.expect(200);
    desk.http.post(&format!("/v1/campaigns/{id}/cancel"), &json!({})).await.expect(200);
    patch(&desk.http, &id, &json!({"name": "Too late"})).await.problem(409);
}

async fn patches_at_the_same_time_are_all_kept(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.http.post("/v1/campaigns", &json!({"name": "Gyms"})).await.expect(201);
    let id = id_of(&campaign);
    for round in 1..=5_u32 {
        let (name, tries) = (json!({"name": format!("Gyms {round}")}), json!({"policy": {"max_attempts": round}}));
        let wait = json!({"policy": {"redial_after_minutes": round}});
        let replies =
            tokio::join!(patch(&desk.http, &id, &name), patch(&desk.http, &id, &tries), patch(&desk.http, &id, &wait),);
        for reply in [replies.0, replies.1, replies.2] {
            reply.expect(200);
        }
        let now = desk.get(&format!("/v1/campaigns/{id}")).await;
        assert_eq!(now["name"], name["name"]);
        assert_eq!(now["policy"]["max_attempts"], round);
        assert_eq!(now["policy"]["redial_after_minutes"].as_f64(), Some(f64::from(round)));
    }
}

async fn a_deleted_campaign_is_gone_and_its_jobs_are_not(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let id = desk.campaign_of(&[BUSY], json!({})).await;
    let job = desk.only_job(&id).await;
    let other = desk.campaign_of(&[ANSWERS], json!({})).await;
    desk.http.post(&format!("/v1/campaigns/{id}/start"), &json!({})).await.expect(200);
    desk.until("it waits for another try", async || {
        let job = desk.get(&format!("/v1/jobs/{job}")).await;
        (job["status"] == "waiting" && job["tries"] == 1).then_some(())
    })
    .await;
    let problem = delete(&desk.http, &id, "one").await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("cancel"), "{problem}");
    desk.http.post(&format!("/v1/campaigns/{id}/cancel"), &json!({})).await.expect(200);
    desk.until("the job is over", async || {
        let job = desk.get(&format!("/v1/jobs/{job}")).await;
        (job["status"] == "cancelled").then_some(())
    })
    .await;
    assert_eq!(delete(&desk.http, &id, "two").await.status, 204);
    for path in ["", "/jobs", "/results", "/results.csv", "/runs", "/forecast", "/gyms/template.csv"] {
        desk.http.get(&format!("/v1/campaigns/{id}{path}")).await.problem(404);
    }
    for verb in ["start", "pause", "resume", "cancel", "duplicate"] {
        desk.http.post(&format!("/v1/campaigns/{id}/{verb}"), &json!({})).await.problem(404);
    }
    patch(&desk.http, &id, &json!({"name": "Back"})).await.problem(404);
    delete(&desk.http, &id, "three").await.problem(404);
    let again = delete(&desk.http, &id, "two").await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (204, "true"));
    assert_eq!(desk.get(&format!("/v1/jobs/{job}")).await["campaign_id"], id.as_str());
    let listed = desk.get("/v1/campaigns?limit=1").await;
    assert_eq!(listed["items"][0]["id"], other.as_str());
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let all = desk.get("/v1/campaigns").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "{all}");
    // A draft that nobody needs goes at once, and what was deleted takes no room in a list.
    assert_eq!(delete(&desk.http, &other, "four").await.status, 204);
    assert_eq!(desk.get("/v1/campaigns?limit=1").await["items"], json!([]));
}
