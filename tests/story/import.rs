//! Gyms come in as a file: all or nothing.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::desk::{Desk, Keeper, csv_of, within};
use super::http::{Reply, reply};

on_each_keeper! {
    a_file_comes_in_as_a_form_or_as_it_is,
    a_file_that_makes_no_sense_is_refused_whole,
    an_upload_that_is_sent_again_with_its_key_imports_nothing_again,
    an_upload_that_breaks_off_leaves_nothing_behind_and_nothing_in_the_way,
    an_upload_that_arrived_whole_is_carried_through_whoever_waits_for_the_reply,
    a_campaign_takes_one_upload_at_a_time,
}

const TWO: &str = "phone_number,gym_name\n+14155550101,Iron Temple\n+14155550102,Steel House\n";

async fn multipart(desk: &Desk, campaign: &str, field: &str, csv: &str, key: &str) -> Reply {
    let body = format!(
        "--cut\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n\
         --cut\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"gyms.csv\"\r\n\
         Content-Type: text/csv\r\n\r\n{csv}\r\n--cut--\r\n"
    );
    let request = desk.http.request(Method::POST, &format!("/v1/campaigns/{campaign}/gyms"));
    reply(request.header("content-type", "multipart/form-data; boundary=cut").header("idempotency-key", key).body(body))
        .await
}

fn counts(report: &Value) -> [u64; 4] {
    ["accepted", "corrected", "duplicates", "rejected"].map(|name| report[name].as_u64().unwrap())
}

async fn a_file_comes_in_as_a_form_or_as_it_is(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.campaign(json!({})).await;
    multipart(&desk, &campaign, "roster", TWO, "a").await.problem(400);
    let report = multipart(&desk, &campaign, "file", TWO, "b").await.expect(200);
    assert_eq!(counts(&report), [2, 0, 0, 0]);
    // What is there already is not there twice.
    let report = desk.import(&campaign, &format!("{TWO}+14155550103,Third\n")).await.expect(200);
    assert_eq!(counts(&report), [1, 0, 2, 0]);
    let lines: Vec<_> = report["rows"].as_array().unwrap().iter().map(|row| (&row["line"], &row["code"])).collect();
    assert_eq!(lines, [(&json!(2), &json!("duplicate")), (&json!(3), &json!("duplicate"))]);
    let names: Vec<Value> = desk.jobs(&campaign).await.iter().map(|job| job["gym_name"].clone()).collect();
    assert_eq!(names, ["Iron Temple", "Steel House", "Third"]);
    // Another campaign may have the same gyms.
    let other = desk.campaign(json!({})).await;
    assert_eq!(counts(&desk.import(&other, TWO).await.expect(200)), [2, 0, 0, 0]);
}

async fn a_file_that_makes_no_sense_is_refused_whole(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.campaign(json!({})).await;
    for csv in ["", "name,city\nIron Temple,Austin\n", "phone,phone\n+14155550101,+14155550102\n"] {
        desk.import(&campaign, csv).await.blames("/file");
    }
    assert_eq!(desk.status_of(&campaign).await, "draft");
    // A column that a question names must be there.
    let request = json!({"name": "A", "questions": [{"key": "a", "ask": "Is {{brand}} good?"}]});
    let asking = super::desk::id_of(&desk.http.post("/v1/campaigns", &request).await.expect(201));
    desk.import(&asking, TWO).await.blames("/file");
    assert_eq!(desk.status_of(&asking).await, "draft");
    desk.import("nonsense", TWO).await.problem(404);
}

async fn an_upload_that_is_sent_again_with_its_key_imports_nothing_again(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.campaign(json!({})).await;
    let path = format!("/v1/campaigns/{campaign}/gyms");
    let key = [("idempotency-key", "one")];
    let first = desk.http.upload(&path, TWO, &key).await;
    assert_eq!(counts(&first.expect(200)), [2, 0, 0, 0]);
    let again = desk.http.upload(&path, TWO, &key).await;
    assert_eq!((again.status, &again.body, again.header("idempotency-replayed")), (200, &first.body, "true"));
    desk.http.upload(&path, &csv_of(&["+14155550109"]), &key).await.problem(422);
    assert_eq!(desk.jobs(&campaign).await.len(), 2);
    // In a form the same file is still the same file.
    let first = multipart(&desk, &campaign, "file", "phone_number\n+14155550103\n", "two").await;
    let again = multipart(&desk, &campaign, "file", "phone_number\n+14155550103\n", "two").await;
    assert_eq!((again.status, &again.body, again.header("idempotency-replayed")), (200, &first.body, "true"));
    // What was refused was not done, so its key is free.
    desk.http.upload(&path, "name\nIron\n", &[("idempotency-key", "three")]).await.blames("/file");
    let mended = desk.http.upload(&path, &csv_of(&["+14155550104"]), &[("idempotency-key", "three")]).await;
    assert_eq!(counts(&mended.expect(200)), [1, 0, 0, 0]);
}

