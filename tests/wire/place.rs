//! What a request for a call becomes on the wire, and what is made of each reply.
use std::net::TcpListener;
use std::time::Duration;

use crate::peer::{LONG, Peer, Seen, Then, a_call, answer, call_json, client, refusal, sid};
use gymcall::twilio::client::{MachineDetection, PlaceCall, Placement};
use gymcall::twilio::refusal::{Refusal, Verdict};
use tokio::time::Instant;
use url::Url;

/// Places one call against this peer; returns what came of it and what the peer saw.
async fn place(then: Then, timeout: Duration) -> (Placement, Seen) {
    let peer = Peer::start(vec![then]);
    let placement = peer.client(timeout).place(&a_call(LONG)).await;
    (placement, peer.finish())
}

async fn place_answered(bytes: String) -> Placement {
    let (placement, seen) = place(Then::Answer(bytes), LONG).await;
    assert_eq!((seen.connections, seen.requests.len()), (1, 1), "exactly one request");
    placement
}

fn is_unclear(placement: &Placement) -> bool {
    matches!(placement, Placement::Unclear { .. })
}

#[tokio::test]
async fn a_call_is_asked_for_once_in_the_documented_form() {
    let (placement, seen) = place(Then::Answer(answer("201 CREATED", &call_json("queued"))), LONG).await;
    assert_eq!(placement, Placement::Created { sid: sid() });
    assert_eq!(seen.connections, 1);
    let [request] = &seen.requests[..] else { panic!("{} requests", seen.requests.len()) };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /2010-04-01/Accounts/AC00000000000000000000000000000000/Calls.json HTTP/1.1\r\n"),
        "{head}"
    );
    // printf 'AC00…:the-token-nobody-may-see' | base64
    assert!(
        head.contains("Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDp0aGUtdG9rZW4tbm9ib2R5LW1heS1zZWU="),
        "{head}"
    );
    assert!(head.to_lowercase().contains("content-type: application/x-www-form-urlencoded"), "{head}");
    assert_eq!(
        body,
        "To=%2B14155550100&From=%2B15005550006\
         &Url=https%3A%2F%2Fgym.example%2Fv1%2Ftwilio%2Fvoice%3Fjob%3D1%26tag%3D2%23rc%3D5%26rp%3D5xx%2Cct%2Crt\
         &Method=POST\
         &StatusCallback=https%3A%2F%2Fgym.example%2Fv1%2Ftwilio%2Fstatus%3Fjob%3D1%26tag%3D2%23rc%3D5%26rp%3D5xx%2Cct%2Crt\
         &StatusCallbackMethod=POST\
         &StatusCallbackEvent=initiated&StatusCallbackEvent=ringing&StatusCallbackEvent=answered&StatusCallbackEvent=completed\
         &Timeout=30&TimeLimit=300"
    );
}

#[tokio::test]
async fn a_machine_is_listened_for_without_a_wait() {
    for (awaits_beep, mode) in [(false, "Enable"), (true, "DetectMessageEnd")] {
        let callback = "https://gym.example/v1/twilio/amd?job=1".parse().unwrap();
        let call = PlaceCall { detection: Some(MachineDetection { callback, awaits_beep }), ..a_call(LONG) };
        let peer = Peer::start(vec![Then::Answer(answer("201 CREATED", &call_json("queued")))]);
        let placement = peer.client(LONG).place(&call).await;
        assert_eq!(placement, Placement::Created { sid: sid() });
        let seen = peer.finish();
        let tail = format!(
            "&TimeLimit=300&MachineDetection={mode}&AsyncAmd=true\
             &AsyncAmdStatusCallback=https%3A%2F%2Fgym.example%2Fv1%2Ftwilio%2Famd%3Fjob%3D1\
             &AsyncAmdStatusCallbackMethod=POST"
        );
        assert!(seen.requests[0].ends_with(&tail), "{}", seen.requests[0]);
    }
}

