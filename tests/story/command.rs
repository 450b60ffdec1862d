//! The commands, as somebody types them.

use std::process::Command;

use super::desk::Desk;

/// What `gymcall` prints about this desk, when it is told this.
pub async fn gymcall(desk: &Desk, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gymcall"));
    // Nothing of the environment that the tests run in may decide a test.
    command.env_clear().current_dir(std::env::temp_dir()).env("GYMCALL_URL", desk.http.base()).args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{out}{err}");
    out
}