/// Sends the head of an upload of `length` bytes and these bytes of it.
async fn begin_upload(desk: &Desk, campaign: &str, length: usize, bytes: &str) -> TcpStream {
    let mut socket = announce_upload(desk, campaign, length, "").await;
    socket.write_all(bytes.as_bytes()).await.unwrap();
    socket
}

/// Sends the head alone, with this header.
async fn announce_upload(desk: &Desk, campaign: &str, length: usize, header: &str) -> TcpStream {
    let address = desk.http.base().trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/campaigns/{campaign}/gyms HTTP/1.1\r\nHost: {address}\r\nContent-Type: text/csv\r\n\
         {header}Content-Length: {length}\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket
}

async fn an_upload_that_breaks_off_leaves_nothing_behind_and_nothing_in_the_way(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.campaign(json!({})).await;
    // Enough rows that some have reached the store before the end that never comes.
    let numbers: Vec<String> = (0..3_000).map(|at| format!("+1415555{at:04}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let half = csv_of(&numbers);
    let mut socket = begin_upload(&desk, &campaign, half.len() * 2, &half).await;
    socket.shutdown().await.unwrap();
    // The server is done with it when it closes the connection as well.
    let mut rest = Vec::new();
    within("the server lets go of the upload", socket.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(desk.jobs(&campaign).await.len(), 0);
    assert_eq!(desk.status_of(&campaign).await, "draft");
    desk.tell(&campaign, "start").await.problem(409);
    assert_eq!(counts(&desk.import(&campaign, TWO).await.expect(200)), [2, 0, 0, 0]);
    assert_eq!(desk.jobs(&campaign).await.len(), 2);
}

async fn an_upload_that_arrived_whole_is_carried_through_whoever_waits_for_the_reply(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.campaign(json!({})).await;
    let numbers: Vec<String> = (0..8_000).map(|at| format!("+1415{:07}", 5_550_000 + at)).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let csv = csv_of(&numbers);
    drop(begin_upload(&desk, &campaign, csv.len(), &csv).await);
    let shown = format!("/v1/campaigns/{campaign}");
    let total = async || desk.get(&shown).await["counters"]["total"].as_u64().unwrap();
    desk.until("the gyms are there", async || (total().await > 0).then_some(())).await;
    assert_eq!(total().await, 8_000);
    // And nothing is left open that would keep others out.
    assert_eq!(counts(&desk.import(&campaign, &csv_of(&["+12125550101"])).await.expect(200)), [1, 0, 0, 0]);
}

async fn a_campaign_takes_one_upload_at_a_time(keeper: Keeper) {
    let desk = Desk::on(keeper).await;
    let campaign = desk.campaign(json!({})).await;
    // Asked for, the server says when it begins to read the body: the import is open then.
    let mut socket =
        announce_upload(&desk, &campaign, TWO.len(), "Expect: 100-continue\r\nConnection: close\r\n").await;
    let mut head = [0; 25];
    within("100 Continue", socket.read_exact(&mut head)).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 100 Continue\r\n\r\n");
    desk.import(&campaign, TWO).await.problem(409);
    assert_eq!(desk.jobs(&campaign).await.len(), 0);
    let (first, second) = TWO.as_bytes().split_at(30);
    socket.write_all(first).await.unwrap();
    assert_eq!(desk.jobs(&campaign).await.len(), 0);
    socket.write_all(second).await.unwrap();
    let mut reply = String::new();
    within("the reply", socket.read_to_string(&mut reply)).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    assert_eq!(desk.jobs(&campaign).await.len(), 2);
}
