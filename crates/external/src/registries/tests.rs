use std::time::Duration;

use futures_util::TryStreamExt as _;

use super::*;
use crate::client::ClientSettings;
use crate::configuration::Credentials;
use crate::testing::{Act, TestServer, gzip, response};

fn npm() -> ExternalConnection {
    ExternalConnection::parse("public:npmjs").unwrap()
}

fn address(server: &TestServer) -> RegistryAddress {
    RegistryAddress { url: format!("{}/npm", server.origin), ..RegistryAddress::default() }
}

fn with_token(server: &TestServer) -> RegistryAddress {
    let credentials = Some(Credentials::Bearer { token: "secret".to_owned() });
    RegistryAddress { credentials, ..address(server) }
}

fn registries(address: RegistryAddress) -> Registries {
    with_settings(address, ClientSettings::default())
}

fn with_settings(address: RegistryAddress, settings: ClientSettings) -> Registries {
    Registries::new(Client::new(settings), &HashMap::from([(npm(), address)])).unwrap()
}

fn asking(path: &str) -> RegistryRequest {
    RegistryRequest { path: path.to_owned(), accept: "application/json", ..RegistryRequest::default() }
}

async fn fetch(registries: &Registries, path: &str) -> Result<RegistryAnswer> {
    registries.fetch_document(npm(), &asking(path), 1_000_000).await
}

/// The sentence of an upstream failure, and when to come back.
fn upstream<T>(outcome: Result<T>) -> (String, Option<u32>) {
    match outcome.map(|_| ()) {
        Err(Error::Upstream { message, retry_after_seconds }) => (message, retry_after_seconds),
        other => panic!("not an upstream failure: {other:?}"),
    }
}

async fn download(registries: &Registries, url: &str) -> std::io::Result<Vec<u8>> {
    let download = registries.open_file(npm(), "x", url).await.map_err(std::io::Error::other)?;
    download.body.map_ok(|bytes| bytes.to_vec()).try_concat().await
}

#[tokio::test]
async fn a_document_is_asked_for_as_the_registrys_clients_do() {
    let server = TestServer::start(|_| {
        let headers = [("content-type", "application/json"), ("etag", "\"1\""), ("last-modified", "yesterday")];
        Act::Answer(response("200 OK", &headers, "{}"))
    })
    .await;
    let registries = registries(with_token(&server));
    let request = RegistryRequest { etag: Some("W/\"0\"".to_owned()), ..asking("@scope%2fname") };
    let answer = registries.fetch_document(npm(), &request, 100).await.unwrap();
    let RegistryAnswer::Found { body, content_type, etag, last_modified } = answer else { panic!("{answer:?}") };
    assert_eq!((&*body, &*content_type), (&b"{}"[..], "application/json"));
    assert_eq!((etag.as_deref(), last_modified.as_deref()), (Some("\"1\""), Some("yesterday")));
    let head = &server.requests()[0];
    assert!(head.starts_with("GET /npm/@scope%2fname HTTP/1.1\n"), "{head}");
    for line in [
        "accept: application/json\r\n",
        "accept-encoding: gzip\r\n",
        "if-none-match: w/\"0\"\r\n",
        "authorization: bearer secret\r\n",
        concat!("user-agent: larder/", env!("CARGO_PKG_VERSION"), "\r\n"),
    ] {
        assert!(head.contains(line), "{line} is missing in {head}");
    }
}

fn question() -> RegistryQuestion {
    RegistryQuestion { path: "-/advisories".to_owned(), body: Bytes::from_static(b"{\"a\":[]}") }
}

#[tokio::test]
async fn a_question_is_sent_once_with_its_body_and_read_like_a_document() {
    let server = TestServer::start(|_| {
        let headers = [("content-type", "application/json"), ("content-encoding", "gzip"), ("connection", "close")];
        Act::Close(response("200 OK", &headers, gzip(b"{}")))
    })
    .await;
    let registries = registries(with_token(&server));
    let RegistryAnswer::Found { body, .. } = registries.ask(npm(), &question(), 100).await.unwrap() else {
        panic!("an answer")
    };
    assert_eq!(&*body, b"{}");
    let requests = server.requests();
    assert!(requests.len() == 1 && requests[0].starts_with("POST /npm/-/advisories HTTP/1.1\n"), "{requests:?}");
    for line in ["content-type: application/json\r\n", "content-length: 8\r\n", "authorization: bearer secret\r\n"] {
        assert!(requests[0].contains(line), "{line} is missing in {}", requests[0]);
    }
}

