//! Recordings over the REST API: started, paused, stopped, listed, heard, deleted.

use crate::support::app::{App, Got};
use crate::support::rest::Client;
use crate::support::{over, settings, soon, start};
use gymcall_simulator::{Event, Simulator};

const TALKER: &str = "+14155550101";

/// A call that is being talked, and its recordings' path.
async fn talking(app: &mut App, simulator: &Simulator) -> (String, String) {
    let sid = Client::of(simulator).created(TALKER, &[("Url", &app.url("/voice"))]).await;
    app.next_to("/voice").await;
    let path = format!("/Calls/{sid}/Recordings");
    (sid, path)
}

async fn ended(simulator: &Simulator, recording: &str) {
    let mut feed = simulator.log().subscribe();
    let is_over = |event: &Event| match event {
        Event::Recording { recording_sid, status, .. } => recording_sid == recording && status == "completed",
        _ => false,
    };
    soon(feed.wait_for(is_over)).await;
}

#[tokio::test]
async fn a_recording_is_started_paused_resumed_and_stopped() {
    let mut app = App::start("<Response><Pause length='60'/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let (call, path) = talking(&mut app, &simulator).await;
    let callback = app.url("/recording");
    let started = client
        .post(
            &format!("{path}.json"),
            &[
                ("RecordingStatusCallback", &callback),
                ("RecordingStatusCallbackEvent", "in-progress completed"),
                ("RecordingChannels", "dual"),
            ],
        )
        .await;
    assert_eq!(started.status, 201, "{}", started.json);
    let (sid, it) = (started.json["sid"].as_str().unwrap(), &started.json);
    assert_eq!(
        (it["status"].as_str(), it["channels"].as_u64(), it["source"].as_str()),
        (Some("in-progress"), Some(2), Some("StartCallRecordingAPI"))
    );
    assert_eq!(
        (it["call_sid"].as_str(), it["track"].as_str(), it["price_unit"].as_str()),
        (Some(call.as_str()), Some("both"), Some("USD"))
    );
    let got = app.next_to("/recording").await;
    assert_eq!((got.signed, got.get("RecordingStatus")), (true, Some("in-progress")));

    let change = async |of: &str, params: &[(&str, &str)]| {
        let reply = client.post(&format!("{path}/{of}.json"), params).await;
        (reply.status, reply.json["status"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(change(sid, &[("Status", "paused"), ("PauseBehavior", "skip")]).await, (200, "paused".to_owned()));
    assert_eq!(change("Twilio.CURRENT", &[("Status", "in-progress")]).await, (200, "in-progress".to_owned()));
    assert_eq!(change(sid, &[("Status", "in-progress")]).await.0, 400);
    assert_eq!(change(sid, &[("Status", "paused"), ("PauseBehavior", "hold")]).await.0, 400);
    assert_eq!(change(sid, &[("Status", "louder")]).await.0, 400);
    let deleted = client.send("DELETE", &format!("{path}/{sid}.json"), "").await;
    assert_eq!(deleted.json["code"], 20009);
    let media = client.get(&format!("{path}/{sid}.wav")).await;
    assert_eq!(media.status, 404, "nothing to hear before it has ended");
    // So that there is something to keep.
    let mut feed = simulator.log().subscribe();
    soon(feed.wait_for(|event| matches!(event, Event::Said { .. }))).await;
    assert_eq!(change(sid, &[("Status", "stopped")]).await, (200, "completed".to_owned()));
    let got = app.next_to("/recording").await;
    assert_eq!((got.get("RecordingStatus"), got.get("RecordingSid")), (Some("completed"), Some(sid)));
    client.post(&format!("/Calls/{call}.json"), &[("Status", "completed")]).await;
    over(&simulator, &call).await;
    let late = client.post(&format!("{path}.json"), &[]).await;
    assert_eq!((late.status, late.json["code"].as_u64()), (400, Some(21220)));
}

#[tokio::test]
async fn recordings_are_listed_heard_and_deleted_for_a_call_and_for_the_account() {
    let mut app = App::start("<Response><Pause length='2'/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let (call, path) = talking(&mut app, &simulator).await;
    let mut sids = Vec::new();
    for _ in 0..2 {
        let started = client.post(&format!("{path}.json"), &[]).await;
        sids.push(started.json["sid"].as_str().unwrap().to_owned());
    }
    over(&simulator, &call).await;
    ended(&simulator, &sids[0]).await;
    sids.reverse();
    let listed = async |path: &str| {
        let page = client.get(path).await.json;
        let all = page["recordings"].as_array().unwrap().clone();
        all.iter().map(|one| one["sid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&format!("{path}.json")).await, sids);
    assert_eq!(listed("/Recordings.json").await, sids);
    assert_eq!(listed(&format!("/Recordings.json?CallSid={call}&PageSize=1")).await, sids[..1]);
    assert!(listed("/Recordings.json?CallSid=CA00000000000000000000000000000000").await.is_empty());
    assert!(listed("/Recordings.json?DateCreated%3C=2020-01-01").await.is_empty());

    let sid = &sids[0];
    let one = client.get(&format!("/Recordings/{sid}.json")).await.json;
    let seconds: u64 = one["duration"].as_str().unwrap().parse().unwrap();
    assert!((1..=3).contains(&seconds), "{seconds}");
    for file in [format!("/Recordings/{sid}.wav"), format!("/Recordings/{sid}"), format!("{path}/{sid}.wav")] {
        let (head, sound) = client.bytes(&file).await;
        assert!(head.contains(" 200 ok") && head.contains("content-type: audio/x-wav"), "{head}");
        assert_eq!((&sound[..4], &sound[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
        assert_eq!(sound[22], 1, "one channel");
        assert!(sound.len() > 8000 * 2, "{} bytes", sound.len());
    }
    let (_, sound) = client.bytes(&format!("/Recordings/{sid}.wav?RequestedChannels=2")).await;
    assert_eq!(sound[22], 2, "two channels");
    let mp3 = client.get(&format!("/Recordings/{sid}.mp3")).await;
    assert_eq!(mp3.status, 404);
    assert!(mp3.json["message"].as_str().unwrap().contains("MP3"));

    assert_eq!(client.send("DELETE", &format!("/Recordings/{sid}.json"), "").await.status, 204);
    assert_eq!(client.get(&format!("/Recordings/{sid}.json")).await.status, 404);
    assert_eq!(client.send("DELETE", &format!("{path}/{}.json", sids[1]), "").await.status, 204);
    assert!(listed("/Recordings.json").await.is_empty());
}

#[tokio::test]
async fn a_call_is_recorded_as_it_was_ordered() {
    let mut app = App::start("<Response><Pause length='2'/></Response>").await;
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let callback = app.url("/recording");
    let order = [
        ("Url", app.url("/voice")),
        ("Record", "true".to_owned()),
        ("RecordingChannels", "dual".to_owned()),
        ("RecordingTrack", "both".to_owned()),
        ("Trim", "do-not-trim".to_owned()),
        ("RecordingStatusCallback", callback),
        ("RecordingStatusCallbackMethod", "GET".to_owned()),
        ("RecordingStatusCallbackEvent", "in-progress completed".to_owned()),
        ("StatusCallback", app.url("/status")),
    ];
    let order: Vec<(&str, &str)> = order.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let call = client.created(TALKER, &order).await;
    let mut seen: Vec<Got> = Vec::new();
    let has = |seen: &[Got], what: &str| seen.iter().filter(|got| got.uri.contains(what)).count();
    while has(&seen, "RecordingStatus=completed") == 0 || has(&seen, "/status") == 0 {
        seen.push(app.next().await);
    }
    assert_eq!(has(&seen, "RecordingStatus=in-progress"), 1);
    assert!(seen.iter().all(|got| got.signed && (got.method == "GET") == got.uri.starts_with("/recording")));
    // No events were named for the call itself, so only its end is told of.
    assert_eq!((has(&seen, "/status"), app.rest().len()), (1, 0));
    let status = seen.iter().find(|got| got.uri == "/status").unwrap();
    assert_eq!(status.status(), "completed");
    let listed = client.get(&format!("/Calls/{call}/Recordings.json")).await.json["recordings"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let one = &listed[0];
    assert_eq!(
        (one["channels"].as_u64(), one["track"].as_str(), one["source"].as_str()),
        (Some(2), Some("both"), Some("OutboundAPI"))
    );
    assert_eq!(status.get("RecordingSid"), one["sid"].as_str());
    let (_, sound) = client.bytes(&format!("/Recordings/{}.wav", one["sid"].as_str().unwrap())).await;
    // Nothing is trimmed: two seconds of two channels, two bytes a sample.
    assert!(sound.len() > 2 * 8000 * 2 * 2 * 9 / 10, "{} bytes", sound.len());
}
