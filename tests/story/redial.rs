//! A person asks for one more call.

use serde_json::json;

use super::desk::{ANSWERS, BUSY, CURT, Desk, Keeper, RINGS, id_of};

on_each_keeper! {
    a_job_that_is_over_can_be_called_again_as_a_new_job,
    a_job_that_is_not_over_cannot_be_redialled,
    those_that_failed_are_called_again_once_and_nobody_else,
}

async fn a_job_that_is_over_can_be_called_again_as_a_new_job(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.calling(&[CURT], json!({"max_attempts": 1})).await;
    let old = id_of(&desk.finished(&campaign).await[0]);
    let before = desk.job(&old).await;
    let path = format!("/v1/jobs/{old}/redial");
    let made = desk.http.post_keyed(&path, "one", &json!({})).await;
    let new = made.expect(201);
    assert_ne!(new["id"], old);
    assert_eq!((&new["phone_number"], &new["campaign_id"]), (&json!(CURT), &json!(campaign)));
    let replay = desk.http.post_keyed(&path, "one", &json!({})).await;
    assert_eq!((replay.status, &replay.body, replay.header("idempotency-replayed")), (201, &made.body, "true"));
    let over = desk.until_job(&id_of(&new), "failed").await;
    assert_eq!(over["tries"], 1);
    assert_eq!(desk.finished(&campaign).await.len(), 2);
    assert_eq!(desk.job(&old).await, before, "the old job has changed");
    assert_eq!(desk.created(CURT), 2);
    desk.assert_no_attempt_was_dialled_twice();
}

async fn a_job_that_is_not_over_cannot_be_redialled(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.campaign_of(&[RINGS], json!({})).await;
    let path = format!("/v1/jobs/{}/redial", desk.only_job(&campaign).await);
    desk.http.post(&path, &json!({})).await.problem(409);
    desk.tell(&campaign, "start").await.expect(200);
    desk.until_created(1).await;
    desk.http.post(&path, &json!({})).await.problem(409);
    assert_eq!(desk.jobs(&campaign).await.len(), 1);
}

async fn those_that_failed_are_called_again_once_and_nobody_else(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.calling(&[ANSWERS, BUSY, CURT], json!({"max_attempts": 1})).await;
    let old: Vec<String> = desk.finished(&campaign).await.iter().map(id_of).collect();
    let path = format!("/v1/campaigns/{campaign}/redial");
    let skipped = |reply: &serde_json::Value| {
        let pair = |skip: &serde_json::Value| (id_of(&json!({"id": skip["job"]})), skip["why"].clone());
        let mut skipped: Vec<_> = reply["skipped"].as_array().unwrap().iter().map(pair).collect();
        skipped.sort_by_key(|(job, _)| job.clone());
        skipped
    };

    // Asked for three times at once, twice under one key: one call each.
    let failed = json!({"status": ["failed"]});
    let (one, other) = tokio::join!(desk.http.post(&path, &failed), desk.http.post_keyed(&path, "one", &failed));
    let created = [&one, &other].map(|reply| reply.expect(201)["created"].as_u64().unwrap());
    assert_eq!(created.iter().sum::<u64>(), 2, "{created:?}");
    let replay = desk.http.post_keyed(&path, "one", &failed).await;
    assert_eq!((replay.status, &replay.body, replay.header("idempotency-replayed")), (201, &other.body, "true"));
    let jobs = desk.finished(&campaign).await;
    assert_eq!(jobs.len(), 5);
    assert_eq!([ANSWERS, BUSY, CURT].map(|number| desk.created(number)), [1, 2, 2]);

    // Of each number the latest job is meant, and a number that may not be called is not.
    desk.http.post("/v1/suppressions", &json!({"phone_number": BUSY})).await.expect(201);
    let again = desk.http.post(&path, &failed).await.expect(201);
    let newer = |number: &str| jobs.iter().rfind(|job| job["phone_number"] == number).map(id_of).unwrap();
    let mut expected = vec![
        (old[1].clone(), json!("redialled")),
        (old[2].clone(), json!("redialled")),
        (newer(BUSY), json!("suppressed")),
    ];
    expected.sort_by_key(|(job, _)| job.clone());
    assert_eq!((&again["created"], skipped(&again)), (&json!(1), expected));
    desk.finished(&campaign).await;

    // By result, and one by one, whatever came of them.
    let voicemails = desk.http.post(&path, &json!({"disposition": ["voicemail"]})).await.expect(201);
    assert_eq!((&voicemails["created"], skipped(&voicemails)), (&json!(0), vec![]));
    let these = desk.http.post(&path, &json!({"jobs": [old[0], old[2]]})).await.expect(201);
    assert_eq!((&these["created"], skipped(&these)), (&json!(1), vec![(old[2].clone(), json!("redialled"))]));
    desk.finished(&campaign).await;
    assert_eq!([ANSWERS, BUSY, CURT].map(|number| desk.created(number)), [2, 2, 3]);
    desk.assert_no_attempt_was_dialled_twice();

    for (body, pointer) in [
        (json!({}), ""),
        (json!({"status": ["failed", "waiting"]}), "/status/1"),
        (json!({"jobs": [old[0]], "status": ["failed"]}), "/jobs"),
        (json!({"jobs": [old[0], "job_00000000000000000000000000"]}), "/jobs"),
        (json!({"status": ["lost"]}), "/status/0"),
    ] {
        desk.http.post(&path, &body).await.blames(pointer);
    }
    desk.http.post("/v1/campaigns/camp_nobody/redial", &failed).await.problem(404);
    let open = desk.campaign_of(&[RINGS], json!({})).await;
    let job = desk.only_job(&open).await;
    let waiting = desk.http.post(&format!("/v1/campaigns/{open}/redial"), &json!({"jobs": [job]})).await.expect(201);
    assert_eq!((&waiting["created"], skipped(&waiting)), (&json!(0), vec![(job, json!("open"))]));
    desk.tell(&open, "cancel").await.expect(200);
    desk.http.post(&format!("/v1/campaigns/{open}/redial"), &failed).await.problem(409);
}
