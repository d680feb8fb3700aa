//! A format's URL table, declared once: handlers dispatch on it, and tests walk it.

/// One row of a table: a method and the shape of a path below the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteTemplate {
    /// `GET` stands for HEAD too.
    pub method: &'static str,
    pub segments: &'static [SegmentTemplate],
    /// The route's name in its format.
    pub name: &'static str,
}

/// What may stand at one place of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentTemplate {
    /// This segment.
    Literal(&'static str),
    /// Any segment, under a name that says what it is.
    Parameter(&'static str),
    /// All segments that follow, perhaps none.
    Rest(&'static str),
}

/// Declares the routes of a format as rows `METHOD [segments] => Name { parameters }`. A segment is a literal or the name
/// of a parameter; `/ rest` after them takes all that follow; `|` stands between addresses of the same route, `if` before
/// a condition on parameters. Rows are tried from the first, and HEAD is routed as GET.
///
/// The enumeration it makes has one variant per route, `of`, which finds the route of a request, and `TABLE`, the rows as
/// data: what is not in the table cannot be reached.
#[macro_export]
macro_rules! url_table {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $(
                $( $method:literal [ $($segment:tt),* ] $(/ $rest:ident)? )|+ $(if $guard:expr)?
                    => $variant:ident $({ $($field:ident),* $(/ $many:ident)? })?,
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy)]
        $vis enum $name<'a> {
            $( $variant $({ $($field: &'a str,)* $($many: &'a [&'a str],)? })?, )*
        }

        impl<'a> $name<'a> {
            /// The rows.
            $vis const TABLE: &'static [$crate::RouteTemplate] = &[
                $( $( $crate::RouteTemplate {
                    method: $method,
                    segments: &[
                        $( $crate::url_table!(@segment $segment), )*
                        $( $crate::SegmentTemplate::Rest(stringify!($rest)), )?
                    ],
                    name: stringify!($variant),
                }, )+ )*
            ];

            /// The route of a request, if the table has one.
            $vis fn of(method: &'a ::http::Method, segments: &'a [&'a str]) -> Option<Self> {
                let method = if *method == ::http::Method::HEAD { "GET" } else { method.as_str() };
                match (method, segments) {
                    $(
                        $( ($method, [ $($segment,)* $($rest @ ..)? ]) )|+ $(if $guard)? =>
                            Some(Self::$variant $({ $($field,)* $($many,)? })?),
                    )*
                    _ => None,
                }
            }
        }
    };
    (@segment $literal:literal) => { $crate::SegmentTemplate::Literal($literal) };
    (@segment $parameter:ident) => { $crate::SegmentTemplate::Parameter(stringify!($parameter)) };
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    url_table! {
        enum Route {
            "GET" ["index"] => Index,
            "GET" ["files", name] if name.ends_with(".gem") => File { name },
            "PUT" [] | "PUT" ["new"] => Upload,
            "GET" ["tree", root] / path => Tree { root / path },
        }
    }

    #[test]
    fn a_request_finds_its_row() {
        assert!(matches!(Route::of(&Method::HEAD, &["index"]), Some(Route::Index)));
        assert!(matches!(Route::of(&Method::GET, &["files", "a.gem"]), Some(Route::File { name: "a.gem" })));
        assert!(matches!(Route::of(&Method::PUT, &[]), Some(Route::Upload)));
        assert!(matches!(Route::of(&Method::PUT, &["new"]), Some(Route::Upload)));
        let tree = Route::of(&Method::GET, &["tree", "a", "b", "c"]);
        assert!(matches!(tree, Some(Route::Tree { root: "a", path: ["b", "c"] })), "{tree:?}");
    }

    #[test]
    fn what_is_in_no_row_has_no_route() {
        for (method, segments) in [
            (Method::POST, &["index"][..]),
            (Method::GET, &["files", "a"]),
            (Method::GET, &["tree"]),
            (Method::GET, &[]),
        ] {
            assert!(Route::of(&method, segments).is_none(), "{method} {segments:?}");
        }
    }

    #[test]
    fn the_table_has_every_address() {
        let rows: Vec<_> = Route::TABLE.iter().map(|row| (row.method, row.name, row.segments.len())).collect();
        assert_eq!(
            rows,
            [("GET", "Index", 1), ("GET", "File", 2), ("PUT", "Upload", 0), ("PUT", "Upload", 1), ("GET", "Tree", 3)]
        );
        assert_eq!(Route::TABLE[4].segments[1..], [SegmentTemplate::Parameter("root"), SegmentTemplate::Rest("path")]);
    }
}
