//! Questions about calls, changes to them, and what no text of the client may show.
use std::time::Duration;

use crate::peer::{LONG, Peer, SID, TOKEN, Then, a_call, answer, call_json, client, refusal, sid};
use gymcall::twilio::callback::CallStatus;
use gymcall::twilio::client::{Account, Client, RequestError};
use gymcall::twilio::refusal::Refusal;
use gymcall_jobs::outcome::AnsweredBy;

#[tokio::test]
async fn a_call_is_read_and_changed_at_its_own_address() {
    let ended = call_json("completed")
        .replace(r#""duration":null,"price":null"#, r#""duration":"17","price":"-0.03000""#)
        .replace(r#""answered_by":null"#, r#""answered_by":"machine_end_beep""#);
    let ok = |body: &str| Then::Answer(answer("200 OK", body).replace("\r\nDate", "\r\nConnection: close\r\nDate"));
    let peer = Peer::start(vec![ok(&ended), ok(&ended), ok(&call_json("canceled"))]);
    let client = peer.client(LONG);

    let call = client.fetch(&sid()).await.unwrap();
    assert_eq!((call.sid, call.status, call.duration_s), (sid(), CallStatus::Completed, Some(17)));
    assert_eq!(call.date_created, Some("2026-11-23T13:59:58Z".parse().unwrap()));
    assert_eq!(call.price.as_deref(), Some("-0.03000"));
    assert_eq!(call.answered_by, Some(AnsweredBy::MachineEndBeep));
    assert_eq!(client.hang_up(&sid()).await.unwrap().status, CallStatus::Completed);
    assert_eq!(client.take_back(&sid()).await.unwrap().status, CallStatus::Canceled);

    let seen = peer.finish();
    let path = format!("/2010-04-01/Accounts/AC00000000000000000000000000000000/Calls/{SID}.json HTTP/1.1\r\n");
    assert!(seen.requests[0].starts_with(&format!("GET {path}")));
    assert!(seen.requests[1].starts_with(&format!("POST {path}")));
    assert!(seen.requests[1].ends_with("\r\n\r\nStatus=completed"));
    assert!(seen.requests[2].ends_with("\r\n\r\nStatus=canceled"));
}

#[tokio::test]
async fn a_listing_brings_the_calls_and_twilios_time() {
    let (queued, ringing) = (call_json("queued"), call_json("ringing"));
    let body = format!(
        r#"{{"first_page_uri":"/x","next_page_uri":null,"page":0,"page_size":50,"calls":[{queued},{ringing}]}}"#
    );
    let peer = Peer::answering(answer("200 OK", &body));
    let listing = peer.client(LONG).list("+14155550100", "+15005550006").await.unwrap();
    let statuses: Vec<_> = listing.calls.iter().map(|call| call.status).collect();
    assert_eq!(statuses, [CallStatus::Queued, CallStatus::Ringing]);
    assert_eq!(listing.server_date, Some("2026-11-23T14:00:00Z".parse().unwrap()));
    let request = &peer.finish().requests[0];
    assert!(request.contains("/Calls.json?To=%2B14155550100&From=%2B15005550006&PageSize=50 HTTP"), "{request}");
}

#[tokio::test]
async fn a_long_list_goes_on_at_the_same_place_wherever_the_page_points() {
    let next = "https://elsewhere.example/2010-04-01/Calls.json?From=%2B15005550006&PageSize=200&PageToken=PA1";
    let page = |next: &str, call: &str| answer("200 OK", &format!(r#"{{"next_page_uri":{next},"calls":[{call}]}}"#));
    let close = |answer: String| Then::Answer(answer.replace("\r\nDate", "\r\nConnection: close\r\nDate"));
    let first = close(page(&format!("\"{next}\""), &call_json("ringing")));
    let peer = Peer::start(vec![first, close(page("null", &call_json("busy")))]);
    let client = peer.client(LONG);
    let listing = client.list_from("+15005550006", None).await.unwrap();
    let more = client.list_from("+15005550006", listing.next.as_ref()).await.unwrap();
    assert_eq!((listing.calls[0].status, more.calls[0].status), (CallStatus::Ringing, CallStatus::Busy));
    assert_eq!(more.next, None);
    let seen = peer.finish().requests;
    assert!(seen[0].contains("/Calls.json?From=%2B15005550006&PageSize=200 HTTP"), "{}", seen[0]);
    assert!(seen[1].contains("/Calls.json?From=%2B15005550006&PageSize=200&PageToken=PA1 HTTP"), "{}", seen[1]);
}

#[tokio::test]
async fn a_listing_with_a_call_that_cannot_be_read_is_no_listing() {
    let body = format!(r#"{{"calls":[{},{}]}}"#, call_json("queued"), call_json("teleporting"));
    let peer = Peer::answering(answer("200 OK", &body));
    let error = peer.client(LONG).list("+14155550100", "+15005550006").await.unwrap_err();
    assert!(matches!(error, RequestError::Unreadable { http: 200, .. }), "{error}");
}

#[tokio::test]
async fn the_events_of_a_call_show_which_urls_twilio_requested() {
    let url = "https://gym.example/v1/twilio/voice?job=1&tag=2";
    let body = format!(
        r#"{{"events":[{{"request":{{"method":"POST","url":"{url}","parameters":{{"CallSid":"{SID}"}}}},"response":{{"response_code":200}}}},{{"request":null,"response":null}}],"page":0}}"#
    );
    let peer = Peer::answering(answer("200 OK", &body));
    assert_eq!(peer.client(LONG).request_urls(&sid()).await.unwrap(), [url]);
    assert!(peer.finish().requests[0].contains(&format!("/Calls/{SID}/Events.json?")));
}

#[tokio::test]
async fn a_question_without_an_answer_says_which_kind() {
    let fetched = async |bytes: String| {
        let peer = Peer::answering(bytes);
        let error = peer.client(LONG).fetch(&sid()).await.unwrap_err();
        assert_eq!(peer.finish().requests.len(), 1);
        error
    };
    assert_eq!(fetched(refusal("404 NOT FOUND", 20404)).await, RequestError::NotFound);
    assert_eq!(fetched(refusal("400 BAD REQUEST", 21220)).await, RequestError::WrongState);
    let error = fetched(refusal("401 UNAUTHORIZED", 20003)).await;
    assert!(matches!(error, RequestError::Refused(Refusal::BadCredentials { code: 20003, .. })));
    // Something was not found, but not the call.
    let error = fetched(refusal("404 NOT FOUND", 20009)).await;
    assert!(matches!(error, RequestError::Refused(Refusal::Other { code: 20009, .. })), "{error}");
    let error = fetched(answer("404 NOT FOUND", "<html>no route</html>")).await;
    assert!(matches!(error, RequestError::Unreadable { http: 404, .. }), "{error}");
    let error = fetched(answer("502 BAD GATEWAY", "")).await;
    assert!(matches!(error, RequestError::Unreadable { http: 502, .. }), "{error}");
    let peer = Peer::start(vec![Then::Hang]);
    let error = peer.client(Duration::from_millis(300)).hang_up(&sid()).await.unwrap_err();
    assert!(matches!(error, RequestError::NoReply { .. }), "{error}");
    peer.finish();
}

#[tokio::test]
async fn no_text_shows_the_token_the_tag_or_who_was_called() {
    let client = client("http://127.0.0.1:1".parse().unwrap(), LONG);
    let call = a_call(LONG);
    let error = client.list("+14155550100", "+15005550006").await.unwrap_err();
    let placement = client.place(&call).await;
    let texts = format!("{client:?} {call:?} {placement:?} {error} {error:?}");
    assert!(!texts.contains(TOKEN) && !texts.contains("tag=2"), "{texts}");
    let texts = format!("{placement:?} {error} {error:?}");
    assert!(!texts.contains("14155550100"), "{texts}");
}

#[test]
fn a_base_url_that_would_leak_or_cannot_work_is_refused() {
    for base in ["ftp://api.twilio.com", "mailto:x@y", "https://user:pass@api.twilio.com"] {
        let account = Account {
            account_sid: "AC0".to_owned(),
            auth_token: TOKEN.to_owned().into(),
            base_url: base.parse().unwrap(),
            from_number: String::new(),
        };
        assert!(Client::new(account, LONG).is_err(), "{base}");
    }
}
