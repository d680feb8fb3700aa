use larder_core::access::{Caller, Via};
use larder_http::RequestBody;
use serde_json::{Value, json};

use crate::server::{SECRET, Server};

async fn log_in(server: &Server, name: &str, password: &str) -> larder_formatkit::Answer {
    let body = json!({"_id": format!("org.couchdb.user:{name}"), "name": name, "password": password, "type": "user"});
    server.send("PUT", &format!("/-/user/org.couchdb.user:{name}"), body.to_string()).await
}

async fn caller(server: &Server, token: &str) -> Option<Caller> {
    server.services.tokens.authenticate(token, None, false, "request").await.expect("answered")
}

#[tokio::test]
async fn login_exchanges_an_access_key_for_a_token() {
    let server = Server::start().await;
    for name in ["alice", "AKIAIOSFODNN7EXAMPLE"] {
        let answer = log_in(&server, name, SECRET).await.expect(201);
        assert!(answer.header("npm-notice").starts_with("this token is valid until "));
        let token = answer.json()["token"].as_str().expect("a token").to_owned();
        let caller = caller(&server, &token).await.expect("known");
        let me = server.send_with("GET", "/-/whoami", &[], RequestBody::empty(), caller).await.expect(200);
        assert_eq!(me.json(), json!({"username": "alice"}));
    }
}

#[tokio::test]
async fn a_wrong_password_gets_no_token() {
    let server = Server::start().await;
    for (name, password) in [("alice", "wrong"), ("bob", SECRET), ("", SECRET), ("alice", "")] {
        log_in(&server, name, password).await.expect(401);
    }
    server.send("PUT", "/-/user/org.couchdb.user:alice", "{}").await.expect(400);
    server.deny("sts:GetServiceBearerToken");
    log_in(&server, "alice", SECRET).await.expect(403);
}

#[tokio::test]
async fn a_token_from_a_token_does_not_outlive_it() {
    let server = Server::start().await;
    let first = log_in(&server, "alice", SECRET).await.expect(201).json()["token"].as_str().expect("text").to_owned();
    let second = log_in(&server, "aws", &first).await.expect(201).json()["token"].as_str().expect("text").to_owned();
    let ends = async |token: &str| match caller(&server, token).await.expect("known").via {
        Via::Token { expires_at, .. } => expires_at,
        other => panic!("{other:?}"),
    };
    assert!(ends(&second).await <= ends(&first).await);
}

#[tokio::test]
async fn logout_ends_the_token_that_it_names() {
    let server = Server::start().await;
    let token = log_in(&server, "alice", SECRET).await.expect(201).json()["token"].as_str().expect("text").to_owned();
    server.send("DELETE", &format!("/-/user/token/{token}"), "").await.expect(200);
    assert!(caller(&server, &token).await.is_none());
    server.send("DELETE", &format!("/-/user/token/{token}"), "").await.expect(404);
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked() {
    let server = Server::start().await;
    let wanted = json!({"password": SECRET, "readonly": true, "cidr_whitelist": [], "name": "ci"});
    let made = server.send("POST", "/-/npm/v1/tokens", wanted.to_string()).await.expect(200).json();
    let token = made["token"].as_str().expect("text").to_owned();
    let listed = server.get("/-/npm/v1/tokens").await.expect(200).json();
    assert_eq!(listed["urls"], json!({}));
    let [shown] = &listed["objects"].as_array().expect("a list")[..] else { panic!("{listed}") };
    assert_eq!((&shown["key"], &shown["readonly"], &shown["name"]), (&made["key"], &Value::from(true), &json!("ci")));
    assert_ne!(shown["token"], token.as_str());

    let reader = caller(&server, &token).await.expect("known");
    let body = RequestBody::full(crate::samples::publish_body("n", "1.0.0", "latest").to_string());
    server.send_with("PUT", "/n", &[], body, reader).await.expect(403);

    let key = made["key"].as_str().expect("text");
    let revoked = server.send("DELETE", &format!("/-/npm/v1/tokens/token/{key}"), "").await;
    assert_eq!(revoked.status, 204);
    assert!(caller(&server, &token).await.is_none());
    server.send("DELETE", &format!("/-/npm/v1/tokens/token/{key}"), "").await.expect(404);
}

#[tokio::test]
async fn a_token_request_that_cannot_be_met_is_refused() {
    let server = Server::start().await;
    let post = async |body: Value| server.send("POST", "/-/npm/v1/tokens", body.to_string()).await;
    post(json!({"password": "wrong"})).await.expect(401);
    post(json!({"password": SECRET, "cidr_whitelist": ["10.0.0.0/8"]})).await.expect(400);
    post(json!({"readonly": true})).await.expect(400);
    server.get("/-/npm/v1/tokens?after=x").await.expect(400);
}

#[tokio::test]
async fn the_list_of_tokens_has_pages() {
    let server = Server::start().await;
    for _ in 0..101 {
        log_in(&server, "alice", SECRET).await.expect(201);
    }
    let first = server.get("/-/npm/v1/tokens").await.expect(200).json();
    assert_eq!(first["objects"].as_array().map(Vec::len), Some(100));
    let next = first["urls"]["next"].as_str().and_then(|url| url.strip_prefix(crate::server::BASE)).expect("a page");
    let second = server.get(next).await.expect(200).json();
    assert_eq!(second["objects"].as_array().map(Vec::len), Some(1));
    assert_eq!(second["urls"], json!({}));
}

#[tokio::test]
async fn the_profile_names_the_user() {
    let server = Server::start().await;
    let profile = server.get("/-/npm/v1/user").await.expect(200).json();
    assert_eq!((&profile["name"], &profile["tfa"]), (&json!("alice"), &json!(false)));
    server.send("POST", "/-/npm/v1/user", "{}").await.expect(404);
}
