//! The published test suite of signature version 4: key `AKIDEXAMPLE`, service `service`, 2015-08-30T12:36:00Z.

use super::*;

struct Vector {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    query: Option<&'static str>,
    /// Besides `host` and `x-amz-date`, in the order sent.
    headers: &'static [(&'static str, &'static str)],
    body: &'static [u8],
    signature: &'static str,
}

const GET: Vector = Vector {
    name: "get-vanilla",
    method: "GET",
    path: "/",
    query: None,
    headers: &[],
    body: b"",
    signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
};

const POST: Vector = Vector {
    name: "post-vanilla",
    method: "POST",
    signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ..GET
};

const UNRESERVED: &str = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const VECTORS: &[Vector] = &[
    GET,
    Vector { name: "get-vanilla-query", query: Some(""), ..GET },
    Vector { name: "get-relative", path: "/example/..", ..GET },
    Vector { name: "get-relative-relative", path: "/example1/example2/../..", ..GET },
    Vector { name: "get-slash", path: "//", ..GET },
    Vector { name: "get-slash-dot-slash", path: "/./", ..GET },
    Vector {
        name: "get-slash-pointless-dot",
        path: "/./example",
        signature: "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
        ..GET
    },
    Vector {
        name: "get-unreserved",
        path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ..GET
    },
    Vector {
        name: "get-utf8",
        path: "/ሴ",
        signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
        ..GET
    },
    Vector {
        name: "get-vanilla-query-order-key-case",
        query: Some("Param2=value2&Param1=value1"),
        signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ..GET
    },
    Vector {
        name: "get-vanilla-utf8-query",
        query: Some("ሴ=bar"),
        signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ..GET
    },
    Vector {
        name: "get-header-key-duplicate",
        headers: &[("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")],
        signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        ..GET
    },
    Vector {
        name: "get-header-value-order",
        headers: &[
            ("my-header1", "value4"),
            ("my-header1", "value1"),
            ("my-header1", "value3"),
            ("my-header1", "value2"),
        ],
        signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
        ..GET
    },
    Vector {
        name: "get-header-value-trim",
        headers: &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
        signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ..GET
    },
    POST,
    Vector {
        name: "post-vanilla-query",
        query: Some("Param1=value1"),
        signature: "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        ..POST
    },
    Vector {
        name: "post-header-key-sort",
        headers: &[("my-header1", "value1")],
        signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ..POST
    },
    Vector {
        name: "post-x-www-form-urlencoded",
        headers: &[("content-type", "application/x-www-form-urlencoded")],
        body: b"Param1=value1",
        signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ..POST
    },
];

#[test]
fn the_vectors_of_the_aws_suite_verify() {
    assert!(VECTORS.iter().any(|vector| vector.path.ends_with(UNRESERVED)));
    for vector in VECTORS {
        let mut headers = headers(
            [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")]
                .iter()
                .chain(vector.headers)
                .copied(),
        );
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={}, Signature={}",
            names.join(";"),
            vector.signature
        );
        headers.insert("authorization", authorization.parse().unwrap());
        let request = RequestParts { method: vector.method, path: vector.path, query: vector.query, headers: &headers };
        let result = check(&request, vector.body, at("2015-08-30T12:36:00Z"));
        assert_eq!(result, Ok(()), "{}", vector.name);
    }
}
