//! Settings: refused in words when they cannot be used, and taken from the right place.

use std::process::Command;

use super::program::{gymcall, run};
use super::server::{Server, serve};

const NO_TWILIO: &str = "http://127.0.0.1:1";

/// Variables that `serve` must refuse, and the one that its message must name.
const REFUSED: [(&[(&str, &str)], &str); 30] = [
    (&[("GYMCALL_BIND", "0.0.0.0:8000")], "GYMCALL_API_KEY"),
    (&[("GYMCALL_BIND", "0.0.0.0:8000")], "GYMCALL_BIND"),
    (&[("PUBLIC_BASE_URL", "https://gyms.example")], "PUBLIC_BASE_URL"),
    (
        &[
            ("TWILIO_VALIDATE_SIGNATURE", "false"),
            ("PUBLIC_BASE_URL", "https://gyms.example"),
            ("GYMCALL_API_KEY", "key"),
        ],
        "TWILIO_VALIDATE_SIGNATURE",
    ),
    (&[("TWILIO_VALIDATE_SIGNATURE", "maybe")], "TWILIO_VALIDATE_SIGNATURE"),
    (&[("REDIS_URL", "redis://127.0.0.1:1")], "REDIS_URL"),
    (&[("REDIS_URL", "http://127.0.0.1:1")], "REDIS_URL"),
    (&[("GYMCALL_BIND", "here")], "GYMCALL_BIND"),
    (&[("PUBLIC_BASE_URL", "ftp://localhost")], "PUBLIC_BASE_URL"),
    (&[("PUBLIC_BASE_URL", "gyms")], "PUBLIC_BASE_URL"),
    (&[("TWILIO_API_BASE_URL", "https://api.twilio.com")], "TWILIO_API_BASE_URL"),
    (&[("GYMCALL_CALLS_PER_SECOND", "0")], "GYMCALL_CALLS_PER_SECOND"),
    (&[("GYMCALL_CALLS_PER_SECOND", "NaN")], "GYMCALL_CALLS_PER_SECOND"),
    (&[("GYMCALL_CALLS_PER_SECOND", "fast")], "GYMCALL_CALLS_PER_SECOND"),
    (&[("GYMCALL_MAX_CONCURRENT_CALLS", "0")], "GYMCALL_MAX_CONCURRENT_CALLS"),
    (&[("GYMCALL_MAX_CONCURRENT_CALLS", "-1")], "GYMCALL_MAX_CONCURRENT_CALLS"),
    (&[("GYMCALL_ALLOWED_REGIONS", "Atlantis")], "GYMCALL_ALLOWED_REGIONS"),
    (&[("GYMCALL_ALLOWED_REGIONS", ",")], "GYMCALL_ALLOWED_REGIONS"),
    (&[("GYMCALL_LOOK_UP_WAITS", "soon")], "GYMCALL_LOOK_UP_WAITS"),
    (&[("GYMCALL_LOOK_UP_WAITS", "2m,1m")], "GYMCALL_LOOK_UP_WAITS"),
    (&[("GYMCALL_DIAL_DEADLINE", "0s")], "GYMCALL_DIAL_DEADLINE"),
    (&[("VOICE_AGENT", "somebody else")], "VOICE_AGENT"),
    (&[("GYMCALL_SPEECH", "shouts")], "GYMCALL_SPEECH"),
    (&[("GYMCALL_SPEECH", "tones"), ("TWILIO_API_BASE_URL", "https://api.twilio.com")], "GYMCALL_SPEECH"),
    (&[("GYMCALL_SPEECH", "twilio"), ("GYMCALL_LANGUAGE", "English")], "GYMCALL_LANGUAGE"),
    (&[("GYMCALL_MACHINE_DETECTION", "maybe")], "GYMCALL_MACHINE_DETECTION"),
    (
        &[
            ("TWILIO_API_BASE_URL", "https://api.twilio.com"),
            ("GYMCALL_API_KEY", "key"),
            ("PUBLIC_BASE_URL", "http://gyms.example"),
        ],
        "PUBLIC_BASE_URL",
    ),
    (&[("LOG_LEVEL", "gymcall=shout")], "LOG_LEVEL"),
    (&[("TWILIO_FROM_NUMBER", "call me")], "TWILIO_FROM_NUMBER"),
    (&[("TWILIO_WEBHOOK_KEYS", "a secret alone")], "TWILIO_WEBHOOK_KEYS"),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_used_is_refused_with_a_sentence_that_names_the_variable() {
    let folder = tempfile::tempdir().unwrap();
    for (variables, named) in REFUSED {
        let mut command = serve(folder.path(), NO_TWILIO);
        command.envs(variables.iter().copied());
        let refused = run(command).await.plain();
        assert_eq!(refused.code, Some(1), "{variables:?}: {refused:#?}");
        let sentence = refused.err.lines().find(|line| line.starts_with("error: ")).expect(&refused.err);
        assert!(sentence.contains(named), "{variables:?}: {sentence}");
        assert_eq!(refused.out, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_variable_counts_as_unset() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(folder.path(), NO_TWILIO);
    let empty = ["REDIS_URL", "PUBLIC_BASE_URL", "VOICE_AGENT", "LOG_LEVEL", "GYMCALL_ALLOWED_REGIONS"];
    command.envs(empty.map(|name| (name, " "))).env("GYMCALL_CALLS_PER_SECOND", "");
    starts_and_stops(command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_wins_over_the_environment_which_wins_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = "# how it runs here\nGYMCALL_BIND=127.0.0.1:0\nGYMCALL_DATA_DIR=\"from the file\"\n";
    std::fs::write(folder.path().join(".env"), file).unwrap();
    let here = || gymcall(folder.path(), ["serve"]);
    let used = |name: &str| folder.path().join(name).join("gymcall.sqlite3").exists();

    starts_and_stops(here()).await;
    assert!(used("from the file"));

    let mut command = here();
    command.env("GYMCALL_DATA_DIR", "from the environment");
    starts_and_stops(command).await;
    assert!(used("from the environment"));

    let mut command = here();
    command.env("GYMCALL_DATA_DIR", "not this one").args(["--data-dir", "from the flag"]);
    starts_and_stops(command).await;
    assert!(used("from the flag") && !used("not this one"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "what is this?\n").unwrap();
    let refused = run(gymcall(folder.path(), ["serve"])).await.expect(1).plain();
    assert!(refused.err.contains(".env cannot be read"), "{}", refused.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_it_serves_and_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = gymcall(folder.path(), ["serve", "--bind", "127.0.0.1:0"]);
    command.env("TWILIO_ACCOUNT_SID", "AC5f0c0ffee05f0c0ffee05f0c0ffee05f");
    let server = Server::start(command).await;
    let mut call = gymcall(folder.path(), ["call", "+14155550101"]);
    call.env("GYMCALL_URL", server.api.url());
    let refused = run(call).await.expect(1).plain();
    let sentence = "Twilio credentials not configured. Set TWILIO_AUTH_TOKEN, TWILIO_FROM_NUMBER.";
    assert!(refused.err.contains(sentence), "{}", refused.err);
}

async fn starts_and_stops(command: Command) {
    let server = Server::start(command).await;
    server.terminate();
    server.ended().await.expect(0).plain();
}
