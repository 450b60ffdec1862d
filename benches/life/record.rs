//! What one life of ours says to Redis: the commands themselves, as `MONITOR` shows them.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use super::ours::{self, Kind};
use crate::stand::contestant::Program;
use crate::stand::folder;
use crate::stand::redis::Redis;
use crate::stand::resp::Connection;

/// A command and its arguments.
pub type Spoken = Vec<Vec<u8>>;

/// One life in the words of the wire.
pub struct Recording {
    /// What went before: scripts loaded, and whatever else a keeper stores when it begins.
    pub before: Vec<Spoken>,
    /// The life, in order: what concerned the server as a whole is left out.
    pub life: Vec<Spoken>,
    /// What names this one life: other lives have others, as long.
    pub names: [String; 4],
}

/// Commands that belong to a connection and leave nothing behind.
const OF_CONNECTIONS: [&str; 10] =
    ["AUTH", "CLIENT", "CONFIG", "ECHO", "HELLO", "INFO", "PING", "SELECT", "SUBSCRIBE", "SSUBSCRIBE"];

impl Recording {
    /// Lets one job live on a Redis of its own, alone, and listens.
    pub fn make() -> Result<Self, String> {
        let folder = folder();
        let redis = Redis::start(folder.path());
        let mut ear = redis.connect();
        ear.ask(&["MONITOR"]).map_err(|error| error.to_string())?;
        let port = redis.port().to_string();
        let mut program = Program::start("recorded", super::own([ours::word(Kind::OneRedis), &port, "1"]))?;
        program.until("ready")?;
        let before = heard(&redis, &mut ear);
        program.say();
        let names = program.until("names ")?;
        program.until("done")?;
        let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
        let names: [String; 4] = names.try_into().map_err(|names| format!("not four names: {names:?}"))?;
        let concerns =
            |command: &Spoken| command.iter().any(|part| names.iter().any(|name| holds(part, name.as_bytes())));
        let life: Vec<Spoken> = heard(&redis, &mut ear).into_iter().filter(concerns).collect();
        Ok(Self { before, life, names })
    }

    /// How often which command is in a life, for people.
    pub fn summary(&self) -> String {
        let mut counts: Vec<(String, usize)> = Vec::new();
        for command in &self.life {
            let mut name = String::from_utf8_lossy(&command[0]).to_uppercase();
            if name.starts_with("EVALSHA") || name == "FCALL" {
                name = format!("{name} {:.6}", String::from_utf8_lossy(&command[1]));
            }
            match counts.iter_mut().find(|(known, _)| *known == name) {
                Some((_, count)) => *count += 1,
                None => counts.push((name, 1)),
            }
        }
        counts.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    }

    /// A command of the life, for the life with this number.
    pub fn of(&self, command: &Spoken, life: usize) -> Spoken {
        let mut command = command.clone();
        for name in &self.names {
            // The ends of names are random or count; as many digits as a phone number has to spare.
            let other = format!("{}{life:07}", &name[..name.len() - 7]);
            for part in &mut command {
                *part = replaced(part, name.as_bytes(), other.as_bytes());
            }
        }
        command
    }

    pub fn write(&self, path: &Path) {
        let mut file = std::fs::File::create(path).unwrap();
        writeln!(file, "{}", self.names.join(" ")).unwrap();
        for (word, commands) in [("before", &self.before), ("life", &self.life)] {
            for command in commands {
                let parts =
                    command.iter().map(|part| part.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
                writeln!(file, "{word} {}", parts.collect::<Vec<_>>().join(" ")).unwrap();
            }
        }
    }

    pub fn read(path: &Path) -> Self {
        let mut lines = BufReader::new(std::fs::File::open(path).unwrap()).lines().map(Result::unwrap);
        let names: Vec<String> = lines.next().unwrap().split(' ').map(str::to_owned).collect();
        let (mut before, mut life) = (Vec::new(), Vec::new());
        for line in lines {
            let mut words = line.split(' ');
            let into = if words.next() == Some("life") { &mut life } else { &mut before };
            into.push(words.map(bytes).collect());
        }
        Self { before, life, names: names.try_into().unwrap() }
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// What was said up to now by others than scripts and ourselves.
fn heard(redis: &Redis, ear: &mut Connection) -> Vec<Spoken> {
    const END: &str = "all-was-heard";
    redis.connect().ask(&["ECHO", END]).unwrap();
    let mut commands = Vec::new();
    loop {
        let line = ear.line().unwrap();
        // +seconds [db client] "word" "word" …
        let Some((head, words)) = line.split_once("] ") else { continue };
        if head.ends_with(" lua") {
            continue;
        }
        let command = spoken(words);
        if command.get(1).is_some_and(|word| word == END.as_bytes()) {
            return commands;
        }
        let name = String::from_utf8_lossy(&command[0]).to_uppercase();
        if !OF_CONNECTIONS.contains(&name.as_str()) {
            commands.push(command);
        }
    }
}

/// The words of a line of `MONITOR`, which are quoted as in C.
fn spoken(line: &str) -> Spoken {
    let mut words = Vec::new();
    let mut bytes = line.bytes();
    while bytes.by_ref().any(|byte| byte == b'"') {
        let mut word = Vec::new();
        while let Some(byte) = bytes.next().filter(|byte| *byte != b'"') {
            word.push(match byte {
                b'\\' => match bytes.next().unwrap() {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'a' => 7,
                    b'b' => 8,
                    b'x' => {
                        let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                        u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
                    }
                    other => other,
                },
                byte => byte,
            });
        }
        words.push(word);
    }
    words
}

fn holds(part: &[u8], name: &[u8]) -> bool {
    part.windows(name.len()).any(|window| window == name)
}

fn replaced(part: &[u8], name: &[u8], other: &[u8]) -> Vec<u8> {
    let mut part = part.to_vec();
    let mut at = 0;
    while at + name.len() <= part.len() {
        if &part[at..at + name.len()] == name {
            part[at..at + name.len()].copy_from_slice(other);
            at += name.len();
        } else {
            at += 1;
        }
    }
    part
}
