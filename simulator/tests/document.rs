//! Documents over real sockets: where they come from, and what becomes of a call whose document cannot be had.

use crate::support::app::App;
use crate::support::rest::Client;
use crate::support::{heard_until, over, settings, start, warnings};
use axum::http::header::CONTENT_TYPE;
use gymcall_simulator::Status;

const QUIET: &str = "+14155550113";

#[tokio::test]
async fn a_document_that_cannot_be_had_is_asked_of_the_fallback() {
    let mut app = App::start("").await;
    let xml = [(CONTENT_TYPE, "text/xml")];
    app.serve("/error", 500, &xml, b"<Response/>");
    app.serve("/malformed", 200, &xml, b"<Response><Say>");
    app.serve("/root", 200, &xml, b"<html/>");
    app.serve("/type", 200, &[(CONTENT_TYPE, "application/json")], b"{}");
    app.serve("/untyped", 200, &[], b"<Response/>");
    app.serve("/large", 200, &xml, &[b' '; 65 * 1024]);
    app.serve("/empty", 200, &xml, b"");
    app.redirect("/round", 302, "/round");
    app.redirect("/astray", 307, "http://");
    app.page("/fallback", "<Response/>");
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let fallback = app.url("/fallback");
    let gone = format!("http://{}/gone", free_address().await);
    for (url, code) in [
        (app.url("/error"), 11200),
        (gone, 11205),
        (app.url("/malformed"), 12100),
        (app.url("/root"), 12102),
        (app.url("/type"), 12300),
        (app.url("/untyped"), 12300),
        (app.url("/large"), 11750),
        (app.url("/empty"), 12100),
        (app.url("/round"), 11215),
        (app.url("/astray"), 11216),
    ] {
        let sid = client.created(QUIET, &[("Url", &url), ("FallbackUrl", &fallback)]).await;
        let got = app.next_to("/fallback").await;
        assert_eq!(got.get("ErrorCode"), Some(code.to_string().as_str()), "{url}");
        assert_eq!(got.get("ErrorUrl"), Some(url.as_str()));
        assert!(got.signed);
        assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
        assert_eq!(warnings(&simulator).last(), Some(&code), "{url}");
    }
}

/// An address nobody listens at.
async fn free_address() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn without_a_fallback_or_with_one_that_fails_too_the_call_is_hung_up() {
    let mut app = App::start("<Response><Redirect>/error</Redirect></Response>").await;
    app.serve("/error", 503, &[], b"");
    let simulator = start(settings()).await;
    let client = Client::of(&simulator);
    let sid = client.created(QUIET, &[("Url", &app.url("/voice"))]).await;
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
    let error = app.url("/error");
    let sid = client.created(QUIET, &[("Url", &app.url("/voice")), ("FallbackUrl", &error)]).await;
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
    let asked = app.rest().iter().filter(|got| got.uri == "/error").count();
    assert_eq!(asked, 2, "a fallback is not asked to mend itself");
    let twiml = "<Response><Say></Response>";
    client.created(QUIET, &[("Twiml", twiml), ("FallbackUrl", &app.url("/other"))]).await;
    let got = app.next_to("/other").await;
    assert_eq!((got.get("ErrorCode"), got.get("ErrorUrl")), (Some("12100"), Some("")));
}

#[tokio::test]
async fn redirects_of_a_url_are_followed_and_its_documents_are_relative_to_the_last() {
    let mut app = App::start("").await;
    app.redirect("/start", 307, "/a/b?x=1");
    app.redirect("/a/b", 302, "c/d");
    app.page("/a/c/d", "<Response><Redirect>e</Redirect></Response>");
    app.page("/a/c/e", "<Response><Redirect method='GET'>/end?y=2#rc=3</Redirect></Response>");
    app.page("/end", "<Response/>");
    let simulator = start(settings()).await;
    let sid = Client::of(&simulator).created(QUIET, &[("Url", &app.url("/start"))]).await;
    over(&simulator, &sid).await;
    let seen: Vec<(String, String)> = app
        .rest()
        .iter()
        .map(|got| {
            assert!(got.signed, "{got:?}");
            (got.method.clone(), got.uri.split("CallSid").next().unwrap().to_owned())
        })
        .collect();
    let seen: Vec<(&str, &str)> = seen.iter().map(|(method, uri)| (method.as_str(), uri.as_str())).collect();
    let expected =
        [("POST", "/start"), ("POST", "/a/b?x=1"), ("GET", "/a/c/d?"), ("POST", "/a/c/e"), ("GET", "/end?y=2&")];
    assert_eq!(seen, expected);
    assert!(warnings(&simulator).is_empty());
}

