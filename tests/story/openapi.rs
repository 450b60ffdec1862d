//! The interface describes itself, every route of it, and nothing that is not there.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::desk::{ANSWERS, Desk, Plan};
use super::http::reply;

/// What users rely on.
const CONTRACT: &[&str] = &[
    "POST /v1/calls",
    "GET /v1/calls/{id}",
    "GET /v1/calls/{id}/recording.wav",
    "POST /v1/campaigns",
    "GET /v1/campaigns",
    "GET /v1/campaigns/{id}",
    "PATCH /v1/campaigns/{id}",
    "DELETE /v1/campaigns/{id}",
    "POST /v1/campaigns/{id}/duplicate",
    "GET /v1/campaigns/{id}/forecast",
    "GET /v1/campaigns/{id}/runs",
    "POST /v1/campaigns/{id}/start",
    "POST /v1/campaigns/{id}/pause",
    "POST /v1/campaigns/{id}/resume",
    "POST /v1/campaigns/{id}/cancel",
    "POST /v1/campaigns/{id}/gyms",
    "GET /v1/campaigns/{id}/jobs",
    "GET /v1/campaigns/{id}/results",
    "GET /v1/campaigns/{id}/results.csv",
    "GET /v1/jobs/{id}",
    "GET /v1/jobs/{id}/events",
    "POST /v1/jobs/{id}/cancel",
    "POST /v1/jobs/{id}/redial",
    "POST /v1/jobs/{id}/resolve",
    "GET /v1/suppressions",
    "POST /v1/suppressions",
    "DELETE /v1/suppressions/{phone_number}",
    "POST /v1/twilio/voice",
    "POST /v1/twilio/status",
    "POST /v1/twilio/amd",
    "POST /v1/twilio/gather",
    "GET /v1/twilio/stream",
    "GET /metrics",
    "GET /healthz",
    "GET /readyz",
    "GET /openapi.json",
    "GET /docs",
];

const KEY: &str = "a-key-of-the-desk";

async fn with_a_key() -> Desk {
    Desk::of(Plan { settings: vec![("GYMCALL_API_KEY", KEY)], ..Plan::default() }).await
}

/// Every operation of the document with its method and its path.
fn operations(document: &Value) -> Vec<(Method, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let item = item.as_object().unwrap();
            item.iter()
                .map(move |(method, operation)| (method.to_uppercase().parse().unwrap(), path.as_str(), operation))
        })
        .collect()
}

/// Every `$ref` anywhere in it.
fn refs<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| refs(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| refs(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_interface_describes_itself_whole_to_everybody() {
    let desk = with_a_key().await;
    let document = desk.http.get("/openapi.json").await.expect(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."), "{}", document["openapi"]);
    let operations = operations(&document);
    let known: HashSet<String> = operations.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    for route in CONTRACT {
        assert!(known.contains(*route), "{route} is not described");
    }
    let mut found = Vec::new();
    refs(&document, &mut found);
    for name in found {
        let pointer = name.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{name} leads nowhere");
    }
    let ids: HashSet<&str> =
        operations.iter().map(|(_, _, operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len(), "two operations have one id");
    for (method, path, operation) in &operations {
        let at = format!("{method} {path}");
        assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{at}: no summary");
        assert!(!operation["tags"][0].as_str().unwrap_or_default().is_empty(), "{at}: no tag");
        let parameters: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let described = parameters.iter().filter(|it| it["in"] == "path" && it["name"] == name);
            assert_eq!(described.count(), 1, "{at}: {name}");
        }
        let replies = operation["responses"].as_object().unwrap();
        assert!(
            replies.keys().any(|status| status.starts_with('2') || status == "101"),
            "{at}: nothing when all is well"
        );
        let open = (!path.starts_with("/v1/") && *path != "/metrics") || path.starts_with("/v1/twilio/");
        if !open {
            let takes_key = parameters.iter().any(|it| it["in"] == "header" && it["name"] == "Idempotency-Key");
            assert_eq!(takes_key, *method != Method::GET, "{at}: Idempotency-Key");
            assert!(replies.contains_key("401"), "{at}: nothing without a key");
        }
    }
    assert_eq!(document["components"]["securitySchemes"]["key"]["scheme"], "bearer");
    assert_eq!(document["security"], json!([{"key": []}]));
}

#[tokio::test]
async fn every_route_that_is_described_is_there_and_asks_for_the_key_if_it_says_so() {
    let desk = with_a_key().await;
    let document = desk.http.get("/openapi.json").await.expect(200);
    for (method, path, operation) in operations(&document) {
        let real = path.replace("{id}", "nothing").replace("{phone_number}", ANSWERS);
        let nobody = desk.http.request(method.clone(), &real).send().await.unwrap();
        let needs_key = operation["security"].is_null();
        assert_eq!(nobody.status() == 401, needs_key, "{method} {path}: {}", nobody.status());
        let known = desk.http.with_key(KEY);
        let answer = known.request(method.clone(), &real).send().await.unwrap();
        assert_ne!(answer.status(), 405, "{method} {path}");
        if answer.status() == 404 {
            let problem: Value = answer.json().await.unwrap();
            assert_ne!(problem["detail"], "no such page", "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_page_about_the_interface_needs_nothing_from_elsewhere() {
    let desk = with_a_key().await;
    let page = reply(desk.http.request(Method::GET, "/docs")).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"), "{}", page.header("content-type"));
    assert!(page.body.contains("openapi.json"));
    assert!(!page.body.contains("://"), "it loads something from elsewhere");
}
