//! CPU time of processes, as the kernel counts it.

use std::collections::HashMap;
use std::time::Duration;

/// The kernel tells in hundredths of a second, on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// User and system time of a process, of its children that have ended, and of those that live, and so on.
pub fn of_tree(pid: u32) -> Duration {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut ticks = HashMap::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some((parent, used)) = stat(pid) {
            children.entry(parent).or_default().push(pid);
            ticks.insert(pid, used);
        }
    }
    let (mut total, mut open) = (0, vec![pid]);
    while let Some(pid) = open.pop() {
        total += ticks.get(&pid).copied().unwrap_or_default();
        open.extend(children.remove(&pid).unwrap_or_default());
    }
    TICK * u32::try_from(total).unwrap()
}

/// The parent, and the ticks used.
fn stat(pid: u32) -> Option<(u32, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything, brackets and spaces too.
    let fields: Vec<&str> = stat[stat.rfind(')')? + 2..].split(' ').collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let used = number(11)? + number(12)? + number(13)? + number(14)?;
    Some((u32::try_from(number(1)?).ok()?, used))
}

/// Resident memory in bytes.
pub fn memory(pid: u32) -> u64 {
    status(pid, "VmRSS:")
}

/// The most resident memory that there was up to now, in bytes.
pub fn most_memory(pid: u32) -> u64 {
    status(pid, "VmHWM:")
}

fn status(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or_default() * 1024
}
