//! What the command line itself promises: exit codes, and words for people.

use super::program::{gymcall, run};
use super::server::{Server, serve};

const NOBODY: &str = "http://127.0.0.1:1";

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_every_command_says_so_and_exits_3() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gyms.csv"), "phone\n+14155550101\n").unwrap();
    std::fs::write(folder.path().join("survey.toml"), "name = 'Survey'\n").unwrap();
    for line in [
        "campaign create Survey",
        "campaign create --file survey.toml",
        "campaign list",
        "campaign show camp_x",
        "campaign start camp_x",
        "campaign pause camp_x",
        "campaign resume camp_x",
        "campaign cancel camp_x",
        "campaign test camp_x +14155550101",
        "campaign forecast camp_x",
        "campaign redial camp_x --failed",
        "campaign runs camp_x",
        "campaign edit camp_x survey.toml",
        "campaign duplicate camp_x",
        "campaign delete camp_x",
        "template camp_x",
        "job show job_x",
        "job cancel job_x",
        "job redial job_x",
        "job resolve job_x not_called",
        "events",
        "webhook add https://gyms.example/hook",
        "webhook list",
        "webhook remove hook_x",
        "import gyms.csv --campaign camp_x",
        "import gyms.csv --campaign survey.toml",
        "status",
        "status camp_x --watch",
        "status job_x --json",
        "results camp_x",
        "results camp_x --changes --json",
        "suppress list",
        "suppress import gyms.csv",
        "call +14155550101",
    ] {
        let mut command = gymcall(folder.path(), line.split(' '));
        command.env("GYMCALL_URL", NOBODY);
        let unreachable = run(command).await.plain();
        assert_eq!(unreachable.code, Some(3), "{line}: {unreachable:#?}");
        assert!(unreachable.err.contains(&format!("no server answers at {NOBODY}")), "{line}: {unreachable:#?}");
        assert!(unreachable.err.contains("gymcall serve") && unreachable.err.contains("GYMCALL_URL"));
        assert_eq!(unreachable.out, "", "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_command_line_exits_2_and_help_exits_0() {
    let folder = tempfile::tempdir().unwrap();
    for line in [
        "fly",
        "campaign",
        "campaign create",
        "campaign create Name --file survey.toml",
        "campaign show",
        "campaign redial camp_x",
        "campaign redial camp_x --failed --job job_x",
        "campaign edit camp_x",
        "campaign test camp_x",
        "campaign test camp_x +14155550101 --set city",
        "job resolve job_x maybe",
        "webhook add",
        "results camp_x --changes --quotes",
        "import gyms.csv",
        "results",
        "results camp_x --format xml",
        "call",
        "serve --bind",
        "serve --no-such-flag",
        "simulator --pace fast",
    ] {
        let wrong = run(gymcall(folder.path(), line.split(' '))).await.expect(2).plain();
        assert!(wrong.err.contains("Usage") || wrong.err.contains("--help"), "{line}: {}", wrong.err);
        assert_eq!(wrong.out, "", "{line}");
    }
    run(gymcall(folder.path(), [])).await.expect(2).plain();
    for line in ["--help", "serve --help", "demo --help", "--version"] {
        run(gymcall(folder.path(), line.split(' '))).await.expect(0).plain();
    }
    assert!(run(gymcall(folder.path(), ["--help"])).await.out.contains("Exit codes: 0 done"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_missing_or_wrong_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(folder.path(), NOBODY);
    command.env("GYMCALL_API_KEY", "open sesame");
    let server = Server::start(command).await;
    for (key, code) in [("", 1), ("open barley", 1), ("open sesame", 0)] {
        let mut list = gymcall(folder.path(), ["campaign", "list", "--json"]);
        list.env("GYMCALL_URL", server.api.url()).env("GYMCALL_API_KEY", key);
        let list = run(list).await.expect(code).plain();
        assert_eq!(list.err.contains("error: 401"), code == 1, "{}", list.err);
    }
}
