//! `gymcall doctor`: all well, and each thing that can be wrong, against the local Twilio.

use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::front::Front;
use super::local_twilio::with_account;
use super::program::{Ended, Program, gymcall, run, url_in};
use super::server::{Server, serve};

const ACCOUNT: &str = "numbers = [\"+12125550100\"]\n";
const SECRETS: [&str; 3] = ["c0ffee00c0ffee00c0ffee00c0ffee00", "0ddba110ddba110ddba110ddba110ddba", "5ec2e7"];

/// A local Twilio with an account, and a folder for whoever looks at it.
struct Practice {
    twilio: String,
    _program: Program,
    folder: TempDir,
}

/// What the doctor said.
struct Diagnosis {
    code: i32,
    checks: Vec<Value>,
}

impl Practice {
    async fn open(account: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("account.toml"), account).unwrap();
        let mut command = gymcall(folder.path(), ["simulator", "--bind", "127.0.0.1:0", "--account", "account.toml"]);
        with_account(&mut command);
        let mut program = Program::start(command);
        let twilio = program.err.until("the local Twilio's address", url_in).await;
        Self { twilio, _program: program, folder }
    }

    fn doctor<'a>(&self, settings: impl IntoIterator<Item = (&'a str, &'a str)>) -> Command {
        let mut command = serve(self.folder.path(), &self.twilio);
        let variables: Vec<_> = command.get_envs().map(|(k, v)| (k.to_owned(), v.unwrap().to_owned())).collect();
        command = gymcall(self.folder.path(), ["doctor", "--json"]);
        command.envs(variables).env("GYMCALL_CALLS_PER_SECOND", "1").env("GYMCALL_MAX_CONCURRENT_CALLS", "2");
        command.envs(settings);
        command
    }

    async fn examined<'a>(&self, settings: impl IntoIterator<Item = (&'a str, &'a str)>) -> Diagnosis {
        Diagnosis::of(run(self.doctor(settings)).await)
    }
}

impl Diagnosis {
    fn of(ended: Ended) -> Self {
        for secret in SECRETS {
            assert!(!ended.out.contains(secret) && !ended.err.contains(secret), "a secret is shown: {ended:#?}");
        }
        let (code, said) = (ended.code.unwrap(), ended.json());
        let checks = said["checks"].as_array().unwrap().clone();
        let failed = checks.iter().any(|check| check["verdict"] == "failed");
        assert_eq!((code, &said["ok"]), (i32::from(failed), &Value::Bool(!failed)), "{said:#}");
        Self { code, checks }
    }

    /// This check came out like this, its finding says that, and so does the way to mend it.
    #[track_caller]
    fn shows(&self, check: &str, verdict: &str, detail: &str, mend: &str) -> &Self {
        let told = |finding: &&Value| {
            finding["check"] == check
                && finding["verdict"] == verdict
                && finding["detail"].as_str().unwrap().contains(detail)
                && finding["mend"].as_str().unwrap_or_default().contains(mend)
        };
        assert!(self.checks.iter().any(|finding| told(&finding)), "no {check} {verdict} {detail}: {:#?}", self.checks);
        self
    }