#[tokio::test]
async fn no_connection_is_kept_between_two_calls() {
    let created = || Then::AnswerAndHang(answer("201 CREATED", &call_json("queued")));
    let peer = Peer::start(vec![created(), created()]);
    let client = peer.client(LONG);
    for _ in 0..2 {
        assert!(matches!(client.place(&a_call(LONG)).await, Placement::Created { .. }));
    }
    let seen = peer.finish();
    assert_eq!((seen.connections, seen.requests.len()), (2, 2));
}

#[tokio::test]
async fn the_name_of_a_live_call_is_never_lost_over_a_status_word() {
    let placement = place_answered(answer("201 CREATED", &call_json("teleporting"))).await;
    assert_eq!(placement, Placement::Created { sid: sid() });
    let placement = place_answered(answer("200 OK", &call_json("ringing"))).await;
    assert_eq!(placement, Placement::Created { sid: sid() });
}

#[tokio::test]
async fn throttling_is_certain() {
    let plain = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nslow";
    let Placement::NotCreated(refusal) = place_answered(plain.to_owned()).await else { panic!() };
    assert_eq!(refusal, Refusal::Throttled);
    assert_eq!(refusal.verdict(), Verdict::TryAgain);
}

#[tokio::test]
async fn a_refusal_that_twilio_wrote_is_certain_and_has_a_verdict() {
    let table = [
        ("400 BAD REQUEST", 21211, Verdict::GiveUpNumber),
        ("400 BAD REQUEST", 21215, Verdict::GiveUpNumber),
        ("400 BAD REQUEST", 21219, Verdict::GiveUpNumber),
        ("400 BAD REQUEST", 29999, Verdict::GiveUpNumber),
        ("400 BAD REQUEST", 21210, Verdict::PauseEverything),
        ("400 BAD REQUEST", 21205, Verdict::PauseEverything),
        ("401 UNAUTHORIZED", 20003, Verdict::PauseEverything),
        ("403 FORBIDDEN", 29999, Verdict::PauseEverything),
        ("404 NOT FOUND", 20404, Verdict::PauseEverything),
        ("400 BAD REQUEST", 20429, Verdict::TryAgain),
    ];
    for (status, code, verdict) in table {
        let Placement::NotCreated(refusal) = place_answered(crate::peer::refusal(status, code)).await else {
            panic!("{status} {code} is certain");
        };
        assert_eq!(refusal.verdict(), verdict, "{status} {code}");
        if verdict != Verdict::TryAgain {
            assert!(refusal.to_string().contains(&code.to_string()), "{refusal}");
        }
    }
}

#[tokio::test]
async fn a_number_that_is_none_keeps_twilios_words() {
    let placement = place_answered(refusal("400 BAD REQUEST", 21211)).await;
    let words = "so it is".to_owned();
    assert_eq!(placement, Placement::NotCreated(Refusal::BadNumber { code: 21211, message: words }));
}

