//! Numbers that may not be called.

use redis::{cmd, pipe};

use super::keys;
use super::link::{Again, Link};
use super::record::encode;
use super::script::{self, Call};
use crate::id::RunId;
use crate::phone::PhoneNumber;
use crate::store::kept::{decode, id, page, page_size};
use crate::store::{Change, Page, Standing, StoreError, Suppressed, Suppression, pass_over};

/// Adds many numbers, and answers whose attempts hold them.
pub(super) async fn add_all(link: &Link, list: &[Suppression]) -> Result<Vec<Suppressed>, StoreError> {
    if list.is_empty() {
        return Ok(Vec::new());
    }
    let mut call = Call::of(&script::SUPPRESS);
    call.push(link.origin()).push(list.len());
    for suppression in list {
        call.push(suppression.phone.as_str()).push(encode(suppression)?);
    }
    // A second time finds the numbers on the list, where it was to put them.
    let ran = link.run(&call, Again::Safe).await?;
    if ran.answer.word() != "ok" {
        return Err(ran.answer.error());
    }
    let mut suppressed = Vec::with_capacity(list.len());
    for (number, flag) in ran.answer.part(2)?.bytes().enumerate() {
        let holder = Some(ran.answer.part(number + 3)?).filter(|holder| !holder.is_empty());
        suppressed.push(Suppressed { new: flag == b'1', holder: holder.map(id).transpose()? });
    }
    for _ in suppressed.iter().filter(|suppressed| suppressed.new) {
        link.tell(Change::Suppression);
    }
    Ok(suppressed)
}

/// How these numbers stand to a run and to the list.
pub(super) async fn standings(
    link: &Link,
    run: Option<&RunId>,
    phones: &[PhoneNumber],
) -> Result<Vec<Standing>, StoreError> {
    if phones.is_empty() {
        return Ok(Vec::new());
    }
    let phones: Vec<&str> = phones.iter().map(PhoneNumber::as_str).collect();
    let batches: Vec<u64> = match run {
        Some(run) => link.ask(cmd("ZRANGE").arg(keys::shown(run)).arg(0).arg(-1)).await?,
        None => Vec::new(),
    };
    let mut questions = pipe();
    for batch in batches {
        questions.cmd("SMISMEMBER").arg(keys::phones(batch)).arg(&phones);
    }
    let listed: Vec<Option<Vec<u8>>> = link.ask(cmd("HMGET").arg(keys::SUPPRESSED).arg(&phones)).await?;
    let known: Vec<Vec<u8>> = if questions.is_empty() { Vec::new() } else { link.ask_all(&questions).await? };
    let standing = |(at, listed): (usize, Option<Vec<u8>>)| Standing {
        in_run: known.iter().any(|batch| batch.get(at) == Some(&1)),
        suppressed: listed.is_some(),
    };
    Ok(listed.into_iter().enumerate().map(standing).collect())
}

/// The suppression list by number. The cursor is the last number of the page before.
pub(super) async fn list(link: &Link, after: Option<&str>, limit: u32) -> Result<Page<Suppression>, StoreError> {
    if after.is_some_and(|after| !after.starts_with('+')) {
        return Err(StoreError::BadCursor);
    }
    let size = page_size(limit);
    let after = after.map_or_else(|| "-".to_owned(), |after| format!("({after}"));
    let mut range = cmd("ZRANGEBYLEX");
    range.arg(keys::SUPPRESSED_LIST).arg(after).arg("+").arg("LIMIT").arg(0).arg(size + 1);
    let phones: Vec<String> = link.ask(&range).await?;
    if phones.is_empty() {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let values: Vec<Option<Vec<u8>>> = link.ask(cmd("HMGET").arg(keys::SUPPRESSED).arg(&phones)).await?;
    let mut found = Vec::new();
    for (phone, value) in phones.into_iter().zip(values) {
        let Some(value) = value else { continue };
        let suppression = pass_over(&phone, decode(&value))?;
        found.push((phone, suppression));
    }
    Ok(page(found, size))
}
