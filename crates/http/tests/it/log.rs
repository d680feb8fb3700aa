//! The access log.

use std::io;
use std::sync::{Mutex, Once};

use serde_json::Value;

use crate::client::{Answer, Client};
use crate::fakes::{BASE, start};

/// What all tests of this binary log. There is one log for all of them, since the tracing crate remembers for the
/// whole process whether anybody reads an event.
static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts collecting, once.
pub(crate) fn collect() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO).with_writer(|| Lines).init();
    });
}

/// What was logged under the id of an answer.
fn events_of(answer: &Answer) -> Vec<Value> {
    let lines = String::from_utf8(LINES.lock().unwrap().clone()).unwrap();
    let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["fields"]["request_id"] == answer.header("x-amzn-requestid")).collect()
}

/// The fields of the one event that an answer without failures has.
fn event_of(answer: &Answer) -> Value {
    let events = events_of(answer);
    assert_eq!((events.len(), &events[0]["target"]), (1, &"larder_http::access".into()));
    events[0]["fields"].clone()
}

#[tokio::test]
async fn each_request_is_logged_once_without_its_secrets() {
    let mut client = Client::connect(start().await.address).await;
    let answer = client.get(&format!("{BASE}/@a%2fb?X-Amz-Signature=signed"), "X-Secret: hidden\n").await;
    let part = client.get(&format!("{BASE}/asset"), "Range: bytes=0-9\n").await;
    client.send(&format!("GET {BASE}/-/user/token/logout-token HTTP/1.1\nHost: h\n\n")).await;
    let refused = client.answer().await;
    // The next request begins only after the one before has been sent and logged.
    client.get("/-/health/live", "").await;

    let events = [event_of(&answer), event_of(&part), event_of(&refused)];
    let [first, second, third] = &events;
    assert_eq!(first["method"], "GET");
    assert_eq!(first["path"], format!("{BASE}/@a/b"));
    assert_eq!(first["status"], 200);
    assert_eq!(first["bytes"], answer.body.len());
    assert_eq!(first["principal"], "arn:aws:iam::123456789012:user/alice");
    assert_eq!(first["request_id"], answer.header("x-amzn-requestid"));
    assert_eq!(first["peer"], "127.0.0.1");
    assert!(first["duration_us"].is_u64());
    assert_eq!((&second["status"], &second["bytes"]), (&206.into(), &10.into()));
    assert_eq!((&third["status"], &third["principal"]), (&401.into(), &Value::Null));
    let all = format!("{events:?}");
    for secret in ["alice\"", "Bearer", "signed", "hidden", "logout-token"] {
        assert!(!all.replace("user/alice\"", "").contains(secret), "{secret} is in {all}");
    }
}

#[tokio::test]
async fn the_cause_of_a_failure_is_logged_under_the_id_of_its_answer_and_not_sent() {
    let mut client = Client::connect(start().await.address).await;
    let answer = client.get(&format!("{BASE}/broken"), "").await;
    assert_eq!(answer.status, 500);
    assert!(!answer.text().contains("cheese") && answer.text().contains("request id"), "{}", answer.text());
    let failure = events_of(&answer).into_iter().find(|event| event["level"] == "ERROR").expect("it is logged");
    assert_eq!(failure["fields"]["error"], "the disk is made of cheese");
}
