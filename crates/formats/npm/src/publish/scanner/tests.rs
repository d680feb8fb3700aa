use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Names and Base64.
type Attachments = Vec<(String, String)>;

/// The text and the streamed attachments, fed in chunks of the given sizes (repeated).
fn scan(body: &[u8], sizes: &[usize]) -> Result<(Vec<u8>, Attachments), Invalid> {
    let mut scanner = Scanner::default();
    let (mut text, mut attachments, mut rest) = (Vec::new(), Attachments::new(), body);
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let (mut chunk, behind) = rest.split_at((*sizes.next().expect("cycle")).clamp(1, rest.len()));
        loop {
            let (count, piece) = scanner.next(chunk)?;
            match piece {
                Some(Piece::Text(bytes)) => text.extend_from_slice(bytes),
                Some(Piece::AttachmentStart(name)) => attachments.push((name, String::new())),
                Some(Piece::Data(bytes)) => {
                    attachments.last_mut().expect("started").1.push_str(std::str::from_utf8(bytes).expect("ASCII"));
                }
                Some(Piece::AttachmentEnd) => {}
                None if count == 0 => break,
                None => {}
            }
            chunk = &chunk[count..];
        }
        rest = behind;
    }
    Ok((text, attachments))
}

fn parsed(text: &[u8]) -> Value {
    serde_json::from_slice(text).expect("still JSON")
}

#[test]
fn attachment_data_is_taken_out_and_the_rest_stays_json() {
    let body = br#"{ "_id":"n", "data":"root", "_attachments" : {"n-1.0.0.tgz":{"content_type":"x","data":"QUJD\/w==","length":4},
        "n-1.0.0.sigstore":{"data":"{\"data\":\"kept\"}","length":15}}, "versions":{"_attachments":{"a":{"data":"kept"}}} }"#;
    for size in 1..40 {
        let (text, attachments) = scan(body, &[size]).expect("well formed");
        assert_eq!(attachments, [("n-1.0.0.tgz".to_owned(), "QUJD/w==".to_owned())]);
        let text = parsed(&text);
        assert_eq!(text["_attachments"]["n-1.0.0.tgz"]["data"], "");
        assert_eq!(text["_attachments"]["n-1.0.0.sigstore"]["data"], "{\"data\":\"kept\"}");
        assert_eq!(text["versions"]["_attachments"]["a"]["data"], "kept");
        assert_eq!(text["data"], "root");
    }
}

#[test]
fn escaped_member_names_mean_what_they_mean() {
    let (text, attachments) =
        scan(br#"{"\u005fattachments":{"a\u002etgz":{"d\u0061ta":"QQ=="}}}"#, &[3]).expect("well formed");
    assert_eq!(attachments, [("a.tgz".to_owned(), "QQ==".to_owned())]);
    assert_eq!(parsed(&text)["_attachments"]["a.tgz"]["data"], "");
}

#[test]
fn a_body_that_could_be_read_in_two_ways_is_refused() {
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    let long = format!("{{\"{}\":1}}", "k".repeat(5000));
    for bad in [
        r#"{"_attachments":{},"_attachments":{}}"#,
        r#"{"_attachments":{"a":{"data":"QQ==","data":"QQ=="}}}"#,
        r#"{"_attachments":{"a":{"data":"Q\u0051=="}}}"#,
        r#"{"_attachments":{"\ud800":{"data":"QQ=="}}}"#,
        &deep,
        &long,
    ] {
        assert!(scan(bad.as_bytes(), &[7]).is_err(), "{bad:.60}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "(\\PC|[\"\\\\\n]){0,12}".prop_map(Value::from),
    ];
    let name = prop_oneof!["_attachments", "data", "n-1.tgz", "n-1.sigstore", "(\\PC|[\"\\\\]){0,6}"];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What the scanner is to do, on the parsed document.
fn take_out(mut body: Value) -> (Value, Attachments) {
    let mut taken = Vec::new();
    if let Some(attachments) = body.get_mut("_attachments").and_then(Value::as_object_mut) {
        for (name, attachment) in attachments.iter_mut().filter(|(name, _)| !is_bundle(name)) {
            if let Some(data) = attachment.as_object_mut().and_then(|object| object.get_mut("data"))
                && let Some(text) = data.as_str()
            {
                taken.push((name.clone(), text.to_owned()));
                *data = json!("");
            }
        }
    }
    (body, taken)
}

proptest! {
    #[test]
    fn the_scanner_agrees_with_a_parser(
        root in any_json(),
        attachments in prop::collection::vec(("[a-z.\"\\\\]{1,5}", "[A-Za-z0-9+/]{0,50}={0,2}"), 0..3),
        pretty in any::<bool>(),
        sizes in prop::collection::vec(1usize..60, 1..6),
    ) {
        let mut body = root;
        if let Some(object) = body.as_object_mut() && !attachments.is_empty() {
            let made: serde_json::Map<_, _> =
                attachments.into_iter().map(|(name, data)| (name, json!({"length": 1, "data": data}))).collect();
            object.insert("_attachments".into(), made.into());
        }
        let text = if pretty { serde_json::to_vec_pretty(&body) } else { serde_json::to_vec(&body) }.expect("a value");
        let (expected, taken) = take_out(body);
        // Data that is not Base64 may be refused.
        let is_plain = taken.iter().all(|(_, data)| data.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\'));
        match scan(&text, &sizes) {
            Ok((rest, streamed)) if is_plain => {
                prop_assert_eq!(parsed(&rest), expected);
                prop_assert_eq!(streamed, taken);
            }
            Ok(_) => {}
            Err(error) => prop_assert!(!is_plain, "{}", error),
        }
    }
}
