//! What a server must be like before records are trusted to it.

use std::collections::HashMap;

use redis::aio::MultiplexedConnection;
use redis::{InfoDict, RedisError, cmd};

use super::error::OpenError;

/// The oldest version that the scripts and the tests know.
const OLDEST: u32 = 7;

/// What is done with a server that may lose confirmed writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It is refused.
    Strict,
    /// It is used all the same. A server that crashes may then forget intents, and whole imports.
    AcceptWeak,
}

/// A server as it presents itself.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// Which of its lives this is: a new one after every start.
    pub(super) run_id: String,
}

/// Looks at the server. An error of the connection is the outer one.
pub(super) async fn look(
    connection: &mut MultiplexedConnection,
    durability: Durability,
) -> Result<Result<Server, OpenError>, RedisError> {
    let info: InfoDict = cmd("INFO").arg("server").query_async(connection).await?;
    let replication: InfoDict = cmd("INFO").arg("replication").query_async(connection).await?;
    let run_id: String = info.get("run_id").unwrap_or_default();
    let version: String = info.get("redis_version").unwrap_or_default();
    let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    if major < OLDEST {
        return Ok(unfit(format!("it is version {version}"), format!("Use {OLDEST}.0 or newer")));
    }
    let role: String = replication.get("role").unwrap_or_default();
    if role != "master" {
        return Ok(unfit(format!("it is a {role}, not a primary"), "Point REDIS_URL at the primary"));
    }
    let mode: String = info.get("redis_mode").unwrap_or_default();
    if mode == "cluster" {
        return Ok(unfit("it is a cluster", "Use one primary with its own append-only file"));
    }
    if durability == Durability::Strict
        && let Err(unfit) = settings(connection).await?
    {
        return Ok(Err(unfit));
    }
    Ok(Ok(Server { run_id }))
}

fn unfit<T>(what: impl Into<String>, mend: impl Into<String>) -> Result<T, OpenError> {
    Err(OpenError::Unfit { what: what.into(), mend: mend.into() })
}

/// The settings by which a confirmed write survives, each with what it must be.
const SETTINGS: [(&str, &str, &str); 3] = [
    ("appendonly", "yes", "without it everything is gone when Redis ends"),
    ("appendfsync", "always", "otherwise a crash forgets the last second: calls that were made would be made again"),
    ("maxmemory-policy", "noeviction", "any other lets Redis throw records away when its memory is full"),
];

async fn settings(connection: &mut MultiplexedConnection) -> Result<Result<(), OpenError>, RedisError> {
    let accept = "or pass --accept-weak-durability and bear the risk";
    for (name, wanted, why) in SETTINGS {
        let asked: Result<HashMap<String, String>, _> =
            cmd("CONFIG").arg("GET").arg(name).query_async(connection).await;
        let found = match asked {
            Ok(found) => found.get(name).cloned().unwrap_or_default(),
            Err(error) if error.is_unrecoverable_error() => return Err(error),
            Err(error) => {
                let what = format!("its {name} cannot be read ({error})");
                return Ok(unfit(what, format!("Allow CONFIG GET for this user, {accept}")));
            }
        };
        if found != wanted {
            let mend = format!(
                "Set `{name} {wanted}` in redis.conf, or now with `redis-cli config set {name} {wanted}`; {accept}"
            );
            return Ok(unfit(format!("its {name} is {found}, and {why}"), mend));
        }
    }
    Ok(Ok(()))
}
