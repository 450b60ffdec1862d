//! Whoever watches hears of everything once, however often the connection breaks.

use gymcall::app::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::desk::{ANSWERS, BUSY, CURT, CURT_TOO, Desk, Keeper, id_of, within};
use super::http::Http;

on_each_keeper! {
    a_stream_that_broke_off_goes_on_where_it_was,
}

/// A connection to the stream of events.
pub struct Watch {
    response: reqwest::Response,
    left: String,
}

/// One event, as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    pub id: Option<String>,
    pub name: String,
    pub data: Value,
}

impl Watch {
    /// Begins behind the event that is named; `query` is what else is asked for.
    pub async fn open(http: &Http, last: Option<&str>, query: &str) -> Self {
        let request = http.request(Method::GET, &format!("/v1/events{query}"));
        let request = match last {
            Some(id) => request.header("last-event-id", id),
            None => request,
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut watch = Self { response, left: String::new() };
        // The first block names the place: from there on nothing is missed.
        let hello = watch.block().await.unwrap();
        assert!(hello.contains("retry:") && hello.contains("id: evt_"), "{hello}");
        watch
    }

    /// The next block of lines; none at the end of the stream.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.left.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.left = rest;
                return Some(block);
            }
            let chunk = within("an event", self.response.chunk()).await.ok()??;
            self.left.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event, comments and mere places passed over.
    pub async fn next(&mut self) -> Option<Heard> {
        loop {
            let block = self.block().await?;
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            if let Some(data) = field("data") {
                let (id, name) = (field("id").map(str::to_owned), field("event").unwrap().to_owned());
                return Some(Heard { id, name, data: serde_json::from_str(data).unwrap() });
            }
        }
    }

    /// All events up to this many of this name.
    pub async fn until(&mut self, name: &str, number: usize) -> Vec<Heard> {
        let mut heard: Vec<Heard> = Vec::new();
        while heard.iter().filter(|event| event.name == name).count() < number {
            heard.push(self.next().await.expect("the stream goes on"));
        }
        heard
    }
}

/// Everything that was ever told, up to the latest event now, which must be `last`.
pub async fn all_until(http: &Http, last: &str) -> Vec<Heard> {
    let mut watch = Watch::open(http, None, "?after=evt_0-0").await;
    let mut all = Vec::new();
    while all.last().is_none_or(|heard: &Heard| heard.id.as_deref() != Some(last)) {
        all.push(watch.next().await.expect("the stream goes on"));
    }
    all
}

async fn a_stream_that_broke_off_goes_on_where_it_was(keeper: Keeper) {
    let mut desk = Desk::on(keeper).await;
    let mut first = Watch::open(&desk.http, None, "").await;
    let campaign = desk.calling(&[ANSWERS, CURT, BUSY], json!({"max_attempts": 1})).await;
    let other = desk.calling(&[CURT_TOO], json!({"max_attempts": 1})).await;
    // Read some, and break off.
    let mut heard = first.until("job.dialing", 2).await;
    drop(first);
    let mut last = heard.last().unwrap().id.clone().unwrap();
    let over = |name: &str| ["job.completed", "job.failed"].contains(&name);
    while heard.iter().filter(|event| over(&event.name)).count() < 4 {
        // Every connection brings three more, and breaks.
        let mut again = Watch::open(&desk.http, Some(&last), "?after=evt_0-0").await;
        for _ in 0..3 {
            if heard.iter().filter(|event| over(&event.name)).count() < 4 {
                heard.push(again.next().await.unwrap());
            }
        }
        last = heard.last().unwrap().id.clone().unwrap();
        if let Some(done) = heard.last().filter(|event| event.name == "job.completed") {
            // The answers are in when it is told.
            let job = desk.job(done.data["data"]["job_id"].as_str().unwrap()).await;
            assert_eq!(job["answers"].as_array().map(Vec::len), Some(1), "{job}");
            assert_eq!(done.data["data"]["outcome"], "answered");
            assert_eq!(done.data["data"]["disposition"], job["disposition"]);
        }
    }
    assert_eq!(all_until(&desk.http, &last).await, heard, "something is missing, or came twice");
    let of_job = |job: &str| -> Vec<&str> {
        heard.iter().filter(|event| event.data["data"]["job_id"] == job).map(|event| event.name.as_str()).collect()
    };
    for job in desk.finished(&campaign).await {
        let names = of_job(&id_of(&job));
        let expected: &[&str] = match job["phone_number"].as_str().unwrap() {
            ANSWERS => &["job.dialing", "job.ringing", "job.answered", "job.completed"],
            CURT => &["job.dialing", "job.ringing", "job.answered", "job.failed"],
            _ => &["job.dialing", "job.failed"],
        };
        let names: Vec<&str> = names.into_iter().filter(|name| expected.contains(name)).collect();
        assert_eq!(names, expected, "{job}");
    }
    // Only what is about one campaign, for those who ask for it.
    let mut filtered = Watch::open(&desk.http, None, &format!("?after=evt_0-0&campaign={other}")).await;
    for event in filtered.until("job.failed", 1).await {
        assert_eq!(event.data["data"]["campaign_id"], *other, "{event:?}");
    }
    // A server that stops lets its watchers go.
    let mut watch = Watch::open(&desk.http, None, "").await;
    desk.stop().await;
    while watch.next().await.is_some() {}
}

#[tokio::test]
async fn a_place_that_is_not_known_is_a_gap_and_nonsense_is_refused() {
    let desk = Desk::open().await;
    desk.http.get("/v1/events?after=nonsense").await.blames("/after");
    desk.http.get("/v1/events?campaign=camp_x").await.problem(404);
    let mut watch = Watch::open(&desk.http, Some("evt_1-1"), "").await;
    let gap = watch.next().await.unwrap();
    assert_eq!((gap.name.as_str(), &gap.data["type"], gap.id), ("gap", &json!("gap"), None));
    // It goes on with what happens now.
    let campaign = desk.calling(&[CURT], json!({})).await;
    assert_eq!(watch.next().await.unwrap().data["data"]["campaign_id"], *campaign);
}

#[tokio::test]
async fn whoever_watches_another_server_hears_the_same() {
    let desk = Desk::on(Keeper::Redis).await;
    let other = desk.beside(Role::Serve, &[]).await;
    let mut watch = Watch::open(other.http(), None, "").await;
    desk.calling(&[CURT, CURT_TOO], json!({"max_attempts": 1})).await;
    let heard = watch.until("job.failed", 2).await;
    let last = heard.last().unwrap().id.clone().unwrap();
    assert_eq!(all_until(&desk.http, &last).await, heard);
}
