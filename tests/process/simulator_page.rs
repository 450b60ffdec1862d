//! The commands of `docs/simulator.md`, run from its top to its end as somebody would who reads it.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use gymcall_simulator::{Event, Log};

/// The shell's blocks, in order.
fn commands() -> String {
    let mut rest = include_str!("../../docs/simulator.md");
    let mut script = String::new();
    while let Some((_, after)) = rest.split_once("\n```sh\n") {
        let (block, after) = after.split_once("\n```\n").unwrap();
        script += block;
        script.push('\n');
        rest = after;
    }
    script
}

/// The same, at ports that are free here.
fn at_free_ports(script: &str) -> String {
    let free: Vec<TcpListener> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let mut script = script.replacen("gymcall simulator --pace", "gymcall simulator --bind 127.0.0.1:4010 --pace", 1);
    for (listener, written) in free.iter().zip(["4010", "4011", "4012"]) {
        assert!(script.contains(written), "{written} is not used any more");
        script = script.replace(written, &listener.local_addr().unwrap().port().to_string());
    }
    script
}

#[test]
fn every_command_of_the_page_works_as_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    symlink(root.join("simulator"), folder.path().join("simulator")).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_gymcall")).parent().unwrap().display();
    let script = format!(
        "set -eu -o pipefail\ntrap 'kill $(jobs -p); wait' EXIT\nPATH={program}:$PATH\n{}\n",
        at_free_ports(&commands())
    );
    // No setting of whoever runs the tests may reach the simulators, but the shell must find its programs.
    let mut shell = Command::new("timeout");
    shell.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").args(["60", "bash", "-c", &script]);
    let done = shell.current_dir(folder.path()).stdin(Stdio::null()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{}\n{out}\n{err}", done.status);
    assert!(out.contains("We are open from 6 am to 10 pm every day"), "{out}\n{err}");

    let log = Log::read(&folder.path().join("calls.jsonl")).unwrap();
    let created = log.iter().filter(|entry| matches!(entry.what, Event::Create { created: true, .. })).count();
    assert_eq!(created, 2);
    assert!(folder.path().join("seven.jsonl").exists());
}
