//! News from the other processes. What this process writes, its listeners hear from it directly.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::RedisError;
use redis::aio::PubSub;

use super::error::OpenError;
use super::keys;
use super::link::Link;
use crate::store::{Change, kept};

/// How long subscribing may take.
const WITHIN: Duration = Duration::from_secs(4);
/// How long it rests before it subscribes again.
const REST: Duration = Duration::from_millis(100);

/// Subscribes, and answers what listens from then on.
pub(super) async fn listen(link: Arc<Link>) -> Result<impl Future<Output = ()>, OpenError> {
    let mut news = subscribe(&link).await.map_err(OpenError::Unreachable)?;
    Ok(async move {
        loop {
            {
                let mut messages = news.on_message();
                while let Some(message) = messages.next().await {
                    if let Some(change) = read(message.get_payload_bytes(), link.origin()) {
                        link.tell(change);
                    }
                }
            }
            news = again(&link).await;
            // A server that was started anew waits for the word of everybody who was there.
            let _: Result<(), _> = link.ask(&redis::cmd("PING")).await;
            // Whatever was told meanwhile is lost.
            link.tell(Change::Gap);
        }
    })
}

async fn subscribe(link: &Link) -> Result<PubSub, RedisError> {
    let mut news = link.client().get_async_pubsub().await?;
    news.subscribe(keys::NEWS).await?;
    Ok(news)
}

async fn again(link: &Link) -> PubSub {
    loop {
        tokio::time::sleep(REST).await;
        // A server that takes connections and says nothing would be waited for for ever.
        if let Ok(Ok(news)) = tokio::time::timeout(WITHIN, subscribe(link)).await {
            return news;
        }
    }
}

/// What a message says: who told it, what it is about, and its details.
fn read(message: &[u8], own: &str) -> Option<Change> {
    let mut words = std::str::from_utf8(message).ok()?.split(' ');
    if words.next()? == own {
        return None;
    }
    Some(match words.next()? {
        "job" => Change::Job {
            id: words.next()?.parse().ok()?,
            status: kept::status(words.next()?.parse().ok()?)?,
            run: words.next().and_then(|run| run.parse().ok()),
        },
        "campaign" => Change::Campaign(words.next()?.parse().ok()?),
        "suppression" => Change::Suppression,
        "endpoint" => Change::Endpoint,
        // A later version may tell more than this one understands.
        _ => Change::Gap,
    })
}
