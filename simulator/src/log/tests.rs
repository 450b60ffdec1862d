use super::*;
use crate::fault::Fate;
use crate::status::Status;

fn create(sid: &str, to: &str) -> Event {
    Event::Create {
        ordinal: 0,
        sid: Some(sid.into()),
        to: to.into(),
        from: "+15005550006".into(),
        url: "http://127.0.0.1/voice".into(),
        params: vec![("To".into(), to.into())],
        created: true,
        http_status: Some(201),
        code: None,
        fate: Fate::default(),
    }
}

fn status(sid: &str, to: &str, status: Status) -> Event {
    Event::Status { sid: sid.into(), to: to.into(), status }
}

#[tokio::test]
async fn a_file_is_read_back_without_the_line_that_a_crash_cut_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.jsonl");
    let log = Log::open(Some(&path)).unwrap();
    log.add_synced(create("CA1", "+1")).await.unwrap();
    log.add(status("CA1", "+1", Status::NoAnswer));
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"at_ms\":12,\"eve").unwrap();
    let read = Log::read(&path).unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0], *log.entries()[0]);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(r#""event":"status","sid":"CA1","to":"+1","status":"no-answer""#));
}

#[test]
fn live_calls_are_counted_from_the_dialling_to_the_end() {
    let log = Log::open(None).unwrap();
    for event in [
        create("CA1", "+1"),
        create("CA2", "+1"),
        create("CA3", "+3"),
        status("CA1", "+1", Status::Initiated),
        status("CA1", "+1", Status::Ringing),
        status("CA3", "+3", Status::Initiated),
        status("CA1", "+1", Status::Busy),
        status("CA2", "+1", Status::Initiated),
        status("CA2", "+1", Status::Completed),
    ] {
        log.add(event);
    }
    let tally = log.tally();
    assert_eq!(tally.max_live, 2);
    assert_eq!(tally.max_live_by_number["+1"], 1);
    assert_eq!(tally.created_by_number["+1"], 2);
    assert_eq!(tally.dialled_by_number["+1"], 2);
    assert_eq!(tally.created[2].sid, "CA3");
}

#[tokio::test]
async fn a_feed_gives_old_entries_first_and_waits_for_new_ones() {
    let log = Log::open(None).unwrap();
    log.add(create("CA1", "+1"));
    let mut feed = log.subscribe();
    assert_eq!(feed.next().await.what.sid(), Some("CA1"));
    let waiting = tokio::spawn(async move { feed.wait_for(|event| matches!(event, Event::Status { .. })).await });
    log.add(create("CA2", "+1"));
    log.add(status("CA2", "+1", Status::Initiated));
    assert_eq!(waiting.await.unwrap().what.sid(), Some("CA2"));
}
