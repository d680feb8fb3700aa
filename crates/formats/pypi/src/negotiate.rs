//! Which form of an index page a client gets (protocol reference 2.2).

/// The forms of the simple index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Representation {
    Json,
    Html,
    /// The same document as [`Representation::Html`] under the name that old clients know.
    TextHtml,
}

impl Representation {
    /// The `Content-Type`. Clients refuse anything else.
    #[must_use]
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/vnd.pypi.simple.v1+json",
            Self::Html => "application/vnd.pypi.simple.v1+html",
            Self::TextHtml => "text/html; charset=utf-8",
        }
    }

    /// What a media range of `Accept`, lower case and without parameters, stands for. `latest` is a request-only alias.
    fn of_media_range(range: &str) -> Option<Self> {
        match range {
            "application/vnd.pypi.simple.v1+json" | "application/vnd.pypi.simple.latest+json" => Some(Self::Json),
            "application/vnd.pypi.simple.v1+html" | "application/vnd.pypi.simple.latest+html" => Some(Self::Html),
            // Old tools that accept everything expect HTML.
            "text/html" | "text/*" | "*/*" => Some(Self::TextHtml),
            "application/*" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Chooses the form: the query's `format` wins, then the `Accept` range with the highest weight (the more specific one,
/// then the earlier one, on a tie). `None` when the client accepts none of the forms.
#[must_use]
pub(crate) fn negotiate(accept: Option<&str>, format: Option<&str>) -> Option<Representation> {
    if let Some(format) = format {
        return Representation::of_media_range(&format.trim().to_ascii_lowercase());
    }
    let accept = accept.map(str::trim).filter(|accept| !accept.is_empty());
    let Some(accept) = accept else { return Some(Representation::TextHtml) };
    let mut best: Option<((u16, u8), Representation)> = None;
    for item in accept.split(',') {
        let mut parts = item.split(';');
        let range = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let Some(form) = Representation::of_media_range(&range) else { continue };
        let weight = parts.find_map(quality).unwrap_or(1000);
        let specificity = if range == "*/*" { 0 } else { 2 - u8::from(range.ends_with("/*")) };
        if weight > 0 && best.is_none_or(|(rank, _)| (weight, specificity) > rank) {
            best = Some(((weight, specificity), form));
        }
    }
    best.map(|(_, form)| form)
}

/// `q=0.25` → 250; anything that is no weight counts as none given.
fn quality(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    let digits = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok().filter(|_| digits)?;
    Some((whole * 1000 + thousandths).min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_gets_the_form_it_prefers() {
        let json = "application/vnd.pypi.simple.v1+json";
        let pip = format!("{json}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01");
        for (accept, expected) in [
            (None, Some(Representation::TextHtml)),
            (Some(""), Some(Representation::TextHtml)),
            (Some("*/*"), Some(Representation::TextHtml)),
            (Some("text/html"), Some(Representation::TextHtml)),
            (Some(json), Some(Representation::Json)),
            (Some("application/vnd.pypi.simple.latest+json"), Some(Representation::Json)),
            (Some("application/vnd.pypi.simple.latest+html"), Some(Representation::Html)),
            (Some("application/vnd.pypi.simple.v1+html"), Some(Representation::Html)),
            (Some(&pip), Some(Representation::Json)),
            (Some("text/html;q=0.5, application/vnd.pypi.simple.v1+json;q=0.4"), Some(Representation::TextHtml)),
            (Some("*/*, application/vnd.pypi.simple.v1+json"), Some(Representation::Json)),
            (Some("Text/HTML;Level=1"), Some(Representation::TextHtml)),
            (Some("application/vnd.pypi.simple.v1+json;q=0"), None),
            (Some("application/xml"), None),
            (Some("application/vnd.pypi.simple.v2+json"), None),
        ] {
            assert_eq!(negotiate(accept, None), expected, "{accept:?}");
        }
    }

    #[test]
    fn the_query_parameter_wins() {
        let asked = negotiate(Some("text/html"), Some("application/vnd.pypi.simple.v1+json"));
        assert_eq!(asked, Some(Representation::Json));
        assert_eq!(negotiate(Some("text/html"), Some("application/xml")), None);
    }
}
