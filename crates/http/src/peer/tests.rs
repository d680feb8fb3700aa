use http::Request;
use proptest::prelude::*;

use super::*;

const CLIENT: &str = "198.51.100.7:40000";
const PROXY: &str = "10.0.0.1:40000";

fn rules() -> PeerRules {
    PeerRules::new(None, &["10.0.0.0/8".to_owned(), "::1".to_owned()]).unwrap()
}

fn read(rules: &PeerRules, remote: &str, headers: &[(&str, &str)]) -> Result<PeerInfo, BadHost> {
    let mut request = Request::builder().uri("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    rules.read(ends(remote, false), &parts)
}

fn ends(remote: &str, is_encrypted: bool) -> Ends {
    Ends { remote: remote.parse().unwrap(), local: "127.0.0.1:5273".parse().unwrap(), is_encrypted }
}

fn base_url(remote: &str, headers: &[(&str, &str)]) -> String {
    read(&rules(), remote, headers).unwrap().base_url
}

#[test]
fn the_base_url_is_what_the_client_asked_for() {
    for host in ["larder.example", "localhost:5273", "127.0.0.1:80", "[::1]:5273", "a_b-c.d"] {
        assert_eq!(base_url(CLIENT, &[("host", host)]), format!("http://{host}"));
    }
    let (mut parts, ()) = Request::builder().uri("http://other:1/x").header("host", "h").body(()).unwrap().into_parts();
    let ends = ends(CLIENT, false);
    assert_eq!(rules().read(ends, &parts).unwrap().base_url, "http://other:1");
    parts.uri = "/".parse().unwrap();
    parts.headers.clear();
    assert_eq!(rules().read(ends, &parts), Err(BadHost));
    parts.version = Version::HTTP_10;
    assert_eq!(rules().read(ends, &parts).unwrap().base_url, "http://127.0.0.1:5273");
}

#[test]
fn an_encrypted_connection_is_secure_unless_a_proxy_says_what_its_client_uses() {
    let peer = |remote: &str, headers: &[(&str, &str)]| {
        let mut request = Request::builder().uri("/").header("host", "h");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer = rules().read(ends(remote, true), &request.body(()).unwrap().into_parts().0).unwrap();
        (peer.secure, peer.base_url)
    };
    assert_eq!(peer(CLIENT, &[]), (true, "https://h".to_owned()));
    assert_eq!(peer(CLIENT, &[("x-forwarded-proto", "http")]), (true, "https://h".to_owned()));
    assert_eq!(peer(PROXY, &[]), (true, "https://h".to_owned()));
    assert_eq!(peer(PROXY, &[("x-forwarded-proto", "http")]), (false, "http://h".to_owned()));
}

#[test]
fn a_host_that_is_none_is_refused() {
    for host in ["", "a b", "a/b", "a@b", "a:", "a:x", "a:99999", "[::1", "[x]", "::1", "a?b", "a\"b", "é"] {
        assert_eq!(read(&rules(), CLIENT, &[("host", host)]), Err(BadHost), "{host}");
    }
    assert_eq!(read(&rules(), CLIENT, &[("host", "a"), ("host", "a")]), Err(BadHost), "two hosts");
}

#[test]
fn a_configured_base_url_wins() {
    let rules = PeerRules::new(Some("https://larder.example/x/".to_owned()), &[]).unwrap();
    let peer = read(&rules, CLIENT, &[("host", "other")]).unwrap();
    assert_eq!((peer.base_url.as_str(), peer.authority.as_str()), ("https://larder.example/x", "other"));
}

#[test]
fn a_proxy_is_an_address_or_a_network() {
    for proxy in ["", "proxy.example", "10.0.0.0/33", "10.0.0.1:80"] {
        let error = PeerRules::new(None, &[proxy.to_owned()]).unwrap_err();
        assert!(error.to_string().contains(proxy), "{error}");
    }
}

#[test]
fn strangers_are_not_believed() {
    let peer = read(
        &rules(),
        CLIENT,
        &[
            ("host", "h"),
            ("forwarded", "for=1.2.3.4;proto=https;host=evil"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil"),
            ("x-forwarded-port", "1"),
            ("x-forwarded-prefix", "/evil"),
        ],
    );
    let address = "198.51.100.7".parse().unwrap();
    let expected = PeerInfo { address, secure: false, base_url: "http://h".to_owned(), authority: "h".to_owned() };
    assert_eq!(peer, Ok(expected));
}

#[test]
fn a_trusted_proxy_names_client_scheme_host_port_and_prefix() {
    let peer = read(
        &rules(),
        PROXY,
        &[
            ("host", "backend"),
            ("x-forwarded-for", "198.51.100.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "larder.example"),
            ("x-forwarded-port", "8443"),
            ("x-forwarded-prefix", "/artifacts/"),
        ],
    )
    .unwrap();
    assert_eq!(peer.address, "198.51.100.7".parse::<IpAddr>().unwrap());
    assert!(peer.secure);
    assert_eq!(peer.base_url, "https://larder.example:8443/artifacts");
    let standard = [("host", "h"), ("x-forwarded-proto", "https"), ("x-forwarded-port", "443")];
    assert_eq!(base_url(PROXY, &standard), "https://h");
    let forwarded = [("host", "b"), ("forwarded", "for=\"[2001:db8::1]:9\";proto=https;host=\"larder.example:1\"")];
    let peer = read(&rules(), PROXY, &forwarded).unwrap();
    assert_eq!(peer.address, "2001:db8::1".parse::<IpAddr>().unwrap());
    assert_eq!(peer.base_url, "https://larder.example:1");
}

#[test]
fn the_client_is_the_last_address_that_is_no_proxy() {
    for (list, expected) in [
        ("1.1.1.1, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.9.9.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("unknown", "10.0.0.1"),
        ("198.51.100.7:1234", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
    ] {
        let headers = [("host", "h"), ("x-forwarded-for", list)];
        let peer = read(&rules(), PROXY, &headers).unwrap();
        assert_eq!(peer.address, expected.parse::<IpAddr>().unwrap(), "{list}");
        let elements: Vec<_> = list.split(',').map(|item| format!("for=\"{}\"", item.trim())).collect();
        if !list.contains("ffff") {
            let peer = read(&rules(), PROXY, &[("host", "h"), ("forwarded", &elements.join(", "))]).unwrap();
            assert_eq!(peer.address, expected.parse::<IpAddr>().unwrap(), "{list}");
        }
    }
}

#[test]
fn what_a_client_prepends_to_the_list_is_not_believed() {
    let spoofed = [("host", "h"), ("forwarded", "for=9.9.9.9;host=evil;proto=https, for=198.51.100.7;host=real")];
    let peer = read(&rules(), PROXY, &spoofed).unwrap();
    assert_eq!(peer.base_url, "http://real");
    assert_eq!(peer.address, "198.51.100.7".parse::<IpAddr>().unwrap());
}

#[test]
fn a_prefix_or_host_that_would_break_the_url_is_not_taken() {
    for prefix in ["x", "//evil", "/a/../b", "/a b", "/a\"b", "/a?b"] {
        assert_eq!(base_url(PROXY, &[("host", "h"), ("x-forwarded-prefix", prefix)]), "http://h", "{prefix}");
    }
    assert_eq!(read(&rules(), PROXY, &[("host", "h"), ("x-forwarded-host", "a/b")]), Err(BadHost));
}

proptest! {
    #[test]
    fn a_base_url_never_holds_more_than_scheme_and_host(host in "[ -~]{0,20}") {
        if let Ok(peer) = read(&rules(), CLIENT, &[("host", host.as_str())]) {
            prop_assert_eq!(&peer.base_url, &format!("http://{host}"));
            prop_assert!(!host.contains(['/', '?', '#', '@', ' ', '"', '<', '\\']));
        }
    }
}
