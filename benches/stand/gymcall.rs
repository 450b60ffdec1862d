//! The program itself, as its users run it, and gyms to call.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::process::api::all_day;
use crate::process::program;

/// `gymcall` with a role, an account, and a far side to call through.
pub fn gymcall(role: &[&str], folder: &Path, far: &str, per_second: u32) -> Command {
    let mut command = program::gymcall(folder, role.iter().copied());
    crate::process::local_twilio::with_account(&mut command);
    command
        .env("GYMCALL_BIND", "127.0.0.1:0")
        .env("GYMCALL_DATA_DIR", folder.join("data"))
        .env("TWILIO_API_BASE_URL", far)
        .env("TWILIO_FROM_NUMBER", "+12125550100")
        .env("GYMCALL_CALLS_PER_SECOND", per_second.to_string())
        .env("GYMCALL_MAX_CONCURRENT_CALLS", "1000000")
        // Where it listens is all that is waited for.
        .env("LOG_LEVEL", "warn,gymcall::app=info");
    command
}

/// One that shares a Redis; `bind` is the port of the server, which its workers have to know, too.
pub fn sharing(mut command: Command, redis: u16, bind: u16) -> Command {
    command
        .env("REDIS_URL", format!("redis://127.0.0.1:{redis}/"))
        .env("GYMCALL_BIND", format!("127.0.0.1:{bind}"))
        .env("PUBLIC_BASE_URL", format!("http://localhost:{bind}"));
    command
}

/// A campaign whose gyms are tried once.
pub fn survey() -> Value {
    json!({
        "name": "Bench",
        "on_behalf_of": "us",
        "questions": [{"key": "open", "ask": "Are you open?", "type": "boolean"}],
        "policy": {"max_attempts": 1, "window": all_day()},
    })
}

/// As many gyms.
pub fn roster(gyms: usize) -> String {
    // Real area codes and an exchange for directories: 10,000 numbers in each.
    let areas = [201, 202, 206, 212, 213, 214, 215, 303, 305, 312, 313, 404, 407, 412, 415];
    let rows = (0..gyms).map(|gym| format!("Gym {gym},+1{}555{:04}\n", areas[gym / 10_000], gym % 10_000));
    format!("gym_name,phone_number\n{}", rows.collect::<String>())
}
