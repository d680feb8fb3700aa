//! Addresses of source repositories, as compared: the same repository is reached by `https`, `ssh` and in git's short
//! form, with and without `.git` (protocol reference 5.2).

/// A longer address is none.
const LIMIT_BYTES: usize = 2048;

/// Host, in lower case, and path; `None` for what is no address of a repository on another machine.
#[must_use]
pub(crate) fn normalize(url: &str) -> Option<String> {
    let url = url.trim();
    if url.len() > LIMIT_BYTES || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    let (authority, path) = match url.split_once("://") {
        Some((scheme, rest)) => {
            let known = ["https", "http", "ssh", "git", "git+ssh", "git+https"];
            if !known.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
                return None;
            }
            // `ssh://git@host:owner/name` is not a URL, and written all the same.
            let end = rest.find('/')?;
            match rest[..end].rsplit_once(':') {
                Some((host, first)) if !first.bytes().all(|byte| byte.is_ascii_digit()) => {
                    (host, &rest[host.len() + 1..])
                }
                _ => (&rest[..end], &rest[end + 1..]),
            }
        }
        // `git@host:owner/name.git`
        None => url.split_once(':').filter(|(host, _)| !host.contains('/'))?,
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
    (!host.is_empty() && !path.is_empty()).then(|| format!("{host}/{path}"))
}

/// Whether an address can stand in a `Link` header, which clients split at commas and semicolons.
#[must_use]
pub(crate) fn is_linkable(url: &str) -> bool {
    url.len() <= LIMIT_BYTES && url.bytes().all(|byte| byte.is_ascii_graphic() && !b",;<>\"\\".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_an_address_is_the_same_repository() {
        for url in [
            "https://example.test/mona/LinkedList",
            "https://example.test/mona/LinkedList.git",
            "https://Example.TEST/mona/LinkedList/",
            "http://user:pw@example.test:8080/mona/LinkedList.git",
            "ssh://git@example.test/mona/LinkedList.git",
            "ssh://git@example.test:22/mona/LinkedList",
            "ssh://git@example.test:mona/LinkedList.git",
            "git@example.test:mona/LinkedList.git",
            "example.test:mona/LinkedList",
            "git://example.test/mona/LinkedList?x#y",
        ] {
            assert_eq!(normalize(url).as_deref(), Some("example.test/mona/LinkedList"), "{url}");
        }
        assert_ne!(
            normalize("https://example.test/mona/linkedlist"),
            normalize("https://example.test/mona/LinkedList")
        );
    }

    #[test]
    fn other_text_is_no_address() {
        for text in [
            "",
            "x",
            "https://",
            "https://host",
            "https://host/",
            "file:///a/b",
            "/a/b",
            "../a:b/c",
            "a b:c",
            "https:///a",
        ] {
            assert_eq!(normalize(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_normalized_stays_so(path in "[a-zA-Z0-9]{1,9}(/[a-zA-Z0-9._-]{1,9}){0,2}[a-z]", host in "[a-z]{1,9}\\.test") {
            let once = normalize(&format!("https://{host}/{path}")).unwrap();
            prop_assert_eq!(normalize(&format!("git@{once}").replacen('/', ":", 1)), Some(once));
        }

        #[test]
        fn nothing_makes_it_panic(text in ".{0,80}") {
            let _ = (normalize(&text), is_linkable(&text));
        }
    }
}
