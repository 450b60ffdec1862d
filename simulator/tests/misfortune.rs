//! Faults of webhooks and of requests that create no call, and the history that a seed repeats.

use crate::support::app::App;
use crate::support::rest::{Client, rest_of};
use crate::support::{over, settings, soon, start};
use gymcall_simulator::{Entry, Event, Faults, Log, Settings, Simulator, Status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

async fn with_faults(toml: &str, seed: u64) -> Simulator {
    start(Settings { faults: Faults::from_toml(toml).unwrap(), seed, ..settings() }).await
}

async fn busy_call(simulator: &Simulator, app: &App) -> String {
    let sid = Client::of(simulator).created("+14155550107", &[("Url", &app.url("/voice"))]).await;
    over(simulator, &sid).await;
    sid
}

#[tokio::test]
async fn reads_and_updates_fail_by_kind_and_only_so_often() {
    let app = App::start("<Response/>").await;
    let simulator = with_faults(
        "[[request]]\nof = ['fetch']\ntimes = 1\nthrottle = true\n[[request]]\nof = ['list']\ntimes = 1\nerror = true",
        0,
    )
    .await;
    let client = Client::of(&simulator);
    let sid = busy_call(&simulator, &app).await;
    let call = format!("/Calls/{sid}.json");
    let reply = client.get(&call).await;
    assert_eq!((reply.status, reply.json["code"].as_u64()), (429, Some(20429)));
    assert_eq!(client.get(&call).await.status, 200);
    assert_eq!(client.get("/Calls.json").await.status, 500);
    assert_eq!(client.get("/Calls.json").await.status, 200);
    let noted = |entry: &std::sync::Arc<Entry>| matches!(entry.what, Event::Request { .. });
    assert_eq!(simulator.log().entries().iter().filter(|entry| noted(entry)).count(), 2);
}

#[tokio::test]
async fn an_update_may_be_done_although_its_reply_is_an_error_or_a_reset() {
    for fault in ["error_after", "reset_after"] {
        let app = App::start("<Response><Pause length='60'/></Response>").await;
        let simulator = with_faults(&format!("[[request]]\nof = ['update']\n{fault} = true"), 0).await;
        let client = Client::of(&simulator);
        let sid = client.created("+14155550101", &[("Url", &app.url("/voice"))]).await;
        let mut socket = client.ask("POST", &format!("/Calls/{sid}.json"), "Status=completed").await;
        let (bytes, end) = rest_of(&mut socket).await;
        match fault {
            "error_after" => assert!(String::from_utf8(bytes).unwrap().starts_with("HTTP/1.1 500")),
            _ => assert!(bytes.is_empty() && end.is_err()),
        }
        assert!(over(&simulator, &sid).await.last().unwrap().is_final());
    }
}

#[tokio::test]
async fn a_reset_request_is_not_done() {
    let app = App::start("<Response><Pause length='60'/></Response>").await;
    let simulator = with_faults("[[request]]\nof = ['update']\nreset = true", 0).await;
    let client = Client::of(&simulator);
    let sid = client.created("+14155550101", &[("Url", &app.url("/voice"))]).await;
    let mut feed = simulator.log().subscribe();
    soon(feed.wait_for(|event| matches!(event, Event::Status { status: Status::InProgress, .. }))).await;
    let mut socket = client.ask("POST", &format!("/Calls/{sid}.json"), "Status=completed").await;
    assert!(rest_of(&mut socket).await.1.is_err());
    assert_eq!(client.call(&sid).await["status"], "in-progress");
}

#[tokio::test]
async fn the_voice_url_may_be_asked_twice() {
    let mut app = App::start("<Response/>").await;
    let simulator = with_faults("[[fault]]\nvoice_twice = true", 0).await;
    let sid = Client::of(&simulator).created("+14155550101", &[("Url", &app.url("/voice"))]).await;
    over(&simulator, &sid).await;
    let asked: Vec<_> = app.rest().into_iter().filter(|got| got.uri == "/voice").collect();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].params, asked[1].params);
    // Two requests, not two tries of one.
    let token = "i-twilio-idempotency-token";
    assert_ne!(asked[0].header(token), asked[1].header(token));
}

