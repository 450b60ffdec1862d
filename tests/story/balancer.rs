//! Whatever stands before several servers and gives each connection to the next of them.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub struct Balancer {
    listener: TcpListener,
    url: String,
}

/// One at work, until it is dropped.
pub struct Balancing(JoinHandle<()>);

impl Balancer {
    /// One whose servers are named later: they must know its address first.
    pub async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        Self { listener, url }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn serve(self, servers: Vec<String>) -> Balancing {
        Balancing(tokio::spawn(async move {
            for server in servers.iter().cycle() {
                let Ok((mut client, _)) = self.listener.accept().await else { return };
                let address = server.trim_start_matches("http://").to_owned();
                tokio::spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(address).await {
                        // Either side may break off; that is then the other's news.
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        }))
    }
}

impl Drop for Balancing {
    fn drop(&mut self) {
        self.0.abort();
    }
}
