//! The limit: the same durable work without any logic.
//!
//! - SQLite: nine rows a life, about as large as ours, 64 rows a transaction, one thread.
//! - Redis: the commands that one life of ours sends, replayed for fresh ids from a bare client, 64 lives at a time,
//!   each step of all 64 in one write, so that they share one sync to the disk.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use super::record::Recording;
use super::{AT_ONCE, own};
use crate::stand::contestant::Contestant;
use crate::stand::redis::Redis;
use crate::stand::resp::{self, Connection};

const WRITES: usize = 9;
/// About what a record and the entry of its history take.
const RECORD: usize = 900;

pub fn sqlite(name: &'static str, each: usize, jobs: usize) -> Contestant {
    Contestant {
        name,
        jobs,
        with_redis: false,
        command: Box::new(move |_, folder, jobs| -> Command {
            own([Path::new("limit-sqlite"), folder, jobs.to_string().as_ref(), each.to_string().as_ref()])
        }),
        check: Box::new(|_, _| Ok(())),
    }
}

/// As many rows as the lives have writes, so many a transaction.
pub fn rows(folder: &Path, jobs: usize, each: usize) {
    let mut db = rusqlite::Connection::open(folder.join("plain.sqlite3")).unwrap();
    db.pragma_update(None, "journal_mode", "wal").unwrap();
    db.pragma_update(None, "synchronous", "full").unwrap();
    db.execute("create table rows (number integer primary key, writes integer, record text)", []).unwrap();
    let record = "x".repeat(RECORD);
    super::ours::step("ready");
    let sql = "insert into rows values (?1, 1, ?2) on conflict do update set writes = writes + 1, record = ?2";
    // All lives of a batch make their first write, then all their second, as 64 at once would.
    let writes: Vec<usize> = (0..jobs)
        .step_by(each.max(AT_ONCE))
        .flat_map(|first| (0..WRITES).flat_map(move |_| first..(first + each.max(AT_ONCE)).min(jobs)))
        .collect();
    for batch in writes.chunks(each) {
        let transaction = db.transaction().unwrap();
        for number in batch {
            let mut insert = transaction.prepare_cached(sql).unwrap();
            insert.execute((i64::try_from(*number).unwrap(), &record)).unwrap();
        }
        transaction.commit().unwrap();
    }
    super::ours::step("done");
    let sql = format!("select count(*) from rows where writes = {WRITES}");
    let whole: i64 = db.query_row(&sql, [], |row| row.get(0)).unwrap();
    println!("checked {whole}");
}

/// Replays a recorded life.
pub fn redis(name: &'static str, recording: PathBuf, jobs: usize, keys_of_ours: Rc<Cell<i64>>) -> Contestant {
    Contestant {
        name,
        jobs,
        with_redis: true,
        command: Box::new(move |port, _, jobs| -> Command {
            let (port, jobs) = (port.to_string(), jobs.to_string());
            own([Path::new("limit-redis"), port.as_ref(), jobs.as_ref(), &recording])
        }),
        // Whether all that ours keeps is there in the end.
        check: Box::new(move |redis, jobs| {
            let (keys, ours) = (redis.map_or(0, Redis::keys), keys_of_ours.get());
            let per_job = |keys: i64| (keys as f64 / jobs as f64 * 10.0).round();
            if per_job(keys) == per_job(ours) {
                Ok(())
            } else {
                Err(format!("the replay left {keys} keys, ours {ours}"))
            }
        }),
    }
}

/// The same commands for fresh names, 64 lives at a time, each step of theirs in one write.
pub fn replay(port: u16, jobs: usize, recording: &Path) {
    let recording = Recording::read(recording);
    let mut redis = Connection::open(port).unwrap();
    for command in &recording.before {
        let reply = redis.ask(command).unwrap();
        // A script is first asked for by its name, and then brought.
        assert!(!reply.is_error() || reply.text().starts_with("NOSCRIPT"), "{}", reply.text());
    }
    // Made ready before anything is measured: this client only writes and reads.
    let lives: Vec<usize> = (0..jobs).collect();
    let mut batches: Vec<(Vec<u8>, usize)> = Vec::new();
    for lives in lives.chunks(AT_ONCE) {
        for command in &recording.life {
            let mut bytes = Vec::new();
            for life in lives {
                resp::encode(&mut bytes, &recording.of(command, *life));
            }
            batches.push((bytes, lives.len()));
        }
    }
    super::ours::step("ready");
    let mut refused = 0;
    for (bytes, replies) in batches {
        redis.write(&bytes).unwrap();
        for _ in 0..replies {
            refused += usize::from(redis.reply().unwrap().is_error());
        }
    }
    super::ours::step("done");
    assert_eq!(refused, 0, "commands were refused");
    println!("checked {jobs}");
}
