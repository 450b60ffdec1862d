//! What was measured on, and how busy it was with other things.

use std::process::Command;

pub fn print() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or("?")
        .trim_start_matches([':', '\t', ' ']);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("machine   {cores} cores, {model}, Linux {}", read("/proc/sys/kernel/osrelease").trim());
    for (program, argument) in [("redis-server", "--version"), ("node", "--version"), ("python3", "--version")] {
        let output = Command::new(program).arg(argument).output();
        let version =
            output.map_or_else(|_| "none".to_owned(), |out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
        println!("{program:<9} {}", version.trim_start_matches("Redis server "));
    }
    println!("load      {}", load());
}

/// How many want to run, over the last minute. Above what this bench itself uses, somebody else is at work, and the
/// spread shows it.
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}
