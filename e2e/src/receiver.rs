//! A receiver of webhooks that says no when it is told to.

use std::collections::HashMap;
use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// One request.
#[derive(Debug, Clone)]
pub struct Received {
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: String,
    pub event: Value,
    /// What was answered.
    pub status: u16,
}

/// Decides the answer from how many requests came before, and the event.
type Decide = Box<dyn Fn(usize, &Value) -> u16 + Send + Sync>;

/// Listens on a port of its own.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    received: Mutex<Vec<Received>>,
    decide: Mutex<Decide>,
}

impl Receiver {
    /// Starts; `decide` gives the status of each answer.
    ///
    /// # Panics
    /// Without a free port.
    #[must_use]
    pub fn start(decide: impl Fn(usize, &Value) -> u16 + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared { received: Mutex::default(), decide: Mutex::new(Box::new(decide)) });
        let answering = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&answering);
                std::thread::spawn(move || shared.serve(&stream));
            }
        });
        Self { address, shared }
    }

    /// Decides otherwise from now on.
    pub fn decide(&self, decide: impl Fn(usize, &Value) -> u16 + Send + Sync + 'static) {
        *self.shared.decide.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(decide);
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// All requests so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The events that were taken, each once, in the order in which they came first.
    #[must_use]
    pub fn taken(&self) -> Vec<Value> {
        let mut taken: Vec<Value> = Vec::new();
        for received in self.received().into_iter().filter(|received| received.status < 300) {
            if !taken.iter().any(|event| event["id"] == received.event["id"]) {
                taken.push(received.event);
            }
        }
        taken
    }

    /// Waits until so many events were taken.
    ///
    /// # Panics
    /// If that takes longer than a minute.
    #[must_use]
    pub fn wait_for(&self, what: &str, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let taken = self.taken();
            if enough(&taken) {
                return taken;
            }
            assert!(Instant::now() < until, "{what}: {} events were taken: {taken:#?}", taken.len());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(mut received) = read(&mut reader) {
            let mut all = self.received.lock().unwrap_or_else(PoisonError::into_inner);
            let decide = self.decide.lock().unwrap_or_else(PoisonError::into_inner);
            received.status = decide(all.len(), &received.event);
            let status = received.status;
            drop(decide);
            all.push(received);
            drop(all);
            let answer = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: 0\r\n\r\n");
            if (&*stream).write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

fn read(reader: &mut impl std::io::BufRead) -> Option<Received> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        let _ = reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    let event = serde_json::from_str(&body).ok()?;
    Some(Received { headers, body, event, status: 0 })
}
