//! What is told to those who watch: a stream, whose entries the server numbers by its clock.

use std::collections::HashMap;

use redis::{Value, cmd, from_redis_value};

use super::error::strange;
use super::keys::ANNOUNCEMENTS;
use super::link::Link;
use crate::announcement::{Announced, Announcement, AnnouncementId, Announcements};
use crate::store::kept::{decode, page_size};
use crate::store::{StoreError, pass_over};

/// Entries as the server lists them: the id, then names and values in turn.
type Entries = Vec<(String, Vec<Vec<u8>>)>;

/// What was announced after an id.
pub(super) async fn list(link: &Link, after: AnnouncementId, limit: u32) -> Result<Announcements, StoreError> {
    let size = usize::try_from(page_size(limit)).unwrap_or(usize::MAX);
    let (mut items, mut from, mut is_there) = (Vec::new(), number(after), false);
    // On past those that cannot be read, however many: a part that is empty would be taken for the end.
    while items.len() < size {
        // The entry itself, too: if it is still there, nothing after it is missing.
        let mut range = cmd("XRANGE");
        range.arg(ANNOUNCEMENTS).arg(&from).arg("+").arg("COUNT").arg(size.saturating_add(1));
        let entries: Entries = link.ask(&range).await?;
        for (id, fields) in &entries {
            let id = id_of(id)?;
            if id == after {
                is_there = true;
            } else if let Some(announcement) = pass_over(id, read(fields))? {
                items.push(Announced { id, announcement });
            }
        }
        match entries.last() {
            Some((last, _)) if entries.len() > size => from = format!("({last}"),
            _ => break,
        }
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

fn read(fields: &[Vec<u8>]) -> Result<Announcement, StoreError> {
    let record = fields.get(1).ok_or_else(|| StoreError::Corrupt("an announcement that is empty".to_owned()))?;
    decode(record)
}

fn id_of(text: &str) -> Result<AnnouncementId, StoreError> {
    let parts = text.split_once('-').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let (major, minor) = parts.ok_or_else(|| strange(text))?;
    Ok(AnnouncementId { major, minor })
}
