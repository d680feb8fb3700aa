//! Requests signed by botocore: see `testdata/sigv4/generate.py`.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Table {
    about: About,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct About {
    now: String,
    secret: String,
    region: String,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    service: String,
    method: String,
    path: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    body: String,
}

impl Row {
    fn headers(&self) -> HeaderMap {
        headers(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

fn table() -> Table {
    serde_json::from_str(include_str!("../../../testdata/sigv4/botocore.json")).unwrap()
}

#[test]
fn what_botocore_signs_verifies_as_sent_and_with_no_other_body() {
    let table = table();
    assert_eq!(table.about.secret, secret().expose());
    assert_eq!(table.about.region, REGION);
    assert!(table.rows.len() >= 35);
    let now = at(&table.about.now);
    for row in &table.rows {
        let headers = row.headers();
        let request =
            RequestParts { method: &row.method, path: &row.path, query: row.query.as_deref(), headers: &headers };
        let signed = parse(&request).unwrap_or_else(|error| panic!("{}: {error}", row.name));
        assert_eq!(signed.service, row.service, "{}", row.name);
        assert_eq!(signed.access_key_id, "AKIAIOSFODNN7EXAMPLE", "{}", row.name);
        assert_eq!(check(&request, row.body.as_bytes(), now), Ok(()), "{}", row.name);
        let other_body = check(&request, b"something else", now);
        assert_eq!(other_body.is_ok(), signed.payload == PayloadHash::Unsigned, "{}", row.name);
    }
}

#[test]
fn a_declared_hash_verifies_before_the_body_is_read() {
    let table = table();
    let row = table.rows.iter().find(|row| row.name == "publish generic").unwrap();
    let headers = row.headers();
    let request = RequestParts { method: &row.method, path: &row.path, query: row.query.as_deref(), headers: &headers };
    let signed = parse(&request).unwrap();
    assert_eq!(signed.payload, PayloadHash::Declared(Sha256::digest(b"hello").into()));
    let verifier = Verifier::new(REGION, &["codeartifact"]);
    assert_eq!(verifier.verify(&signed, &secret(), None, at(&table.about.now)), Ok(()));
}

#[test]
fn a_presigned_request_lives_as_long_as_it_says() {
    let table = table();
    let row = table.rows.iter().find(|row| row.name == "presigned for a week").unwrap();
    let headers = row.headers();
    let request = RequestParts { method: &row.method, path: &row.path, query: row.query.as_deref(), headers: &headers };
    assert_eq!(check(&request, b"", at("2026-03-11T05:06:07Z")), Ok(()));
    let late = check(&request, b"", at("2026-03-11T05:06:08Z")).unwrap_err();
    assert_eq!(
        late.message(),
        "Signature expired: 20260304T050607Z is now earlier than 20260304T050608Z (20260311T050608Z - 10080 min.)"
    );
    let early = check(&request, b"", at("2026-03-04T04:51:06Z")).unwrap_err();
    assert!(early.message().starts_with("Signature not yet current: 20260304T050607Z"), "{early}");
}
