//! Figures for those who watch over the server.

use reqwest::Method;
use serde_json::json;

use super::desk::{ANSWERS, Desk, Keeper, Plan, THINKS};
use super::http::reply;

const KEY: &str = "a-key-of-the-desk";

/// The value of a figure, whose labels may be in any order.
fn figure(text: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let of_name = text
        .lines()
        .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{') || rest.starts_with(' ')));
    let mut fitting = of_name.filter(|line| labels.iter().all(|label| line.contains(label)));
    fitting.next().map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
}

#[tokio::test]
async fn figures_tell_how_calls_stand_and_what_came_from_twilio() {
    let desk = Desk::open().await;
    let campaign = desk.calling(&[ANSWERS, THINKS], json!({})).await;
    desk.until("one is over and one goes on", async || {
        let counters = desk.get(&format!("/v1/campaigns/{campaign}")).await["counters"].clone();
        (counters["completed"] == 1 && counters["by_status"]["in_progress"] == 1).then_some(())
    })
    .await;
    desk.http.get("/v1/campaigns/nothing").await.problem(404);
    reply(desk.http.request(Method::POST, "/v1/twilio/status").body("CallSid=CA")).await.problem(403);
    let page = desk.http.get("/metrics").await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.header("content-type").starts_with("application/openmetrics-text"));
    let text = page.body.as_str();
    assert!(text.contains("gymcall_build_info"), "{text}");
    for (name, labels, wanted) in [
        ("gymcall_jobs", vec!["status=\"completed\""], 1.0),
        ("gymcall_jobs", vec!["status=\"in_progress\""], 1.0),
        ("gymcall_jobs", vec!["status=\"waiting\""], 0.0),
        ("gymcall_campaigns_under_way", vec![], 1.0),
        ("gymcall_calls_made", vec![], 2.0),
        ("gymcall_lines_in_use", vec![], 1.0),
        ("gymcall_lines_limit", vec![], 50.0),
        ("gymcall_calls_per_second_limit", vec![], 50.0),
        ("gymcall_store_in_doubt", vec![], 0.0),
        ("gymcall_webhooks_total", vec!["kind=\"status\"", "result=\"refused\""], 1.0),
        ("gymcall_jobs_over_total", vec!["outcome=\"answered\""], 1.0),
        ("gymcall_jobs_over_total", vec!["outcome=\"gave_up\""], 0.0),
        ("gymcall_store_errors_total", vec![], 0.0),
        ("gymcall_http_request_duration_seconds_count", vec!["route=\"/v1/campaigns/{id}\"", "status=\"404\""], 1.0),
    ] {
        assert_eq!(figure(text, name, &labels), Some(wanted), "{name} {labels:?}\n{text}");
    }
    let taken = figure(text, "gymcall_webhooks_total", &["kind=\"voice\"", "result=\"taken\""]);
    assert!(taken.is_some_and(|taken| taken >= 2.0), "{text}");
    assert_eq!(figure(text, "gymcall_webhook_duration_seconds_count", &["kind=\"voice\""]), taken, "{text}");
}

#[tokio::test]
async fn what_the_store_fails_is_counted() {
    let mut desk = Desk::on(Keeper::Redis).await;
    desk.redis.as_mut().unwrap().kill();
    desk.http.get("/v1/campaigns").await.problem(503);
    desk.redis.as_mut().unwrap().restart();
    let page = desk
        .until("the store is there again", async || {
            Some(desk.http.get("/metrics").await).filter(|page| page.status == 200)
        })
        .await;
    let errors = figure(&page.body, "gymcall_store_errors_total", &[]).unwrap();
    assert!(errors >= 1.0, "{}", page.body);
}

#[tokio::test]
async fn figures_need_the_key() {
    let desk = Desk::of(Plan { settings: vec![("GYMCALL_API_KEY", KEY)], ..Plan::default() }).await;
    desk.http.get("/metrics").await.problem(401);
    assert_eq!(desk.http.with_key(KEY).get("/metrics").await.status, 200);
}
