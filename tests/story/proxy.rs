//! A proxy in front of the server, as a tunnel or a load balancer is one: it has an address of its own, and the server
//! never sees that.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::desk::{ANSWERS, Desk, Plan};

/// What it makes of a path.
#[derive(Debug, Clone, Copy)]
enum Path {
    Keeps,
    Strips(&'static str),
}

struct Proxy(JoinHandle<()>);

impl Drop for Proxy {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Passes each connection on, with its first head rewritten. Twilio makes one request on each.
fn serve(listener: TcpListener, server: String, path: Path) -> Proxy {
    Proxy(tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = server.clone();
            tokio::spawn(async move { pass_on(client, &server, path).await });
        }
    }))
}

async fn pass_on(mut client: TcpStream, server: &str, path: Path) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut some = [0; 1024];
        match client.read(&mut some).await {
            Ok(read) if read > 0 => head.extend(&some[..read]),
            _ => return,
        }
    }
    let text = String::from_utf8_lossy(&head);
    let (first, rest) = text.split_once("\r\n").unwrap();
    let first = match path {
        Path::Keeps => first.to_owned(),
        Path::Strips(prefix) => {
            assert!(first.contains(prefix), "{first}");
            first.replacen(prefix, "", 1)
        }
    };
    let headers = rest.split("\r\n").map(|line| match line.split_once(':') {
        Some((name, _)) if name.eq_ignore_ascii_case("host") => "Host: inside.example:8080".to_owned(),
        _ => line.to_owned(),
    });
    let head = [vec![first, "X-Forwarded-Host: forged.example".to_owned()], headers.collect()].concat().join("\r\n");
    if let Ok(mut server) = TcpStream::connect(server).await {
        let _ = server.write_all(head.as_bytes()).await;
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

/// A whole call, whose webhooks and sound come through a proxy that is known under `prefix`.
async fn a_call_through(prefix: &str, path: Path) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let public = format!("http://localhost:{}{prefix}", listener.local_addr().unwrap().port());
    // Settings live as long as the tests.
    let settings = vec![("PUBLIC_BASE_URL", &*String::leak(public.clone()))];
    let desk = Desk::of(Plan { settings, ..Plan::default() }).await;
    let _proxy = serve(listener, desk.http.base().trim_start_matches("http://").to_owned(), path);
    let campaign = desk.calling(&[ANSWERS], json!({})).await;
    let jobs = desk.finished(&campaign).await;
    assert_eq!(
        (&jobs[0]["outcome"], &jobs[0]["disposition"]),
        (&json!("answered"), &json!("answered_full")),
        "{path:?}"
    );
    assert!(desk.call_to(ANSWERS).url.starts_with(&format!("{}/v1/twilio/voice?", public.trim_end_matches('/'))));
}

#[tokio::test]
async fn signatures_hold_behind_a_proxy_that_rewrites_host_and_port() {
    a_call_through("", Path::Keeps).await;
}

#[tokio::test]
async fn a_path_before_ours_may_be_taken_away_by_the_proxy_or_left() {
    a_call_through("/phone/calls", Path::Strips("/phone/calls")).await;
    a_call_through("/phone/calls", Path::Keeps).await;
    a_call_through("/:odd/calls/", Path::Keeps).await;
}
