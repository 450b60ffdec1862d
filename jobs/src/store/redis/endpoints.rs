//! Endpoints that announcements are delivered to: each a field of one hash, its version before its record.

use redis::cmd;

use super::keys::ENDPOINTS;
use super::link::Link;
use super::record::{encode, endpoint};
use super::script::Call;
use crate::endpoint::Endpoint;
use crate::store::{EndpointWrite, StoreError, Stored, pass_over};

/// A write of an endpoint, as the scripts read it.
pub(super) fn push(call: &mut Call, write: Option<&EndpointWrite>) -> Result<(), StoreError> {
    match write {
        None => call.none(),
        Some(EndpointWrite::Put { endpoint, from }) => {
            call.push(endpoint.id.as_str()).push("put").maybe(*from).push(encode(endpoint)?)
        }
        Some(EndpointWrite::Remove(id)) => call.push(id.as_str()).push("remove"),
    };
    Ok(())
}

/// Whether a write of an endpoint that may have been carried out before is what is stored now.
pub(super) async fn is_written(link: &Link, write: &EndpointWrite) -> Result<bool, StoreError> {
    Ok(match write {
        EndpointWrite::Put { endpoint, .. } => {
            one(link, endpoint.id.as_str()).await?.is_some_and(|stored| stored.record == *endpoint)
        }
        EndpointWrite::Remove(id) => one(link, id.as_str()).await?.is_none(),
    })
}

/// One endpoint.
pub(super) async fn one(link: &Link, id: &str) -> Result<Option<Stored<Endpoint>>, StoreError> {
    let value: Option<Vec<u8>> = link.ask(cmd("HGET").arg(ENDPOINTS).arg(id)).await?;
    value.map(|value| endpoint(&value)).transpose()
}

/// All of them, the oldest first.
pub(super) async fn all(link: &Link) -> Result<Vec<Stored<Endpoint>>, StoreError> {
    let values: Vec<(String, Vec<u8>)> = link.ask(cmd("HGETALL").arg(ENDPOINTS)).await?;
    let mut found = Vec::new();
    for (id, value) in values {
        found.extend(pass_over(id, endpoint(&value))?);
    }
    found.sort_by(|one, other| one.record.id.cmp(&other.record.id));
    Ok(found)
}
