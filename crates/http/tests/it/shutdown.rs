//! Stopping: what runs is finished, what does not finish in time is cut off.

use std::time::{Duration, Instant};

use larder_http::{EndpointSettings, ServerSettings};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::fakes::{BASE, start, start_with};

fn slow() -> String {
    format!("GET {BASE}/slow HTTP/1.1\nHost: h\nAuthorization: Bearer alice\n\n")
}

#[tokio::test]
async fn a_running_request_is_finished_and_new_ones_are_not_taken() {
    let running = start().await;
    let mut idle = Client::connect(running.address).await;
    assert_eq!(idle.get("/-/health/live", "").await.status, 200);
    let mut busy = Client::connect(running.address).await;
    busy.send(&slow()).await;
    running.waiting.acquire().await.unwrap().forget();

    running.stop.send(()).unwrap();
    assert!(idle.is_closed().await);
    assert!(TcpStream::connect(running.address).await.is_err(), "the listener is closed");
    assert!(!running.stopped.is_finished());
    running.go_on.add_permits(1);
    let answer = busy.answer().await;
    assert_eq!((answer.text(), answer.header("connection")), ("slow, but there\n", "close"));
    running.stopped.await.unwrap();
}

#[tokio::test]
async fn a_request_that_does_not_finish_in_time_is_cut_off() {
    let patience = Duration::from_millis(200);
    let running = start_with(ServerSettings::default(), EndpointSettings::default(), patience).await;
    let mut busy = Client::connect(running.address).await;
    busy.send(&slow()).await;
    running.waiting.acquire().await.unwrap().forget();
    let asked = Instant::now();
    running.stop.send(()).unwrap();
    running.stopped.await.unwrap();
    assert!(asked.elapsed() >= patience);
    assert!(busy.is_closed().await);
}