#[tokio::test]
async fn whatever_proves_nothing_is_unclear() {
    let created = call_json("queued");
    let table = [
        ("500 with an error", refusal("500 INTERNAL SERVER ERROR", 20500)),
        ("503 without", answer("503 SERVICE UNAVAILABLE", "")),
        ("500 that holds a call", answer("500 INTERNAL SERVER ERROR", &created)),
        ("call already initiated", refusal("400 BAD REQUEST", 21204)),
        ("4xx of a proxy", answer("400 BAD REQUEST", "<html>no</html>")),
        ("4xx of a proxy with a code", answer("403 FORBIDDEN", r#"{"code":403,"message":"no"}"#)),
        ("4xx without a code", answer("400 BAD REQUEST", r#"{"code":null,"message":"no"}"#)),
        ("2xx without a call", answer("201 CREATED", "{}")),
        ("2xx with another sid", answer("201 CREATED", r#"{"sid":"CA12","status":"queued"}"#)),
        ("2xx without a body", answer("204 NO CONTENT", "")),
        ("2xx of something else", answer("200 OK", "<html>hello</html>")),
        ("garbage", "\u{1}\u{2}ring ring\r\n\r\n".to_owned()),
        ("nothing like HTTP", "SMTP/1.1 201 CREATED\r\n\r\n".to_owned()),
        ("half a body", answer("201 CREATED", &created).replace("Content-Length: ", "Content-Length: 9")),
    ];
    for (name, bytes) in table {
        let placement = place_answered(bytes).await;
        assert!(is_unclear(&placement), "{name}: {placement:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Peer::start(vec![]);
    let location =
        format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", elsewhere.base);
    for status in ["307 Temporary Redirect", "302 Found"] {
        let placement = place_answered(location.replace("307 Temporary Redirect", status)).await;
        assert!(is_unclear(&placement), "{placement:?}");
    }
    assert_eq!(elsewhere.finish().connections, 0);
}

#[tokio::test]
async fn a_connection_that_closes_is_unclear_and_not_tried_again() {
    for then in [Then::CloseAtOnce, Then::CloseAfterReading] {
        let (placement, seen) = place(then, LONG).await;
        assert!(is_unclear(&placement), "{placement:?}");
        assert_eq!(seen.connections, 1);
    }
}

#[tokio::test]
async fn a_reply_that_does_not_come_in_time_is_unclear() {
    let head_only = answer("201 CREATED", &call_json("queued"));
    let head_only = head_only.split_inclusive("\r\n\r\n").next().unwrap().to_owned();
    for then in [Then::Hang, Then::AnswerAndHang(head_only)] {
        let (placement, seen) = place(then, Duration::from_millis(300)).await;
        assert!(is_unclear(&placement), "{placement:?}");
        assert_eq!(seen.connections, 1);
    }
}

#[tokio::test]
async fn nothing_is_sent_past_the_deadline() {
    let peer = Peer::start(vec![]);
    let placement = peer.client(LONG).place(&a_call(Duration::ZERO)).await;
    let Placement::NotCreated(refusal) = placement else { panic!("{placement:?}") };
    assert!(matches!(refusal, Refusal::NotSent { .. }));
    assert_eq!(refusal.verdict(), Verdict::TryAgain);
    assert_eq!(peer.finish().connections, 0);
}

#[tokio::test]
async fn a_request_that_was_sent_in_time_is_waited_for() {
    let peer = Peer::start(vec![Then::Hang]);
    let (timeout, send_within) = (Duration::from_millis(900), Duration::from_millis(100));
    let started = Instant::now();
    let placement = peer.client(timeout).place(&a_call(send_within)).await;
    assert!(is_unclear(&placement), "{placement:?}");
    assert!(started.elapsed() >= timeout, "the time to send was taken for the time to wait");
    assert_eq!(peer.finish().connections, 1);
}

#[tokio::test]
async fn a_connection_that_fails_is_certain() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let nowhere: Url = "http://nowhere.invalid".parse().unwrap();
    for base in [base, nowhere] {
        let placement = client(base, LONG).place(&a_call(LONG)).await;
        assert!(matches!(placement, Placement::NotCreated(Refusal::NotSent { .. })), "{placement:?}");
    }
}

#[tokio::test]
async fn a_tls_handshake_that_fails_or_never_ends_is_certain() {
    let table = [(Then::CloseAtOnce, LONG), (Then::Hang, Duration::from_millis(600))];
    for (then, timeout) in table {
        let peer = Peer::start(vec![then]);
        let mut base = peer.base.clone();
        base.set_scheme("https").unwrap();
        let placement = client(base, timeout).place(&a_call(LONG)).await;
        assert!(matches!(placement, Placement::NotCreated(Refusal::NotSent { .. })), "{placement:?}");
        assert_eq!(peer.finish().connections, 1);
    }
}