#[tokio::test]
async fn a_loop_without_a_sound_ends() {
    let mut app = App::start("<Response><Redirect>/voice</Redirect></Response>").await;
    let simulator = start(settings()).await;
    let sid = Client::of(&simulator).created(QUIET, &[("Url", &app.url("/voice"))]).await;
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
    assert_eq!(warnings(&simulator), [11215]);
    assert_eq!(app.rest().len(), 100);
}

#[tokio::test]
async fn plain_text_is_read_aloud() {
    let app = App::start("").await;
    app.serve("/plain", 200, &[(CONTENT_TYPE, "text/plain; charset=utf-8")], b"Nobody is here\n");
    let simulator = start(settings()).await;
    let sid = Client::of(&simulator).created(QUIET, &[("Url", &app.url("/plain"))]).await;
    // The call ends with the last word, so the callee has no time to take it in.
    assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
    assert!(warnings(&simulator).is_empty());
    let call = Client::of(&simulator).call(&sid).await;
    assert_eq!(call["duration"], "1");
}

#[tokio::test]
async fn what_is_said_is_heard_as_often_as_it_is_said() {
    let app = App::start(
        "<Response><Say voice='alice' language='en-GB' loop='2'>Good <break/>morning</Say><Pause length='1'/>\
         <Say>It is <sub alias='six'>6</sub></Say><Pause length='3'/></Response>",
    )
    .await;
    let simulator = start(settings()).await;
    let sid = Client::of(&simulator).created(QUIET, &[("Url", &app.url("/voice"))]).await;
    let turns = heard_until(&simulator, &sid, "six").await;
    assert_eq!(turns.concat(), "Good morningGood morningIt is six");
    assert_eq!(turns.last().unwrap(), "It is six", "a pause ends a turn");
    assert!(warnings(&simulator).is_empty());
}

#[tokio::test]
async fn hangup_and_reject_end_the_call_and_what_follows_is_not_done() {
    for verb in ["<Hangup/>", "<Reject reason='busy'/>"] {
        let mut app = App::start(&format!("<Response>{verb}<Redirect>/never</Redirect></Response>")).await;
        let simulator = start(settings()).await;
        let sid = Client::of(&simulator).created(QUIET, &[("Url", &app.url("/voice"))]).await;
        // Somebody has picked up: it cannot be refused any more.
        assert_eq!(over(&simulator, &sid).await.last(), Some(&Status::Completed));
        assert_eq!(app.rest().len(), 1);
    }
}

#[tokio::test]
async fn a_trial_accounts_message_comes_before_the_document() {
    let mut app = App::start("<Response><Say>And now ours</Say><Pause length='3'/></Response>").await;
    let mut settings = settings();
    settings.account.numbers.push(crate::support::FROM.to_owned());
    let message = "This is a trial account.".to_owned();
    settings.account.trial = Some(gymcall_simulator::Trial { message, ..gymcall_simulator::Trial::default() });
    settings.account.verified.push(QUIET.to_owned());
    let simulator = start(settings).await;
    let sid = Client::of(&simulator).created(QUIET, &[("Url", &app.url("/voice"))]).await;
    app.next_to("/voice").await;
    let heard = heard_until(&simulator, &sid, "ours").await;
    assert_eq!(heard.concat(), "This is a trial account.And now ours");
}