#[tokio::test]
async fn a_lost_reply_leads_to_the_fallback_although_the_app_has_answered() {
    let mut app = App::start("<Response/>").await;
    let simulator = with_faults("[[fault]]\nwebhook_reply_lost = true\nwebhook_delay_ms = 100", 0).await;
    let (voice, fallback) = (app.url("/voice"), app.url("/voice-fallback"));
    let params = [("Url", voice.as_str()), ("FallbackUrl", &fallback)];
    let sid = Client::of(&simulator).created("+14155550101", &params).await;
    over(&simulator, &sid).await;
    assert_eq!(app.next().await.uri, "/voice");
    let second = app.next().await;
    assert_eq!((second.uri.as_str(), second.get("ErrorUrl")), ("/voice-fallback", Some(voice.as_str())));
    let entries = simulator.log().entries();
    let picked_up = entries
        .iter()
        .find(|entry| matches!(entry.what, Event::Status { status: Status::InProgress, .. }))
        .unwrap()
        .at_ms;
    let asked = entries.iter().find(|entry| matches!(entry.what, Event::Webhook { .. })).unwrap().at_ms;
    assert!(asked - picked_up >= 100, "{}", asked - picked_up);
}

#[tokio::test]
async fn a_calls_webhooks_may_be_signed_wrongly() {
    for (forgery, is_there) in [("wrong", true), ("other_token", true), ("missing", false)] {
        let mut app = App::start("<Response/>").await;
        let simulator =
            with_faults(&format!("[[fault]]\nnumbers = ['+14155550101']\nsignature = '{forgery}'"), 0).await;
        let client = Client::of(&simulator);
        client.created("+14155550101", &[("Url", &app.url("/voice"))]).await;
        let got = app.next().await;
        assert!(!got.signed, "{forgery}");
        assert_eq!(got.headers.contains_key("x-twilio-signature"), is_there, "{forgery}");
        client.created("+14155550102", &[("Url", &app.url("/voice"))]).await;
        assert!(app.next().await.signed);
    }
}

#[tokio::test]
async fn user_and_password_of_a_url_are_sent_only_when_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = tokio::spawn(async move {
        let mut heads = Vec::new();
        for reply in [
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"app\"\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 11\r\n\r\n<Response/>",
        ] {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut read = vec![0; 8192];
            let length = socket.read(&mut read).await.unwrap();
            heads.push(String::from_utf8_lossy(&read[..length]).into_owned());
            socket.write_all(reply.as_bytes()).await.unwrap();
        }
        heads
    });
    let simulator = start(settings()).await;
    let url = format!("http://me:p%40ss@{address}/voice");
    let sid = Client::of(&simulator).created("+14155550101", &[("Url", &url)]).await;
    over(&simulator, &sid).await;
    let heads = soon(app).await.unwrap();
    assert!(!heads[0].contains("Authorization"), "{}", heads[0]);
    // me:p@ss
    assert!(heads[1].contains("\r\nAuthorization: Basic bWU6cEBzcw==\r\n"), "{}", heads[1]);
    // Neither is signed, nor shown in the log.
    let signed = crate::support::app::sign(&format!("http://{address}/voice"), &params_of(&heads[1]));
    assert!(heads[1].contains(&format!("X-Twilio-Signature: {signed}")));
    let log = simulator.log().entries();
    assert!(log.iter().all(|entry| !matches!(&entry.what, Event::Webhook { url, .. } if url.contains("p%40ss"))));
}

#[tokio::test]
async fn a_reply_whose_chunk_has_no_end_ends_the_call() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/voice", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nffffffffffffffff\r\n";
        socket.write_all(reply.as_bytes()).await.unwrap();
        // Until the other side has read it.
        let _ = socket.read_to_end(&mut Vec::new()).await;
    });
    let simulator = start(settings()).await;
    let sid = Client::of(&simulator).created("+14155550101", &[("Url", &url)]).await;
    assert!(over(&simulator, &sid).await.last().unwrap().is_final());
    assert!(crate::support::warnings(&simulator).contains(&11750));
}