#[tokio::test]
async fn a_question_is_told_to_nobody_else() {
    let elsewhere = TestServer::start(|_| Act::Close(response("200 OK", &[], "{}"))).await;
    for status in ["301 Moved Permanently", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("{}/x", elsewhere.origin);
        let server = TestServer::start(move |_| Act::Close(response(status, &[("location", &location)], ""))).await;
        let allow_hosts = vec![elsewhere.origin.clone()];
        let registries = registries(RegistryAddress { allow_hosts, ..address(&server) });
        upstream(registries.ask(npm(), &question(), 100).await);
    }
    assert_eq!(elsewhere.requests(), [""; 0]);
    for status in ["404 Not Found", "405 Method Not Allowed"] {
        let server = TestServer::start(move |_| Act::Close(response(status, &[], ""))).await;
        let answer = registries(address(&server)).ask(npm(), &question(), 100).await.unwrap();
        assert!(matches!(answer, RegistryAnswer::NotFound), "{answer:?}");
    }
}

#[tokio::test]
async fn a_gzip_document_is_decoded_and_a_bomb_is_refused() {
    let server = TestServer::start(|head| {
        let bytes = if head.contains("bomb") { vec![0; 2_000_000] } else { b"{\"a\":1}".to_vec() };
        Act::Answer(response("200 OK", &[("content-encoding", "gzip")], gzip(&bytes)))
    })
    .await;
    let registries = registries(address(&server));
    assert!(
        matches!(fetch(&registries, "x").await.unwrap(), RegistryAnswer::Found { body, .. } if body == "{\"a\":1}")
    );
    assert!(upstream(fetch(&registries, "bomb").await).0.contains("larger than 1000000 bytes"));
}

#[tokio::test]
async fn a_document_that_is_too_large_or_oddly_encoded_is_refused() {
    let server = TestServer::start(|head| {
        Act::Answer(match head.contains("large") {
            true => response("200 OK", &[], vec![b'x'; 1_000_001]),
            false => response("200 OK", &[("content-encoding", "br")], "x"),
        })
    })
    .await;
    let registries = registries(address(&server));
    assert!(upstream(fetch(&registries, "large").await).0.contains("larger than"));
    assert!(upstream(fetch(&registries, "x").await).0.contains("encoding br"));
}

#[tokio::test]
async fn statuses_mean_what_the_port_says() {
    let server = TestServer::start(|head| {
        let status = head["GET /npm/".len()..].split(' ').next().unwrap().to_owned();
        Act::Answer(response(&format!("{status} X"), &[("retry-after", "7")], "<html>"))
    })
    .await;
    let registries = registries(address(&server));
    for status in ["404", "410"] {
        assert!(matches!(fetch(&registries, status).await.unwrap(), RegistryAnswer::NotFound), "{status}");
        assert!(registries.open_file(npm(), "x", status).await.is_err_and(|error| error.is_not_found()), "{status}");
    }
    for status in ["204", "206", "304", "400", "401", "403", "429", "500", "503"] {
        let (sentence, retry_after_seconds) = upstream(fetch(&registries, status).await);
        assert!(sentence.contains(&format!("answered {status}")), "{sentence}");
        assert_eq!(retry_after_seconds, Some(7));
        assert_eq!(upstream(registries.open_file(npm(), "x", status).await), (sentence, Some(7)));
    }
    let request = RegistryRequest { last_modified: Some("yesterday".to_owned()), ..asking("304") };
    let answer = registries.fetch_document(npm(), &request, 100).await.unwrap();
    assert!(matches!(answer, RegistryAnswer::NotModified));
}

