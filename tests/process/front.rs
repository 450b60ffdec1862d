//! Something that stands between two of ours and is not right.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A listener on a free port of this machine, until it is dropped.
pub struct Front {
    pub url: String,
    task: JoinHandle<()>,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Front {
    /// Answers everything with these bytes.
    pub async fn answering(reply: &'static str) -> Self {
        Self::each(async move |mut client: TcpStream| {
            let mut request = [0; 8 * 1024];
            let _ = client.read(&mut request).await;
            let _ = client.write_all(reply.as_bytes()).await;
        })
        .await
    }

    /// Passes everything on to `server`, and changes its replies, a piece at a time.
    pub async fn changing(server: &str, change: fn(&str) -> String) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        Self::each(move |client| {
            let server = server.clone();
            async move { pass_on(client, &server, change).await }
        })
        .await
    }

    async fn each<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client));
            }
        });
        Self { url, task }
    }
}

async fn pass_on(client: TcpStream, server: &str, change: fn(&str) -> String) {
    let Ok(upstream) = TcpStream::connect(server).await else { return };
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), upstream.into_split());
    let asking = tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
    let mut reply = [0; 16 * 1024];
    while let Ok(read) = from_server.read(&mut reply).await
        && read > 0
    {
        let changed = change(&String::from_utf8_lossy(&reply[..read]));
        if to_client.write_all(changed.as_bytes()).await.is_err() {
            break;
        }
    }
    asking.abort();
}