fn params_of(request: &str) -> Vec<(String, String)> {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

/// What happens to six calls, three at a time, under these faults.
async fn history(app: &App, seed: u64) -> String {
    let simulator = with_faults(
        "[[fault]]\nrate = 0.4\ntwice = true\n[[fault]]\nrate = 0.3\nerror_after_create = true\n\
         [[request]]\nof = ['list']\nrate = 0.5\nthrottle = true",
        seed,
    )
    .await;
    let client = Client::of(&simulator);
    let (voice, status) = (app.url("/voice"), app.url("/status"));
    let params = [
        ("Url", voice.as_str()),
        ("StatusCallback", &status),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackEvent", "completed"),
    ];
    for to in ["+14155550107", "+14155550113", "+14155550116"].repeat(2) {
        client.create(to, &params).await;
        client.get("/Calls.json").await;
    }
    let mut feed = simulator.log().subscribe();
    // Until all that was made has ended and been told of: what is told twice has two requests.
    let mut open: i64 = 6;
    let mut told: i64 = 0;
    while open > 0 || told > 0 {
        match &soon(feed.next()).await.what {
            Event::Create { sid, fate, .. } => {
                assert!(sid.is_some());
                told += if fate.twice { 2 } else { 1 };
            }
            Event::Status { status, .. } if status.is_final() => open -= 1,
            Event::Webhook { params, .. } => {
                let last = ["completed", "busy", "failed"];
                told -= i64::from(
                    params.iter().any(|(name, value)| name == "CallStatus" && last.contains(&value.as_str())),
                );
            }
            _ => {}
        }
    }
    let entries: Vec<Entry> = simulator.log().entries().iter().map(|entry| (**entry).clone()).collect();
    Log::history(&entries)
}

#[tokio::test]
async fn a_seed_repeats_its_history_to_the_letter() {
    let app = App::start("<Response><Pause length='1'/></Response>").await;
    let first = history(&app, 7).await;
    assert_eq!(first, history(&app, 7).await);
    assert_ne!(first, history(&app, 8).await);
    assert!(first.starts_with("request 1\n  create To=\"+14155550107\""), "{first}");
    assert!(first.contains("CallSid=\"CA#2\"") && first.contains("Timestamp=\"*\""), "{first}");
}

#[tokio::test]
async fn the_page_follows_the_log_and_is_for_this_machine_only() {
    let app = App::start("<Response/>").await;
    let simulator = start(settings()).await;
    let host = simulator.url().strip_prefix("http://").unwrap().to_owned();
    let ask = async |path: &str, name: &str| {
        let mut socket = TcpStream::connect(&host).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        socket
    };
    let (page, _) = rest_of(&mut ask("/", &host).await).await;
    let page = String::from_utf8(page).unwrap();
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<title>A Twilio on this machine</title>"));
    let policy = page.lines().find(|line| line.starts_with("content-security-policy: ")).unwrap();
    assert!(policy.contains("default-src 'none'"));
    // Nothing from elsewhere, and text only as text.
    assert!(!page.contains("src=") && !page.contains("innerHTML") && !page.contains("//cdn"));

    let mut feed = ask("/log", "localhost:4010").await;
    let sid = Client::of(&simulator).created("+14155550107", &[("Url", &app.url("/voice"))]).await;
    let mut told = String::new();
    while !told.contains("\"status\":\"busy\"") {
        let mut bytes = vec![0; 4096];
        let length = soon(feed.read(&mut bytes)).await.unwrap();
        assert!(length > 0, "{told}");
        told += &String::from_utf8_lossy(&bytes[..length]);
    }
    assert!(told.contains("text/event-stream") && told.contains(&sid));

    // A name that only leads here is another site's.
    for path in ["/", "/log"] {
        for name in ["evil.example:4010", "127.0.0.1.evil.example:4010", "127.evil.example", "[2001:db8::1]:4010", ""] {
            let mut refused = vec![0; 12];
            soon(ask(path, name).await.read_exact(&mut refused)).await.unwrap();
            assert_eq!(refused, b"HTTP/1.1 404", "{name}");
        }
    }
    for name in ["[::1]", "[::1]:4010", "127.0.0.1", "localhost"] {
        let (page, _) = rest_of(&mut ask("/", name).await).await;
        assert!(page.starts_with(b"HTTP/1.1 200"), "{name}");
    }
}
