use larder_formatkit::Answer;
use serde_json::{Value, json};

use crate::registry::{offer, offer_package};
use crate::server::Server;

const BULK: &str = "-/npm/v1/security/advisories/bulk";

async fn audit(server: &Server, question: &Value) -> Answer {
    server.send("POST", &format!("/{BULK}"), question.to_string()).await
}

/// What the registry was asked, question by question.
fn questions(server: &Server) -> Vec<Value> {
    server.registry.questions().iter().map(|body| serde_json::from_slice(body).expect("JSON")).collect()
}

#[tokio::test]
async fn advisories_of_public_packages_are_passed_on() {
    let server = Server::start().await;
    offer_package(&server.registry, "public", "1.0.0", "public-1.0.0.tgz");
    let advisory = json!([{"id": 1, "title": "Bad", "severity": "high", "vulnerable_versions": "<2"}]);
    offer(&server.registry, BULK, &json!({"public": advisory, "never-asked": advisory}));
    server.get("/public").await.expect(200);
    let told = audit(&server, &json!({"public": ["1.0.0"]})).await.expect(200).json();
    assert_eq!(told, json!({"public": advisory}));
    assert_eq!(questions(&server), [json!({"public": ["1.0.0"]})]);
}

#[tokio::test]
async fn the_name_of_a_private_package_never_leaves() {
    let server = Server::start().await;
    offer(&server.registry, BULK, &json!({}));
    offer_package(&server.registry, "public", "1.0.0", "public-1.0.0.tgz");
    server.get("/public").await.expect(200);
    // Published here; published under a name that the registry has too; asked for in vain; never asked for; blocked.
    server.publish("@acme/private", "1.0.0", "latest").await.expect(201);
    server.publish("both", "1.0.0", "latest").await.expect(201);
    offer_package(&server.registry, "both", "9.0.0", "both-9.0.0.tgz");
    server.get("/both").await.expect(200);
    server.get("/misspelled").await.expect(404);
    offer_package(&server.registry, "unknown", "1.0.0", "unknown-1.0.0.tgz");
    let before = server.registry.asked().len();
    let names = ["public", "@acme/private", "both", "misspelled", "unknown", "workspace-member", "PUBLIC", "../x", ""];
    let question: Value = names.iter().map(|name| ((*name).to_owned(), json!(["1.0.0"]))).collect();
    audit(&server, &question).await.expect(200);
    assert_eq!(questions(&server), [json!({"public": ["1.0.0"]})]);
    assert_eq!(server.registry.asked()[before..], [BULK], "nothing else was asked either");
    // If nothing may be told, the registry is asked whether it has advisories, of nothing.
    assert_eq!(audit(&server, &json!({"@acme/private": ["1.0.0"]})).await.expect(200).json(), json!({}));
    assert_eq!(questions(&server)[1..], [json!({})]);
}

#[tokio::test]
async fn without_advisories_nobody_is_told_that_all_is_well() {
    let server = Server::start().await;
    offer_package(&server.registry, "public", "1.0.0", "public-1.0.0.tgz");
    server.get("/public").await.expect(200);
    let question = json!({"public": ["1.0.0"]});
    audit(&server, &question).await.expect(404);
    server.registry.put(BULK, "<html>log in</html>");
    audit(&server, &question).await.expect(502);
    server.registry.set_down(true);
    audit(&server, &question).await.expect(502);
    for wrong in ["", "[]", "{\"a\":1}", "{\"a\":[1]}"] {
        server.send("POST", &format!("/{BULK}"), wrong).await.expect(400);
    }
    for old in ["audits", "audits/quick"] {
        server.send("POST", &format!("/-/npm/v1/security/{old}"), "{}").await.expect(404);
    }
}
