//! Two processes that want the same thing.

use super::program::run;
use super::server::{Server, serve};

const NO_TWILIO: &str = "http://127.0.0.1:1";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_one_data_folder_is_refused_and_the_first_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let first = Server::start(serve(folder.path(), NO_TWILIO)).await;
    let second = run(serve(folder.path(), NO_TWILIO)).await.expect(1).plain();
    let data = folder.path().join("data");
    assert!(second.err.contains(&format!("the data folder {} is in use by another process", data.display())));
    first.api.get("/v1/campaigns").await;
    // The folder is free as soon as the first is gone, however it went.
    first.kill();
    let third = Server::start(serve(folder.path(), NO_TWILIO)).await;
    third.terminate();
    third.ended().await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut command = serve(folder.path(), NO_TWILIO);
    command.env("GYMCALL_BIND", address.to_string());
    let refused = run(command).await.expect(1).plain();
    assert!(refused.err.contains(&format!("cannot listen on {address}")), "{}", refused.err);
}
