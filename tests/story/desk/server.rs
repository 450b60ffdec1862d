//! Servers that are started, stopped, and taken away from under what they do.

use gymcall::app::{self, Role, Running};
use gymcall::config::{Settings, Sources, missing_credentials};
use tokio::runtime::{Builder, Runtime};

use super::TOO_LONG;
use crate::http::Http;

/// The server, on a runtime of its own, which can be taken away from under it.
pub(super) struct Server {
    pub(super) running: Running,
    runtime: Runtime,
}

/// A further process.
pub struct Beside {
    pub(super) http: Option<Http>,
    pub(super) server: Option<Server>,
}

impl Beside {
    /// Its users' side.
    pub fn http(&self) -> &Http {
        self.http.as_ref().expect("it serves")
    }

    /// As somebody who asks it to stop.
    pub async fn stop(mut self) {
        self.server.take().unwrap().stop().await;
    }

    /// As somebody who pulls the plug.
    pub async fn crash(mut self) {
        self.server.take().unwrap().crash().await;
    }
}

impl Server {
    pub(super) async fn stop(self) {
        let Server { running, runtime } = self;
        runtime.spawn(running.stop()).await.unwrap();
        end(runtime).await;
    }

    pub(super) async fn crash(self) {
        let Server { running, runtime } = self;
        drop(running);
        end(runtime).await;
    }

    /// A runtime that is merely dropped would wait, and nobody may wait where a value is dropped.
    pub(super) fn abandon(self) {
        self.runtime.shutdown_background();
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.abandon();
        }
    }
}

pub(super) async fn start(settings: &[(&'static str, String)], role: Role) -> Server {
    let sources = Sources::of(settings.to_vec());
    let settings = Settings::from_sources(&sources).unwrap();
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let starting = runtime.spawn(async move { app::start(&settings, missing_credentials(&sources), role).await });
    Server { running: starting.await.unwrap().unwrap(), runtime }
}

/// Returns when nothing of the server runs any more.
async fn end(runtime: Runtime) {
    tokio::task::spawn_blocking(move || runtime.shutdown_timeout(TOO_LONG)).await.unwrap();
}
