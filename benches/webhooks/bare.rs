//! The limit: an axum handler that runs one script and does nothing else. It trusts whoever asks, knows no job, and decides
//! nothing.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::routing::post;
use redis::Script;
use redis::aio::MultiplexedConnection;

/// A record with its version, and a history.
const SCRIPT: &str = "
    local version = tonumber(redis.call('GETRANGE', KEYS[1], 0, 9)) or 0
    redis.call('SET', KEYS[1], string.format('%010d', version + 1) .. ARGV[1])
    redis.call('RPUSH', KEYS[2], ARGV[1])
    return 'ok'
";

#[derive(Clone)]
struct Desk {
    connection: MultiplexedConnection,
    script: Arc<Script>,
}

/// Serves for as long as it lives.
pub fn bare(port: u16, redis: u16) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = redis::Client::open(format!("redis://127.0.0.1:{redis}/")).unwrap();
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        let desk = Desk { connection, script: Arc::new(Script::new(SCRIPT)) };
        let app = Router::new().route("/v1/twilio/status", post(status)).with_state(desk);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        // As ours does not, either: an answer is one small packet, and nothing waits behind it.
        axum::serve(listener, app).await.unwrap();
    });
}

async fn status(State(mut desk): State<Desk>, uri: Uri, body: Bytes) -> StatusCode {
    let call = uri.query().unwrap_or_default();
    let mut run = desk.script.key(call);
    run.key(format!("log:{call}")).arg(body.as_ref());
    match run.invoke_async::<String>(&mut desk.connection).await {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