    /// Nothing failed but this.
    #[track_caller]
    fn only(&self, check: &str) {
        let failed = self.checks.iter().filter(|finding| finding["verdict"] == "failed");
        assert!(failed.clone().all(|finding| finding["check"] == check), "{:#?}", self.checks);
        for finding in failed {
            assert!(finding["mend"].as_str().is_some_and(|mend| !mend.is_empty()), "{finding:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_well_every_check_says_so_with_a_server_and_without() {
    let practice = Practice::open(ACCOUNT).await;
    let well = [
        "settings",
        "credentials",
        "clock",
        "number",
        "geo permission",
        "price",
        "balance",
        "pace",
        "lines",
        "public URL",
        "unsigned webhook",
        "media stream",
        "store",
    ];
    let alone = practice.examined([]).await;
    assert_eq!(alone.checks.iter().map(|check| check["check"].as_str().unwrap()).collect::<Vec<_>>(), well);
    assert!(alone.checks.iter().all(|check| check["verdict"] == "ok"), "{:#?}", alone.checks);
    alone.shows("balance", "ok", "20.00 USD, enough for 1428 minutes", "");

    let server = Server::start(serve(practice.folder.path(), &practice.twilio)).await;
    let bind = server.api.url().trim_start_matches("http://").to_owned();
    let beside = practice.examined([("GYMCALL_BIND", &*bind)]).await;
    assert!(beside.checks.iter().all(|check| check["verdict"] == "ok"), "{:#?}", beside.checks);
    beside.shows("store", "ok", "a running server's", "");
    beside.shows("public URL", "ok", &bind.replace("127.0.0.1", "localhost"), "");

    // The server is there and has other settings.
    let other = practice.examined([("GYMCALL_BIND", &*bind), ("PUBLIC_BASE_URL", &format!("http://{bind}"))]).await;
    other.shows("public URL", "failed", "refuses our signature", "PUBLIC_BASE_URL").only("public URL");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_reads_the_same_in_lines() {
    let practice = Practice::open(ACCOUNT).await;
    let mut command = practice.doctor([("TWILIO_FROM_NUMBER", "+12125550199")]);
    let variables: Vec<_> = command.get_envs().map(|(k, v)| (k.to_owned(), v.unwrap().to_owned())).collect();
    command = gymcall(practice.folder.path(), ["doctor", "+1 415 555 0101"]);
    let ended = run({
        command.envs(variables);
        command
    })
    .await
    .expect(1)
    .plain();
    assert!(
        ended.out.contains("FAILED  number            +12125550199 is not a number of this account"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("-> Set TWILIO_FROM_NUMBER to one that is: +12125550100"), "{}", ended.out);
    assert!(ended.out.contains("ok      price             a call to +14155550101 costs 0.014 USD"), "{}", ended.out);
    assert!(ended.err.contains("error: 1 check failed"), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_and_credentials_that_do_not_work_are_told_first() {
    let practice = Practice::open(ACCOUNT).await;
    let broken = practice.examined([("GYMCALL_CALLS_PER_SECOND", "fast")]).await;
    broken.shows("settings", "failed", "GYMCALL_CALLS_PER_SECOND", ".env").only("settings");
    assert_eq!((broken.code, broken.checks.len()), (1, 1));
    let none = practice.examined([("TWILIO_AUTH_TOKEN", "")]).await;
    none.shows("credentials", "failed", "Set TWILIO_AUTH_TOKEN.", ".env.example").only("credentials");
    let wrong = practice.examined([("TWILIO_AUTH_TOKEN", SECRETS[1])]).await;
    wrong.shows("credentials", "failed", "20003", "promoted").only("credentials");
    let nobody = practice.examined([("TWILIO_API_BASE_URL", "http://127.0.0.1:1")]).await;
    nobody.shows("credentials", "failed", "did not answer", "gymcall simulator").only("credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secondary_token_is_tried_too() {
    let practice = Practice::open(&format!("{ACCOUNT}secondary_token = \"{}\"\n", SECRETS[1])).await;
    let known = practice.examined([("TWILIO_AUTH_TOKEN_SECONDARY", SECRETS[1])]).await;
    known.shows("secondary token", "ok", "accepts it", "");
    let unknown = practice.examined([("TWILIO_AUTH_TOKEN_SECONDARY", SECRETS[2])]).await;
    unknown.shows("secondary token", "warning", "does not accept it", "TWILIO_AUTH_TOKEN_SECONDARY").only("nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_call_is_told_by_what_it_lacks() {
    let verified = Practice::open("verified = [\"+12125550100\"]\n").await;
    verified.examined([]).await.shows("number", "ok", "a verified caller id", "").only("nothing");

    let poor =
        Practice::open(&format!("{ACCOUNT}standing = \"suspended\"\nbalance = -0.5\ncountries = [\"GB\"]\n")).await;
    let regions = [("GYMCALL_ALLOWED_REGIONS", "US,GB")];
    poor.examined(regions)
        .await
        .shows("credentials", "failed", "suspended", "console")
        .shows("balance", "failed", "-0.50 USD", "Add funds")
        .shows("geo permission", "failed", "may not call US", "Geo permissions")
        .shows("geo permission", "ok", "may call GB", "");

    let nothing = Practice::open("").await;
    nothing.examined([]).await.shows("number", "warning", "no numbers of its own", "").only("nothing");

    let trial = Practice::open(&format!("{ACCOUNT}balance = 0.05\nverified = [\"+14155550101\"]\n[trial]\n")).await;
    let busy = [("GYMCALL_MAX_CONCURRENT_CALLS", "6"), ("GYMCALL_CALLS_PER_SECOND", "2")];
    trial
        .examined(busy)
        .await
        .shows("credentials", "ok", "Trial", "")
        .shows("trial", "warning", "+14155550101", "Upgrade")
        .shows("balance", "warning", "enough for 3 minutes", "Add funds")
        .shows("pace", "warning", "2 a second", "GYMCALL_CALLS_PER_SECOND=1")
        .shows("lines", "warning", "6 calls", "GYMCALL_MAX_CONCURRENT_CALLS=5")
        .only("nothing");
    let mut stranger = trial.doctor([]);
    stranger.arg("+14155550102");
    Diagnosis::of(run(stranger).await)
        .shows("trial", "failed", "+14155550102 is not among them", "Verify")
        .only("trial");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_url_at_which_somebody_else_or_nobody_answers_is_told_apart() {
    let practice = Practice::open(ACCOUNT).await;
    for (reply, detail, mend) in [
        (
            "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 2\r\n\r\nhi",
            "somebody else answers",
            "where the tunnel",
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", "somebody else answers", "GYMCALL_BIND"),
        ("HTTP/1.1 204 No Content\r\nX-Gymcall-Proof: AAAA\r\n\r\n", "somebody else answers", "GYMCALL_BIND"),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "somebody else answers", "GYMCALL_BIND"),
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "does not reach us", "Point it at GYMCALL_BIND"),
        (
            "HTTP/1.1 404 Not Found\r\nngrok-error-code: ERR_NGROK_3200\r\nContent-Length: 0\r\n\r\n",
            "does not reach us",
            "running",
        ),
        (
            "HTTP/1.1 308 Moved\r\nLocation: https://gyms.example/\r\nContent-Length: 0\r\n\r\n",
            "https://gyms.example/",
            "by itself",
        ),
    ] {
        let stranger = Front::answering(reply).await;
        let found = practice.examined([("PUBLIC_BASE_URL", &*stranger.url)]).await;
        found.shows("public URL", "failed", detail, mend).only("public URL");
    }
    let nobody = practice.examined([("PUBLIC_BASE_URL", "http://127.0.0.1:1")]).await;
    nobody.shows("public URL", "failed", "nobody answers", "Start the tunnel").only("public URL");
    let key = ("GYMCALL_API_KEY", SECRETS[2]);
    let unknown = practice.examined([("PUBLIC_BASE_URL", "https://tunnel.invalid"), key]).await;
    unknown.shows("public URL", "failed", "tunnel.invalid has no address", "PUBLIC_BASE_URL").only("public URL");
    let unchecked = practice.examined([("TWILIO_VALIDATE_SIGNATURE", "false")]).await;
    unchecked.shows("public URL", "warning", "not checked", "TWILIO_VALIDATE_SIGNATURE").only("nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_passes_no_websockets_is_found() {
    let practice = Practice::open(ACCOUNT).await;
    let mut command = serve(practice.folder.path(), &practice.twilio);
    let port = super::server::port_to_keep();
    let bind = format!("127.0.0.1:{port}");
    let proxy =
        Front::changing(&format!("http://{bind}"), |reply| reply.replace("101 Switching Protocols", "400 Bad Request"))
            .await;
    let settings = [("GYMCALL_BIND", &*bind), ("PUBLIC_BASE_URL", &*proxy.url)];
    command.envs(settings);
    let _server = Server::start(command).await;
    let found = practice.examined(settings).await;
    found
        .shows("public URL", "ok", "came to us", "")
        .shows("media stream", "failed", "400", "WebSockets")
        .only("media stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_is_told() {
    let practice = Practice::open(ACCOUNT).await;
    let late = Front::changing(&practice.twilio, |reply| {
        let date = reply.split("\r\n").find(|line| line.to_lowercase().starts_with("date:"));
        date.map_or(reply.to_owned(), |date| reply.replace(date, "date: Fri, 01 Jan 2021 00:00:00 GMT"))
    })
    .await;
    let found = practice.examined([("TWILIO_API_BASE_URL", &*late.url)]).await;
    found.shows("clock", "failed", "differs from Twilio's by", "NTP");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_keep_records_is_told() {
    let practice = Practice::open(ACCOUNT).await;
    std::fs::write(practice.folder.path().join("file"), "").unwrap();
    let folder = practice.folder.path().join("file").join("data");
    let found = practice.examined([("GYMCALL_DATA_DIR", folder.to_str().unwrap())]).await;
    found.shows("store", "failed", "cannot be used", "GYMCALL_DATA_DIR").only("store");
    let found = practice.examined([("REDIS_URL", "redis://127.0.0.1:1")]).await;
    found.shows("store", "failed", "", "docs/operations.md").only("store");
}
