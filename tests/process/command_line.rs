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
        "campaign create survey.toml",
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
async fn what_is_refused_is_told_with_what_to_do_about_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(folder.path(), NOBODY);
    command.env("GYMCALL_API_KEY", "open sesame");
    let server = Server::start(command).await;
    let with_key = |key: &str, line: &str| {
        let mut command = gymcall(folder.path(), line.split(' '));
        command.env("GYMCALL_URL", server.api.url()).env("GYMCALL_API_KEY", key);
        command
    };
    for (key, code) in [("", 1), ("open barley", 1), ("open sesame", 0)] {
        let list = run(with_key(key, "campaign list --json")).await.expect(code).plain();
        let told = list.err.contains("error: 401") && list.err.contains("GYMCALL_API_KEY");
        assert_eq!(told, code == 1, "{}", list.err);
    }

    // With the key, whatever else can be wrong is told with what to do about it.
    let key = "open sesame";
    let created = run(with_key(key, "campaign create Survey --json")).await.expect(0).json();
    let id = created["id"].as_str().unwrap();
    for (line, words) in [
        ("status camp_x --watch".to_owned(), "`gymcall campaign list` shows"),
        ("job show job_x".to_owned(), "`gymcall results CAMPAIGN` shows"),
        (format!("import . --campaign {id}"), ".: is a directory"),
        (format!("results {id} -o nowhere/answers.csv"), "the folder nowhere: No such file"),
    ] {
        let refused = run(with_key(key, &line)).await.expect(1).plain();
        assert!(refused.err.contains(words) && refused.out.is_empty(), "{line}: {}", refused.err);
    }
    let mut astray = with_key(key, "status");
    astray.env("GYMCALL_URL", "127.0.0.1:8000");
    let astray = run(astray).await.expect(1).plain();
    assert!(astray.err.contains("write it as http://127.0.0.1:8000"), "{}", astray.err);

    // A reader that has seen enough is no error.
    for line in [format!("results {id}"), format!("results {id} --json"), "suppress export".to_owned()] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = with_key(key, &line);
        command.stdout(writer).stderr(std::process::Stdio::null());
        assert_eq!(command.status().unwrap().code(), Some(0), "{line}");
    }
}
