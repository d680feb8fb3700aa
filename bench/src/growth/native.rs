//! Crates and gems with many versions: their index files hot and right after a publish, and publishes into them.

use std::collections::BTreeMap;

use crate::fill::{Template, fill};
use crate::load::{Connection, Prepared};
use crate::peers::{Endpoint, Larder};
use crate::report::{Report, Section, ms, ratio};
use crate::wrk::median;
use crate::{Context, Result, corpus};

/// Versions of the package.
const VERSIONS: [usize; 3] = [1, 200, 2_000];
/// Requests of one kind in one round.
const SAMPLES: usize = 40;
/// What an index file may take at most, whatever it has to be made of (protocol reference, check R-20).
const LONGEST_MS: f64 = 200.0;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Hot,
    /// The first one after a publish, which is made anew.
    Anew,
    /// `versions`, likewise.
    VersionsAnew,
    Publish,
}

/// A format with its packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Native {
    Cargo,
    Gem,
}

impl Native {
    fn title(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Cargo, Kind::Hot) => "Cargo: GET index file, hot",
            (Self::Cargo, Kind::Anew) => "Cargo: GET index file after a publish",
            (Self::Cargo, Kind::Publish) => "Cargo: publish another version",
            (Self::Cargo, Kind::VersionsAnew) => "",
            (Self::Gem, Kind::Hot) => "gem: GET info, hot",
            (Self::Gem, Kind::Anew) => "gem: GET info after a push",
            (Self::Gem, Kind::VersionsAnew) => "gem: GET versions after a push",
            (Self::Gem, Kind::Publish) => "gem: push another version",
        }
    }

    fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Cargo => &[Kind::Hot, Kind::Anew, Kind::Publish],
            Self::Gem => &[Kind::Hot, Kind::Anew, Kind::VersionsAnew, Kind::Publish],
        }
    }

    fn endpoint(self, larder: &Larder) -> &Endpoint {
        match self {
            Self::Cargo => &larder.cargo,
            Self::Gem => &larder.ruby,
        }
    }

    /// The package with so many versions. No name is another one with a version behind it.
    fn package(self, versions: usize) -> Template {
        match self {
            Self::Cargo => Template::cargo(&format!("bench-has{versions}versions")),
            Self::Gem => Template::ruby(&format!("bench-has{versions}versions")),
        }
    }

    fn get(self, larder: &Larder, path: &str) -> Prepared {
        let endpoint = self.endpoint(larder);
        let gzip = [("accept-encoding".to_owned(), "gzip".to_owned())];
        let headers = [endpoint.headers.as_slice(), &gzip].concat();
        Prepared::new("GET", &format!("{}/{path}", endpoint.prefix), endpoint.address, &headers, b"")
    }

    fn index(self, larder: &Larder, name: &str) -> Prepared {
        match self {
            Self::Cargo => self.get(larder, &corpus::cargo::index_path(name)),
            Self::Gem => self.get(larder, &format!("info/{name}")),
        }
    }

    fn publish(self, larder: &Larder, name: &str, version: &str) -> Result<Prepared> {
        Ok(match self {
            Self::Cargo => {
                larder.cargo.send("PUT", "api/v1/crates/new", &corpus::cargo::publish(name, version, 19_500))
            }
            Self::Gem => larder.ruby.send("POST", "api/v1/gems", &corpus::ruby::gem(name, version, 19_500)?),
        })
    }
}

/// Measures packages of all sizes in turns, in one Larder.
pub(super) fn measure(rounds: usize, report: &mut Report) -> Result {
    let larder = Larder::start(None, "warn")?;
    let mut connection = Connection::open(larder.server.address()).context("Larder")?;
    for native in [Native::Cargo, Native::Gem] {
        for versions in VERSIONS {
            let template = native.package(versions);
            template.publish(&larder, &mut connection)?;
            let more = (1..versions).map(|number| (template.name.clone(), format!("1.{number}.0")));
            fill(&larder.server.data(), &template, more)?;
        }
    }
    let mut times: BTreeMap<(Native, Kind, usize), Vec<f64>> = BTreeMap::new();
    for round in 0..rounds {
        for native in [Native::Cargo, Native::Gem] {
            for versions in VERSIONS {
                let name = native.package(versions).name;
                let index = native.index(&larder, &name);
                let mut note = |kind, taken: Vec<f64>| {
                    times.entry((native, kind, versions)).or_default().push(median(taken));
                };
                connection.timed(&index)?;
                let hot = (0..SAMPLES * 5).map(|_| connection.timed(&index));
                note(Kind::Hot, hot.collect::<std::io::Result<_>>()?);
                let (mut publishes, mut anew, mut list) = (Vec::new(), Vec::new(), Vec::new());
                for number in 0..SAMPLES {
                    let publish = native.publish(&larder, &name, &format!("2.{round}.{number}"))?;
                    publishes.push(connection.timed(&publish)?);
                    anew.push(connection.timed(&index)?);
                    if native == Native::Gem {
                        list.push(connection.timed(&native.get(&larder, "versions"))?);
                    }
                }
                note(Kind::Publish, publishes);
                note(Kind::Anew, anew);
                note(Kind::VersionsAnew, list);
            }
        }
    }
    let notes = "Larder, one connection, all packages in one repository; medians over the rounds of the rounds' medians. \
                 Index files and `versions` are asked for in gzip; what is asked for after a publish has to be made anew.";
    let columns = ["request", "versions of the package", "p50 ms"];
    let mut section = Section::new("Growth of a crate and of a gem", notes, &columns);
    let of = |key: &(Native, Kind, usize)| median(times.get(key).cloned().unwrap_or_default());
    let [fewest, .., most] = VERSIONS;
    for native in [Native::Cargo, Native::Gem] {
        for kind in native.kinds() {
            let title = native.title(*kind);
            for versions in VERSIONS {
                let taken = ms(of(&(native, *kind, versions)));
                section.row(vec![title.to_owned(), versions.to_string(), taken]);
            }
            let (few, many) = (of(&(native, *kind, fewest)), of(&(native, *kind, most)));
            match kind {
                Kind::Publish => {
                    let what = format!("{title}: {most} versions within 1.3 of {fewest}");
                    report.goal(what, format!("latency {}", ratio(many / few)), many / few <= 1.3);
                }
                _ => {
                    let what = format!("{title}, {most} versions: within {LONGEST_MS} ms");
                    report.goal(what, format!("{} ms", ms(many)), many <= LONGEST_MS);
                }
            }
        }
    }
    report.sections.push(section);
    Ok(())
}
