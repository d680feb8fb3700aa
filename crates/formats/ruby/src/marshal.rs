//! Ruby's Marshal format, version 4.8, as far as clients that do not read the compact index need it (protocols 6.3):
//! lists of all versions, and gemspecs. Only written, never read.

use std::collections::BTreeMap;
use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use larder_core::error::Error;

use crate::gemspec::{Gemspec, Requirement};
use crate::names;
use crate::versions::Whole;

/// A Marshal document that is being written.
struct Writer {
    out: Vec<u8>,
    /// Symbols by the number that later uses name them by.
    symbols: Vec<&'static str>,
}

impl Writer {
    fn new() -> Self {
        Self { out: vec![4, 8], symbols: Vec::new() }
    }

    /// A number of Marshal's own kind, for lengths and counts.
    fn count(&mut self, number: usize) {
        match u8::try_from(number) {
            Ok(0) => self.out.push(0),
            Ok(small @ 1..=122) => self.out.push(small + 5),
            _ => {
                let bytes = number.to_le_bytes();
                let used = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1).min(4);
                self.out.push(u8::try_from(used).unwrap_or(4));
                self.out.extend_from_slice(bytes.get(..used).unwrap_or_default());
            }
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.out.extend_from_slice(bytes);
    }

    fn symbol(&mut self, name: &'static str) {
        match self.symbols.iter().position(|known| *known == name) {
            Some(number) => {
                self.out.push(b';');
                self.count(number);
            }
            None => {
                self.symbols.push(name);
                self.out.push(b':');
                self.bytes(name.as_bytes());
            }
        }
    }

    /// Text in UTF-8.
    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(b"I\"");
        self.bytes(text.as_bytes());
        self.count(1);
        self.symbol("E");
        self.out.push(b'T');
    }

    fn text_or_nil(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.out.push(b'0'),
        }
    }

    fn list(&mut self, length: usize) {
        self.out.push(b'[');
        self.count(length);
    }

    fn texts(&mut self, texts: &[String]) {
        self.list(texts.len());
        texts.iter().for_each(|text| self.text(text));
    }

    fn version(&mut self, number: &str) {
        self.out.push(b'U');
        self.symbol("Gem::Version");
        self.list(1);
        self.text(number);
    }

    fn requirement(&mut self, requirement: &Requirement) {
        self.out.push(b'U');
        self.symbol("Gem::Requirement");
        self.list(1);
        self.list(requirement.0.len());
        for (operator, number) in &requirement.0 {
            self.list(2);
            self.text(operator);
            self.version(number);
        }
    }

    /// Midnight of `2026-01-02`, in UTC; what does not begin with a date is 1980-01-02, as rubygems has it.
    fn date(&mut self, date: &str) {
        let part = |from: usize, to: usize| date.get(from..to).and_then(|digits| digits.parse::<u32>().ok());
        let (year, month, day) = match (part(0, 4), part(5, 7), part(8, 10)) {
            (Some(year @ 1900..=9999), Some(month @ 1..=12), Some(day @ 1..=31)) => (year, month, day),
            _ => (1980, 1, 2),
        };
        // As `Time#_dump` packs it: in UTC, years since 1900, months from 0.
        let packed = (1 << 31) | (1 << 30) | ((year - 1900) << 14) | ((month - 1) << 10) | (day << 5);
        self.out.extend_from_slice(b"Iu");
        self.symbol("Time");
        self.count(8);
        self.out.extend_from_slice(&packed.to_le_bytes());
        self.out.extend_from_slice(&[0; 4]);
        self.count(1);
        self.symbol("zone");
        self.out.extend_from_slice(b"I\"");
        self.bytes(b"UTC");
        self.count(1);
        self.symbol("E");
        self.out.push(b'F');
    }
}

/// The gemspec of one version, compressed: `quick/Marshal.4.8/{full_name}.gemspec.rz`.
///
/// # Errors
/// None that is known: compressing into memory does not fail.
pub(crate) fn quick(spec: &Gemspec) -> Result<Bytes, Error> {
    let mut outer = Writer::new();
    outer.out.push(b'u');
    outer.symbol("Gem::Specification");
    outer.bytes(&fields(spec));
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(&outer.out).and_then(|()| encoder.finish()).map(Bytes::from).map_err(Error::internal)
}

/// What `Gem::Specification#_dump` writes.
fn fields(spec: &Gemspec) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.list(19);
    writer.text(&spec.rubygems_version);
    // The gemspec's own version, 4.
    writer.out.extend_from_slice(b"i\x09");
    writer.text(&spec.name);
    writer.version(&spec.number);
    writer.date(&spec.date);
    writer.text_or_nil(spec.summary.as_deref());
    writer.requirement(&spec.required_ruby);
    writer.requirement(&spec.required_rubygems);
    writer.text(&spec.platform);
    writer.list(spec.dependencies.len());
    for dependency in &spec.dependencies {
        writer.out.push(b'o');
        writer.symbol("Gem::Dependency");
        writer.count(4);
        writer.symbol("@name");
        writer.text(&dependency.name);
        writer.symbol("@requirement");
        writer.requirement(&dependency.requirement);
        writer.symbol("@type");
        writer.symbol(if dependency.is_development { "development" } else { "runtime" });
        writer.symbol("@prerelease");
        writer.out.push(b'F');
    }
    writer.text("");
    writer.texts(&spec.email);
    writer.texts(&spec.authors);
    writer.text_or_nil(spec.description.as_deref());
    writer.text_or_nil(spec.homepage.as_deref());
    writer.out.push(b'T');
    writer.text(&spec.platform);
    writer.texts(&spec.licenses);
    writer.out.push(b'{');
    writer.count(spec.metadata.len());
    for (key, value) in &spec.metadata {
        writer.text(key);
        writer.text(value);
    }
    writer.out
}

/// A list of versions: `[[name, Gem::Version, platform], …]`.
pub(crate) fn specs(which: Whole, gems: &BTreeMap<&str, Vec<&str>>) -> Bytes {
    let mut chosen: Vec<(&str, &str, &str)> = Vec::new();
    for (name, versions) in gems {
        let split = versions.iter().map(|version| names::split(version));
        let wanted = split.filter(|(number, _)| names::is_prerelease(number) == (which == Whole::Prereleases));
        if which == Whole::Latest {
            let mut newest: BTreeMap<&str, &str> = BTreeMap::new();
            for (number, platform) in wanted {
                let best = newest.entry(platform).or_insert(number);
                if names::compare_numbers(number, best).is_gt() {
                    *best = number;
                }
            }
            chosen.extend(newest.into_iter().map(|(platform, number)| (*name, number, platform)));
        } else {
            chosen.extend(wanted.map(|(number, platform)| (*name, number, platform)));
        }
    }
    let mut writer = Writer::new();
    writer.list(chosen.len());
    for (name, number, platform) in chosen {
        writer.list(3);
        writer.text(name);
        writer.version(number);
        writer.text(platform);
    }
    writer.out.into()
}

#[cfg(test)]
mod tests;
