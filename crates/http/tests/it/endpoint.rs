//! The front door: who gets in, and what those outside are told.

use std::time::Duration;

use larder_http::{EndpointSettings, ServerSettings};

use crate::client::{Answer, Client};
use crate::fakes::{BASE, start, start_with};

async fn ask(lines: &str) -> Answer {
    let mut client = Client::connect(start().await.address).await;
    client.send(&format!("{lines}\nHost: larder.test:1\n\n")).await;
    client.answer().await
}

#[tokio::test]
async fn a_repository_request_reaches_its_format_decoded() {
    let answer = ask(&format!("GET {BASE}/@a%2fb/c%20d/?q=%2f HTTP/1.1\nAuthorization: Basic YXdzOmFsaWNl")).await;
    assert_eq!(answer.text(), format!("[\"@a/b\", \"c d\"] Some(\"q=%2f\") http://larder.test:1{BASE} alice\n"));
    let format_first = "/npm/d/my-domain-123456789012/repo";
    let answer = ask(&format!("GET {format_first}/x HTTP/1.1\nAuthorization: alice")).await;
    assert!(answer.text().contains(&format!("http://larder.test:1{format_first}")), "{}", answer.text());
}

#[tokio::test]
async fn whoever_is_unknown_is_challenged_and_learns_nothing() {
    let mut seen = Vec::new();
    for path in [BASE, "/d/none-123456789012/npm/repo", "/d/my-domain-123456789012/npm/none", "/d/x/npm/y"] {
        let answer = ask(&format!("GET {path}/x HTTP/1.1")).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.header("www-authenticate"), format!("Basic realm=\"npm at http://larder.test:1{path}\""));
        assert!(answer.text().starts_with("npm says: credentials are needed"));
        assert!(answer.reason.starts_with("credentials are needed"), "{}", answer.reason);
        seen.push(answer.body);
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
    for (authorization, sentence) in [
        ("Bearer bob", "unknown or has ended"),
        ("Digest x", "holds no authorization token"),
        ("AWS4-HMAC-SHA256 Credential=AKIA/x", "not a signature"),
    ] {
        let answer = ask(&format!("GET {BASE}/x HTTP/1.1\nAuthorization: {authorization}")).await;
        assert_eq!(answer.status, 401);
        assert!(answer.text().contains(sentence), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_token_opens_its_own_domain_only() {
    let mut sentences = Vec::new();
    for domain in ["other", "none"] {
        let path = format!("/d/{domain}-123456789012/npm/repo/x");
        let answer = ask(&format!("GET {path} HTTP/1.1\nAuthorization: Bearer alice")).await;
        assert_eq!(answer.status, 403);
        sentences.push(answer.text().replace(domain, "DOMAIN"));
    }
    assert_eq!(sentences[0], sentences[1], "a domain that is there looks like one that is not");
    let path = "/d/my-domain-123456789012/npm/none/x";
    assert_eq!(ask(&format!("GET {path} HTTP/1.1\nAuthorization: Bearer alice")).await.status, 404);
}

#[tokio::test]
async fn a_refused_path_is_answered_in_the_formats_form() {
    let answer = ask(&format!("GET {BASE}/a/..%2f..%2fetc/passwd HTTP/1.1\nAuthorization: Bearer alice")).await;
    assert_eq!((answer.status, answer.text()), (400, "npm says: the path holds an encoded '/' inside a segment\n"));
    let answer = ask("GET /d/%2e%2e/npm/repo HTTP/1.1").await;
    assert_eq!((answer.status, answer.text()), (400, "the path has a '.' or '..' segment\n"));
}

#[tokio::test]
async fn a_format_that_is_not_served_is_named_to_known_callers_only() {
    for format in ["maven", "nonsense"] {
        let path = format!("/d/my-domain-123456789012/{format}/repo/x");
        let answer = ask(&format!("GET {path} HTTP/1.1")).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Basic realm=\"larder\""));
        let answer = ask(&format!("GET {path} HTTP/1.1\nAuthorization: Bearer alice")).await;
        assert_eq!(
            (answer.status, answer.text()),
            (404, &*format!("package format '{format}' is not served here yet\n"))
        );
    }
}

#[tokio::test]
async fn a_login_needs_no_token_but_a_repository() {
    let answer = ask(&format!("PUT {BASE}/login HTTP/1.1\nAuthorization: Bearer stale")).await;
    assert_eq!((answer.status, answer.text()), (201, "logged in to repo\n"));
    for path in ["/d/none-123456789012/npm/repo", "/d/my-domain-123456789012/npm/none"] {
        assert_eq!(ask(&format!("PUT {path}/login HTTP/1.1")).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn everything_else_is_the_apis() {
    let answer = ask("POST /v1/domains?x=1 HTTP/1.1\nContent-Length: 0").await;
    let id = answer.header("x-amzn-requestid").to_owned();
    assert_eq!(answer.text(), format!("api /v1/domains?x=1 http://larder.test:1 {id}\n"));
}

#[tokio::test]
async fn health_is_told_to_everybody() {
    for (path, text) in [("live", "live\n"), ("ready", "ready\n")] {
        assert_eq!(ask(&format!("GET /-/health/{path} HTTP/1.1")).await.text(), text);
    }
    let answer = ask("DELETE /-/health/live HTTP/1.1").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"));
    let answer = ask("GET /-/npm/v1/oidc/token/exchange/package/x HTTP/1.1").await;
    assert_eq!((answer.status, answer.header("content-type")), (404, "application/json"));
}

#[tokio::test]
async fn a_request_without_a_sound_host_is_refused() {
    let mut client = Client::connect(start().await.address).await;
    client.send("GET / HTTP/1.1\nHost: a/b\n\n").await;
    assert_eq!(client.answer().await.status, 400);
    client.send("GET / HTTP/1.1\n\n").await;
    assert_eq!(client.answer().await.status, 400);
}

#[tokio::test]
async fn a_domain_may_have_a_host_of_its_own() {
    let settings = EndpointSettings {
        base_url: Some("https://larder.test".to_owned()),
        endpoint_host: Some("{domain}-{owner}.d.larder.test".to_owned()),
        trusted_proxies: Vec::new(),
    };
    let running = start_with(ServerSettings::default(), settings, Duration::from_secs(1)).await;
    let mut client = Client::connect(running.address).await;
    let host = "my-domain-123456789012.d.larder.test";
    client.send(&format!("GET /npm/repo/x HTTP/1.1\nHost: {host}\nAuthorization: Bearer alice\n\n")).await;
    assert_eq!(client.answer().await.text(), format!("[\"x\"] None https://{host}/npm/repo alice\n"));
    let by_path = client.get(&format!("{BASE}/x"), "").await;
    assert_eq!(by_path.text(), format!("[\"x\"] None https://larder.test{BASE} alice\n"));
}
