//! The limit: the commands for what an import of ours has left, one after the other, as `redis-cli --pipe` takes them. Nobody
//! reads a row, checks a number, looks for duplicates or asks whether a record is there.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::life::{own, step};
use crate::stand::contestant::Contestant;
use crate::stand::redis::Redis;
use crate::stand::resp::{Connection, Reply, encode};

/// Keys beside those of the rows: the queue, the list and the numbers.
const OTHER_KEYS: i64 = 3;
const PREFIX: &str = "{gymcall}:";

pub fn contestant(rows: usize, commands: PathBuf) -> Contestant {
    let command = move |port: u16, _: &Path, rows: usize| {
        own([Path::new("ready-made"), port.to_string().as_ref(), rows.to_string().as_ref(), &commands])
    };
    Contestant {
        name: "redis-cli --pipe",
        jobs: rows,
        with_redis: true,
        command: Box::new(command),
        check: Box::new(|_, _| Ok(())),
    }
}

/// As a contestant of its own process.
pub fn replay(port: &str, rows: &str, commands: &str) {
    step("ready");
    let input = File::open(commands).unwrap();
    let replayed = Command::new("redis-cli").args(["-p", port, "--pipe"]).stdin(input).stdout(Stdio::null()).status();
    assert!(replayed.is_ok_and(|status| status.success()), "redis-cli --pipe failed");
    step("done");
    let mut redis = Connection::open(port.parse().unwrap()).unwrap();
    let expected: i64 = rows.parse().unwrap();
    match redis.ask(&["DBSIZE"]).unwrap() {
        Reply::Number(keys) if keys == expected + OTHER_KEYS => println!("checked {rows}"),
        other => println!("checked {other:?} keys"),
    }
}

/// Writes down what this import's rows are in the store: a record, its places in two lists, its number.
pub fn write(redis: &Redis, rows: usize, path: &Path) {
    let mut connection = redis.connect();
    let batch = many(connection.ask(&["SMEMBERS", &format!("{PREFIX}visible")]).unwrap()).remove(0);
    let key = |name: &str| format!("{PREFIX}{name}");
    let (list, queue, phones) =
        (key(&format!("batch:{batch}:0")), key(&format!("due:{batch}")), key(&format!("phones:{batch}")));
    // Which row has which number makes no difference to the commands.
    let mut numbers = many(connection.ask(&["SMEMBERS", &phones]).unwrap()).into_iter();
    let mut file = std::io::BufWriter::new(File::create(path).unwrap());
    for first in (0..rows).step_by(1_000) {
        let (from, to) = (first.to_string(), (first + 999).to_string());
        let listed = many(connection.ask(&["ZRANGE", &list, &from, &to, "WITHSCORES"]).unwrap());
        let ids: Vec<&String> = listed.iter().step_by(2).collect();
        let keys: Vec<String> = ids.iter().map(|id| key(&format!("job:{id}"))).collect();
        let ask = |command: &str, of: Option<&String>, names: Vec<&String>| {
            let mut words = vec![command.to_owned()];
            words.extend(of.cloned());
            words.extend(names.into_iter().cloned());
            words
        };
        let Reply::Many(values) = connection.ask(&ask("MGET", None, keys.iter().collect())).unwrap() else {
            panic!("no records");
        };
        let times = many(connection.ask(&ask("ZMSCORE", Some(&queue), ids.clone())).unwrap());
        let mut bytes = Vec::new();
        for (at, id) in ids.iter().enumerate() {
            let Reply::Bulk(Some(value)) = &values[at] else { panic!("no record") };
            encode(&mut bytes, &[b"SET", keys[at].as_bytes(), value.as_slice()]);
            encode(&mut bytes, &["SADD", phones.as_str(), &numbers.next().unwrap()]);
            encode(&mut bytes, &["ZADD", list.as_str(), listed[2 * at + 1].as_str(), id.as_str()]);
            encode(&mut bytes, &["ZADD", queue.as_str(), times[at].as_str(), id.as_str()]);
        }
        file.write_all(&bytes).unwrap();
    }
    file.flush().unwrap();
}

fn many(reply: Reply) -> Vec<String> {
    match reply {
        Reply::Many(replies) => replies.iter().map(Reply::text).collect(),
        other => panic!("no list: {other:?}"),
    }
}
