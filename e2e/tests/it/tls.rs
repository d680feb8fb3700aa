//! Public registries over TLS: whom the machine trusts is trusted, and nobody else.

use larder_testkit::packages::{NpmPackage, PythonPackage};
use larder_testkit::tls::{Authority, Certificate, TlsFront};
use larder_testkit::{Registry, Response, Server, tests};

tests![tls_a_trusted_registry_is_read, tls_an_untrusted_registry_is_told_nothing, tls_a_certificate_is_for_one_name];

/// A registry that shows a certificate, and a server that trusts an authority.
struct World {
    registry: Registry,
    server: Server,
    token: String,
    wheel: Vec<u8>,
    _front: TlsFront,
}

impl World {
    fn new(shown: &Certificate, trusted: &Authority) -> Self {
        let registry = Registry::start();
        registry.add_npm(&NpmPackage::new("secret", "1.0.0"));
        let package = PythonPackage::new("secret", "1.0");
        let wheel = package.wheel();
        registry.add_python(&package, &wheel);
        let front = TlsFront::start(registry.address(), shown);
        let server = Server::builder()
            .external("public:npmjs", &format!("{}/npm/", front.url()))
            .external("public:pypi", &format!("{}/pypi/simple/", front.url()))
            .env("SSL_CERT_FILE", &trusted.file().to_string_lossy())
            .start();
        let token = server.token();
        Self { registry, server, token, wheel: wheel.bytes, _front: front }
    }

    fn get(&self, format: &str, path: &str) -> Response {
        let target = format!("{}/{path}", self.server.path(format, "my-repo"));
        self.server.request("GET", &target).basic("aws", &self.token).send()
    }

    /// Neither registry is read, the client is told why, and the registry did not even hear what was asked for.
    fn is_refused(&self) {
        for (format, path) in [("npm", "secret"), ("pypi", "simple/secret/")] {
            let answer = self.get(format, path);
            assert!(matches!(answer.status, 502..=504), "{answer:?}");
            let text = format!("{} {}", answer.reason, answer.text());
            assert!(text.contains("certificate"), "{format}: {text}");
        }
        assert_eq!(self.registry.count("secret"), 0);
    }
}

fn tls_a_trusted_registry_is_read() {
    let authority = Authority::new();
    let world = World::new(&authority.certificate("IP:127.0.0.1"), &authority);
    assert!(world.get("npm", "secret").expect(200).json()["versions"]["1.0.0"].is_object());
    let page = world.get("pypi", "simple/secret/").expect(200).text();
    assert!(page.contains("secret-1.0"), "{page}");
    let file = world.get("pypi", "simple/secret/1.0/secret-1.0-py3-none-any.whl").expect(200);
    assert!(file.body == world.wheel);
}

fn tls_an_untrusted_registry_is_told_nothing() {
    World::new(&Authority::new().certificate("IP:127.0.0.1"), &Authority::new()).is_refused();
}

fn tls_a_certificate_is_for_one_name() {
    let authority = Authority::new();
    World::new(&authority.certificate("DNS:example.test"), &authority).is_refused();
}
