use super::*;

const JSON: &str = "application/vnd.pypi.simple.v1+json";

fn names(page: &RegistryPage) -> Vec<(&str, Vec<&str>)> {
    page.releases
        .iter()
        .map(|release| (release.version.as_str(), release.files.iter().map(|file| file.name.as_str()).collect()))
        .collect()
}

#[test]
fn a_json_page_is_grouped_by_release_in_the_registrys_spelling() {
    let hash = "0".repeat(64);
    let body = format!(
        r#"{{"meta":{{"api-version":"1.9","_x":1}},"name":"Foo","versions":["1.0.0"],"files":[
        {{"filename":"foo-1.0.tar.gz","url":"../f/foo-1.0.tar.gz#x","hashes":{{"sha256":"{hash}","blake3":"00","md5":"zz"}}}},
        {{"filename":"foo-1.0.0-py3-none-any.whl","url":"w","hashes":{{}},"core-metadata":{{"sha256":"{hash}"}},"yanked":"bad","size":3}},
        {{"filename":"README.txt","url":"r","hashes":{{}}}}]}}"#
    );
    let page = read_page("foo", JSON, body.as_bytes()).unwrap();
    assert_eq!(names(&page), [("1.0.0", vec!["foo-1.0.tar.gz", "foo-1.0.0-py3-none-any.whl"])]);
    let [sdist, wheel] = &page.releases[0].files[..] else { panic!("two files") };
    assert_eq!((sdist.url.as_str(), sdist.hashes.len(), &sdist.core_metadata), ("../f/foo-1.0.tar.gz", 1, &None));
    assert_eq!(
        (wheel.core_metadata.as_ref(), wheel.yanked.reason(), wheel.size_bytes),
        (Some(&hash), Some("bad"), Some(3))
    );
}

#[test]
fn an_html_page_is_read_with_its_attributes() {
    let hash = "ab".repeat(32);
    let body = format!(
        r#"<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.0">
        <meta name="pypi:project-status" content="archived"><meta name="pypi:project-status-reason" content="gone">
        </head><body><h1>Links</h1>
        <a href="../../p/foo-1.0-py3-none-any.whl#sha256={hash}" data-requires-python="&gt;=3.8,&lt;4" data-yanked=""
         data-dist-info-metadata="sha256={hash}" data-gpg-sig="true">foo-1.0-py3-none-any.whl</a><br/>
        <A HREF='foo-2.0%2Blocal.tar.gz#md5={}' DATA-YANKED=reason>x</A></body></html>"#,
        "cd".repeat(16)
    );
    let page = read_page("foo", "text/html; charset=utf-8", body.as_bytes()).unwrap();
    assert_eq!(page.status, Some(ProjectStatus { status: "archived".to_owned(), reason: Some("gone".to_owned()) }));
    assert_eq!(names(&page), [("1.0", vec!["foo-1.0-py3-none-any.whl"]), ("2.0+local", vec!["foo-2.0+local.tar.gz"])]);
    let wheel = &page.releases[0].files[0];
    assert_eq!(wheel.requires_python.as_deref(), Some(">=3.8,<4"));
    assert_eq!((wheel.yanked.reason(), wheel.gpg_sig), (Some(""), Some(true)));
    assert_eq!((wheel.core_metadata.as_ref(), wheel.hashes.get("sha256")), (Some(&hash), Some(&hash)));
    assert_eq!(page.releases[1].files[0].yanked.reason(), Some("reason"));
    assert_eq!(page.releases[1].files[0].url, "foo-2.0%2Blocal.tar.gz");
}

#[test]
fn pages_that_are_no_index_of_the_project_are_refused() {
    let other = r#"{"meta":{"api-version":"1.0"},"name":"bar","files":[]}"#;
    let major = r#"{"meta":{"api-version":"2.0"},"name":"foo","files":[]}"#;
    let login = r#"<html><form action="/login"><input type=password></form><a href="foo-1.0.tar.gz">x</a></html>"#;
    for (content_type, body) in [
        (JSON, other),
        (JSON, major),
        (JSON, "{}"),
        (JSON, "<html>"),
        ("text/html", login),
        ("text/html", "<html><h1>503 Service Unavailable</h1></html>"),
        ("text/html", "<html><a href='other-1.0.tar.gz'>x</a></html>"),
        ("text/html", "<meta name='pypi:repository-version' content='2.0'>"),
        ("text/plain", r#"{"meta":{"api-version":"1.0"},"name":"foo","files":[]}"#),
    ] {
        assert!(read_page("foo", content_type, body.as_bytes()).is_err(), "{body}");
    }
    let empty = "<meta name='pypi:repository-version' content='1.0'>";
    assert!(read_page("foo", "text/html", empty.as_bytes()).unwrap().releases.is_empty());
}
