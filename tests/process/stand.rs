//! A server and a local Twilio, and the command line that talks to them.

use std::path::Path;

use tempfile::TempDir;

use super::local_twilio::LocalTwilio;
use super::program::{Ended, Program, gymcall, run};
use super::server::{Server, serve};

/// Everything that the commands of a user need, in a folder of its own.
pub struct Stand {
    // Dropped in this order: the server before the Twilio it calls through, the folder last.
    pub server: Server,
    _twilio: LocalTwilio,
    folder: TempDir,
}

impl Stand {
    /// With the built-in callees.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let twilio = LocalTwilio::start(folder.path(), "", "", 10).await;
        let server = Server::start(serve(folder.path(), &twilio.url)).await;
        Self { server, _twilio: twilio, folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file that a command can name.
    pub fn write(&self, name: &str, content: &str) {
        std::fs::write(self.folder().join(name), content).unwrap();
    }

    /// Starts `gymcall` with these arguments.
    pub fn begin<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Program {
        let mut command = gymcall(self.folder(), arguments);
        command.env("GYMCALL_URL", self.server.api.url());
        Program::start(command)
    }

    /// Runs `gymcall` with these arguments. No output of it may hold escapes: it is not a terminal's.
    #[track_caller]
    pub fn gymcall<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> impl Future<Output = Ended> {
        let mut command = gymcall(self.folder(), arguments);
        command.env("GYMCALL_URL", self.server.api.url());
        async { run(command).await.plain() }
    }
}
