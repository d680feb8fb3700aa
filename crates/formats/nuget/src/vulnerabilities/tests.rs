use larder_formatkit::{Server, Setup};
use serde_json::{Value, json};

use crate::{NugetFormat, Routes};

const GALLERY: &str = "http://gallery.test/v3";

async fn server() -> Server<Routes> {
    let setup = Setup::new(&["nuget-store", "my-repo"]).connected_to("public:nuget-org");
    Server::start(NugetFormat, setup, Routes::new).await
}

/// What a gallery has, with a page.
fn offer(server: &Server<Routes>) {
    let id = format!("{GALLERY}/vulnerabilities/index.json");
    let index = json!({"version": "3.0.0", "resources": [
        {"@id": "http://gallery.test/flat/", "@type": "PackageBaseAddress/3.0.0"},
        {"@id": id, "@type": "VulnerabilityInfo/6.7.0"},
    ]});
    server.registry.put("index.json", index.to_string());
    let page = format!("{GALLERY}/2024/base.json");
    let pages = json!([{"@name": "base", "@id": page, "@updated": "2024-05-06T07:08:09Z", "comment": "all"},
        {"@name": "../x", "@id": page, "@updated": ""}]);
    server.registry.put(&id, pages.to_string());
    server.registry.put(&page, r#"{"a.package":  [{"severity": 2, "versions": "(, 2.0.0)", "url": "http://x.test"}]}"#);
}

async fn resource(server: &Server<Routes>) -> Option<String> {
    let index = server.get("my-repo/v3/index.json").await.expect(200).json();
    let resources = index["resources"].as_array().unwrap();
    let found = resources.iter().find(|resource| resource["@type"] == "VulnerabilityInfo/6.7.0")?;
    found["@id"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn pages_of_the_gallery_are_passed_on_as_they_are() {
    let server = server().await;
    offer(&server);
    let base = server.base("my-repo");
    assert_eq!(resource(&server).await, Some(format!("{base}/v3/vulnerabilities/index.json")));
    let pages = server.get("my-repo/v3/vulnerabilities/index.json").await.expect(200).json();
    let own = json!([{"@name": "base", "@id": format!("{base}/v3/vulnerabilities/base.json"),
        "@updated": "2024-05-06T07:08:09Z", "comment": "all"}]);
    assert_eq!(pages, own);
    let page = server.get("my-repo/v3/vulnerabilities/base.json").await.expect(200).text();
    assert!(page.starts_with(r#"{"a.package":  [{"#), "{page}");
    server.get("my-repo/v3/vulnerabilities/other.json").await.expect(404);
    server.send("PUT", "my-repo/v3/vulnerabilities/base.json", &[], "{}").await.expect(405);
    // Held for a while.
    let asked = server.registry.asked().len();
    server.registry.set_down(true);
    server.get("my-repo/v3/vulnerabilities/base.json").await.expect(200);
    assert_eq!(server.registry.asked().len(), asked);
}

#[tokio::test]
async fn nobody_is_told_that_nothing_is_vulnerable() {
    for case in ["down", "none", "not a list", "another Larder without a gallery"] {
        let server = server().await;
        offer(&server);
        let address = format!("{GALLERY}/vulnerabilities/index.json");
        match case {
            "down" => server.registry.set_down(true),
            "none" => server.registry.put("index.json", r#"{"resources":[]}"#),
            "not a list" => server.registry.put(&address, "<html>log in</html>"),
            _ => server.registry.put(&address, Value::Array(Vec::new()).to_string()),
        }
        assert_eq!(resource(&server).await, None, "{case}");
        let status = server.get("my-repo/v3/vulnerabilities/index.json").await.status;
        assert_eq!(status, if case == "none" { 404 } else { 502 }, "{case}");
    }
    let alone = Server::start(NugetFormat, Setup::new(&["my-repo"]), Routes::new).await;
    assert_eq!(resource(&alone).await, None);
    alone.get("my-repo/v3/vulnerabilities/index.json").await.expect(404);
}
