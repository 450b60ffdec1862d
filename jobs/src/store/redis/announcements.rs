//! What is told to those who watch: a stream, whose entries the server numbers by its clock.

use std::collections::HashMap;

use redis::{Value, cmd, from_redis_value};

use super::error::strange;
use super::keys::ANNOUNCEMENTS;
use super::link::Link;
use crate::announcement::{Announced, AnnouncementId, Announcements};
use crate::store::StoreError;
use crate::store::kept::{decode, page_size};

/// Entries as the server lists them: the id, then names and values in turn.
type Entries = Vec<(String, Vec<Vec<u8>>)>;

/// What was announced after an id.
pub(super) async fn list(link: &Link, after: AnnouncementId, limit: u32) -> Result<Announcements, StoreError> {
    let size = usize::try_from(page_size(limit)).unwrap_or(usize::MAX);
    // The entry itself, too: if it is still there, nothing after it is missing.
    let mut range = cmd("XRANGE");
    range.arg(ANNOUNCEMENTS).arg(number(after)).arg("+").arg("COUNT").arg(size.saturating_add(1));
    let entries: Entries = link.ask(&range).await?;
    let mut items = entries.iter().map(|(id, fields)| read(id, fields)).collect::<Result<Vec<_>, _>>()?;
    let is_there = items.first().is_some_and(|first| first.id == after);
    if is_there {
        items.remove(0);
    }
    items.truncate(size);
    let gap = !is_there && (after != AnnouncementId::START || something_is_gone(link).await?);
    Ok(Announcements { items, gap })
}

/// Whether the beginning of the list is not kept any more.
async fn something_is_gone(link: &Link) -> Result<bool, StoreError> {
    let there: bool = link.ask(cmd("EXISTS").arg(ANNOUNCEMENTS)).await?;
    if !there {
        return Ok(false);
    }
    let info: HashMap<String, Value> = link.ask(cmd("XINFO").arg("STREAM").arg(ANNOUNCEMENTS)).await?;
    let number = |name: &str| {
        let value = info.get(name).cloned().unwrap_or(Value::Nil);
        from_redis_value::<u64>(value).map_err(|_| strange(&format!("no {name}")))
    };
    Ok(number("entries-added")? > number("length")?)
}

/// The latest.
pub(super) async fn last(link: &Link) -> Result<AnnouncementId, StoreError> {
    let mut range = cmd("XREVRANGE");
    range.arg(ANNOUNCEMENTS).arg("+").arg("-").arg("COUNT").arg(1);
    let entries: Entries = link.ask(&range).await?;
    entries.first().map_or(Ok(AnnouncementId::START), |(id, _)| id_of(id))
}

fn number(id: AnnouncementId) -> String {
    format!("{}-{}", id.major, id.minor)
}

fn read(id: &str, fields: &[Vec<u8>]) -> Result<Announced, StoreError> {
    let record = fields.get(1).ok_or_else(|| StoreError::Corrupt(format!("announcement {id} is empty")))?;
    Ok(Announced { id: id_of(id)?, announcement: decode(record)? })
}

fn id_of(text: &str) -> Result<AnnouncementId, StoreError> {
    let parts = text.split_once('-').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let (major, minor) = parts.ok_or_else(|| strange(text))?;
    Ok(AnnouncementId { major, minor })
}