#[tokio::test]
async fn slow_registries_are_given_up() {
    let server = TestServer::start(|head| {
        Act::Stall(if head.contains("body") {
            b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345".to_vec()
        } else {
            vec![]
        })
    })
    .await;
    let quickly = Duration::from_millis(100);
    let impatient = ClientSettings { header_timeout: quickly, ..ClientSettings::default() };
    let registries = with_settings(address(&server), impatient);
    assert!(upstream(fetch(&registries, "headers").await).0.contains("did not answer within"));

    let impatient = ClientSettings { idle_timeout: quickly, ..ClientSettings::default() };
    let registries = with_settings(address(&server), impatient);
    assert!(upstream(fetch(&registries, "body").await).0.contains("no bytes came"));
    let error = download(&registries, "body").await.expect_err("the body stalls");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[tokio::test]
async fn a_document_that_drips_for_too_long_is_given_up() {
    let server =
        TestServer::start(|_| Act::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345".to_vec())).await;
    let settings = ClientSettings { document_timeout: Duration::from_millis(100), ..ClientSettings::default() };
    let registries = with_settings(address(&server), settings);
    assert!(upstream(fetch(&registries, "x").await).0.contains("took too long"));
}

#[tokio::test]
async fn a_truncated_body_is_an_error() {
    let server = TestServer::start(|head| {
        Act::Close(match head.contains("chunked") {
            true => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n".to_vec(),
            false => b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345".to_vec(),
        })
    })
    .await;
    let registries = registries(address(&server));
    for path in ["length", "chunked"] {
        upstream(fetch(&registries, path).await);
        let error = download(&registries, path).await.expect_err("the body is cut short");
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{path}");
    }
    // Documents were asked for twice; a file never is once its body began.
    assert_eq!(server.requests().len(), 6);
    let download = registries.open_file(npm(), "x", "length").await.unwrap();
    assert_eq!(download.size_bytes, Some(10));
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_tried_once_more() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = TestServer::start(move |head| {
        let first = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst).is_multiple_of(2);
        Act::Close(if first || head.contains("always") { vec![] } else { response("200 OK", &[], "fine") })
    })
    .await;
    let registries = registries(address(&server));
    assert!(matches!(fetch(&registries, "x").await.unwrap(), RegistryAnswer::Found { .. }));
    assert_eq!(download(&registries, "x").await.unwrap(), b"fine");
    upstream(fetch(&registries, "always").await);
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn files_are_asked_for_as_they_are() {
    let server = TestServer::start(|_| Act::Answer(response("200 OK", &[("content-encoding", "gzip")], "raw"))).await;
    let registries = registries(with_token(&server));
    assert_eq!(download(&registries, "x/-/x-1.0.0.tgz#frag").await.unwrap(), b"raw");
    assert_eq!(download(&registries, &format!("{}/elsewhere/x", server.origin)).await.unwrap(), b"raw");
    let requests = server.requests();
    assert!(requests[0].starts_with("GET /npm/x/-/x-1.0.0.tgz HTTP/1.1\n"), "{}", requests[0]);
    assert!(requests[0].contains("accept-encoding: identity\r\n"));
    assert!(requests[0].contains("authorization: bearer secret"));
    assert!(!requests[1].contains("authorization"), "outside the path of the address");
}

#[tokio::test]
async fn other_origins_are_refused_unless_they_are_listed_and_get_no_credentials() {
    let files = TestServer::start(|_| Act::Answer(response("200 OK", &[], "file"))).await;
    let server = TestServer::start(|_| Act::Answer(response("200 OK", &[], "index"))).await;
    let url = format!("{}/npm/x.tgz", files.origin);

    let sentence = upstream(registries(with_token(&server)).open_file(npm(), "x", &url).await).0;
    assert!(sentence.contains("allow_hosts"), "{sentence}");
    assert!(files.requests().is_empty());

    let listed = RegistryAddress { allow_hosts: vec![files.origin.clone()], ..with_token(&server) };
    assert_eq!(download(&registries(listed), &url).await.unwrap(), b"file");
    assert!(!files.requests()[0].contains("authorization"), "{}", files.requests()[0]);
}

#[tokio::test]
async fn redirects_are_checked_at_every_hop_and_lose_the_credentials() {
    let elsewhere = TestServer::start(|head| {
        // Leads back to where it came from.
        let host = head.split("/from/").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default().to_owned();
        let back = format!("http://{host}/npm/back");
        Act::Answer(response("307 X", &[("location", &back)], ""))
    })
    .await;
    let target = elsewhere.origin.clone();
    let server = TestServer::start(move |head| {
        if head.starts_with("GET /npm/back") {
            return Act::Answer(response("200 OK", &[], "back"));
        }
        if head.starts_with("GET /npm/same") {
            return Act::Answer(response("302 X", &[("location", "back")], ""));
        }
        let host = head.split("host: ").nth(1).and_then(|rest| rest.split('\r').next()).unwrap().to_owned();
        Act::Answer(response("301 X", &[("location", &format!("{target}/from/{host}"))], ""))
    })
    .await;

    let strict = registries(with_token(&server));
    assert!(upstream(fetch(&strict, "away").await).0.contains("allow_hosts"));
    assert!(upstream(strict.open_file(npm(), "x", "away").await).0.contains("allow_hosts"));
    assert!(elsewhere.requests().is_empty());
    assert!(matches!(fetch(&strict, "same").await.unwrap(), RegistryAnswer::Found { .. }));
    assert!(server.requests().last().unwrap().contains("authorization"), "a redirect on the same origin keeps them");

    let listed = registries(RegistryAddress { allow_hosts: vec![elsewhere.origin.clone()], ..with_token(&server) });
    assert!(matches!(fetch(&listed, "away").await.unwrap(), RegistryAnswer::Found { .. }));
    assert!(!elsewhere.requests()[0].contains("authorization"));
    assert!(!server.requests().last().unwrap().contains("authorization"), "nobody else sends the credentials anywhere");
}

#[tokio::test]
async fn a_redirect_loop_ends() {
    let server = TestServer::start(|_| Act::Answer(response("302 X", &[("location", "x")], ""))).await;
    let registries = registries(address(&server));
    assert!(upstream(fetch(&registries, "x").await).0.contains("more than 5 times"));
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn hosts_that_only_the_registry_named_must_lead_to_public_addresses() {
    let server = TestServer::start(|_| Act::Answer(response("200 OK", &[], "x"))).await;
    let discover = RegistryAddress { allow_file_hosts: FileHosts::Discover, ..address(&server) };
    let registries = registries(discover);
    let refused = |url: &'static str| registries.open_file(npm(), "x", url);
    assert!(upstream(refused("https://localhost/x").await).0.contains("not an address it may lead to"));
    assert!(upstream(refused("https://169.254.169.254/latest").await).0.contains("not a public address"));
    assert!(upstream(refused("https://[::1]/x").await).0.contains("not a public address"));
    assert!(upstream(refused("http://localhost/x").await).0.contains("allow_hosts"));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_http_address_has_no_hosts_but_those_listed() {
    let server = TestServer::start(|_| Act::Answer(response("200 OK", &[], "x"))).await;
    let registries = registries(address(&server));
    assert!(upstream(registries.open_file(npm(), "x", "https://files.example/x").await).0.contains("allow_hosts"));
}

#[tokio::test]
async fn a_connection_without_an_address_says_how_to_set_one() {
    let registries = Registries::new(Client::new(ClientSettings::default()), &HashMap::new()).unwrap();
    assert!(!registries.is_configured(npm()));
    assert!(upstream(fetch(&registries, "x").await).0.contains("larder external detect"));
}

#[tokio::test]
async fn addresses_can_be_replaced_while_running() {
    let server = TestServer::start(|_| Act::Answer(response("200 OK", &[], "x"))).await;
    let registries = Registries::new(Client::new(ClientSettings::default()), &HashMap::new()).unwrap();
    registries.replace(&HashMap::from([(npm(), address(&server))])).unwrap();
    assert!(matches!(fetch(&registries, "x").await.unwrap(), RegistryAnswer::Found { .. }));
    let wrong = RegistryAddress { url: "nonsense".to_owned(), ..RegistryAddress::default() };
    let refused = registries.replace(&HashMap::from([(npm(), wrong)]));
    assert!(matches!(refused, Err(Error::Validation { field, .. }) if field.contains("public:npmjs")));
    assert!(registries.is_configured(npm()), "the old addresses stay");
}

#[tokio::test]
async fn an_unreachable_registry_is_an_upstream_failure() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let registries = registries(RegistryAddress { url, ..RegistryAddress::default() });
    assert!(upstream(fetch(&registries, "x").await).0.contains("refused"));
}

#[tokio::test]
async fn a_document_that_another_one_names_lies_on_configured_hosts_only() {
    let server = TestServer::start(|_| Act::Answer(response("200 OK", &[], "{}"))).await;
    let registries = registries(with_token(&server));
    let at = |found: &str| RegistryRequest { reference: Some(found.to_owned()), ..asking("") };
    let beside = format!("{}/elsewhere/x.json", server.origin);
    let below = format!("{}/npm/x.json", server.origin);
    for (found, shows_token) in [(beside.as_str(), false), (below.as_str(), true), ("y.json", true)] {
        let answer = registries.fetch_document(npm(), &at(found), 100).await.unwrap();
        assert!(matches!(answer, RegistryAnswer::Found { .. }), "{found}");
        let head = server.requests().pop().unwrap_or_default();
        assert_eq!(head.contains("authorization"), shows_token, "{head}");
    }
    let asked = server.requests().len();
    for elsewhere in ["http://files.example/x.json", "https://127.0.0.2/x.json", "file:///etc/passwd"] {
        let (message, _) = upstream(registries.fetch_document(npm(), &at(elsewhere), 100).await);
        assert!(message.contains("allow_hosts") || message.contains("neither http"), "{message}");
    }
    assert_eq!(server.requests().len(), asked);
}
