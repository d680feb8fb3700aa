//! The minimum age of versions that come from public registries: one resource's rule, as its tags say it.
//!
//! A rule is set by tags on a repository or a package group, so that whatever sets tags can set it. Every rule on the
//! way of a version counts; what one of them holds back is held back.

use std::time::Duration;

use super::{AssociationType, PackageGroupPattern, PackageKey, PackagePath, Tag, Timestamp};
use crate::error::Invalid;
use crate::refusal::RefusalCode;

/// Tags that begin so are settings of Larder and nobody else's.
const PREFIX: &str = "larder:";
/// Settings that formats read themselves.
const OF_FORMATS: [&str; 2] = ["larder:maven", "larder:maven-publish"];
const HOUR: u64 = 3600;
/// The longest age that can be asked for, in days.
const LONGEST_DAYS: u64 = 3650;

/// One resource's rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cooldown {
    minimum_age: Option<Duration>,
    newest: Option<Timestamp>,
    exempt: Vec<PackageGroupPattern>,
    /// A tag that does not parse was stored before it was refused: nothing passes until it is set right.
    broken: bool,
}

/// What is known of when a version was published at its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseTime {
    /// Its source says when.
    PublishedAt(Timestamp),
    /// It was there then, so it was published at that instant at the latest.
    KnownSince(Timestamp),
    /// Nothing.
    Unknown,
}

impl ReleaseTime {
    /// What the source says, if it says something.
    #[must_use]
    pub fn of(published_at: Option<Timestamp>) -> Self {
        published_at.map_or(Self::Unknown, Self::PublishedAt)
    }

    /// With what else is known; what the source says counts more than when somebody saw it.
    #[must_use]
    pub fn or_known_since(self, instant: Option<Timestamp>) -> Self {
        match (self, instant) {
            (Self::PublishedAt(_), _) | (_, None) => self,
            (Self::KnownSince(known), Some(instant)) => Self::KnownSince(known.min(instant)),
            (Self::Unknown, Some(instant)) => Self::KnownSince(instant),
        }
    }

    /// The instant that its age is counted from.
    #[must_use]
    pub fn instant(self) -> Option<Timestamp> {
        match self {
            Self::PublishedAt(at) | Self::KnownSince(at) => Some(at),
            Self::Unknown => None,
        }
    }
}

/// Why a rule holds a version back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Its source published it too short a time ago; it passes from `until` on.
    TooYoung { minimum_age: Duration, until: Timestamp },
    /// Its source does not say when it published it. It passes from `until` on, if that is known.
    AgeUnknown { minimum_age: Option<Duration>, until: Option<Timestamp> },
    /// Its source published it after the newest instant.
    AfterCutOff { newest: Timestamp },
    /// The rule itself cannot be read.
    Unreadable,
}

impl Held {
    /// The code under which it is refused.
    #[must_use]
    pub fn code(self) -> RefusalCode {
        match self {
            Self::TooYoung { .. } => RefusalCode::CooldownTooYoung,
            Self::AgeUnknown { .. } | Self::Unreadable => RefusalCode::CooldownAgeUnknown,
            Self::AfterCutOff { .. } => RefusalCode::CooldownAfterCutOff,
        }
    }

    /// From when on the rule lets the version pass, if time alone can bring that about.
    #[must_use]
    pub fn until(self) -> Option<Timestamp> {
        match self {
            Self::TooYoung { until, .. } => Some(until),
            Self::AgeUnknown { until, .. } => until,
            Self::AfterCutOff { .. } | Self::Unreadable => None,
        }
    }
}

impl Cooldown {
    /// How old a version has to be: `7d`, `72h`, `0`.
    pub const MINIMUM_AGE: &'static str = "larder:minimum-release-age";
    /// Packages that the rule is not for: patterns with blanks between them.
    pub const EXEMPT: &'static str = "larder:minimum-release-age-exempt";
    /// The emergency line: nothing that was published later passes. An RFC 3339 instant, or a date, which ends with it.
    pub const NEWEST: &'static str = "larder:newest-release";

    /// The rule that the tags of a repository or package group set; `None` if they set none.
    #[must_use]
    pub fn of_tags(tags: &[Tag]) -> Option<Self> {
        let mut rule = Self::default();
        for tag in tags {
            if rule.read(tag).is_err() {
                rule.broken = true;
            }
        }
        let is_set = rule.broken || rule.newest.is_some() || rule.minimum_age.is_some_and(|age| !age.is_zero());
        is_set.then_some(rule)
    }

    /// Whether the tags say something about the minimum age, be it that there is none: of package groups, the nearest
    /// one that does decides.
    #[must_use]
    pub fn is_named_in(tags: &[Tag]) -> bool {
        tags.iter().any(|tag| tag.key == Self::MINIMUM_AGE || tag.key == Self::NEWEST)
    }

    /// Checks a tag before it is set.
    ///
    /// # Errors
    /// [`Invalid`] for a key with Larder's prefix that is no setting, and for a value that a setting cannot have.
    pub fn check_tag(tag: &Tag) -> Result<(), Invalid> {
        Self::default().read(tag)
    }

    /// Whether a tag's key is one of Larder's settings.
    #[must_use]
    pub fn is_setting(key: &str) -> bool {
        key.starts_with(PREFIX)
    }

    fn read(&mut self, tag: &Tag) -> Result<(), Invalid> {
        match tag.key.as_str() {
            Self::MINIMUM_AGE => self.minimum_age = Some(parse_age(&tag.value)?),
            Self::NEWEST => self.newest = Some(parse_newest(&tag.value)?),
            Self::EXEMPT => {
                self.exempt = tag.value.split_ascii_whitespace().map(parse_exempt).collect::<Result<_, _>>()?;
            }
            key if Self::is_setting(key) && !OF_FORMATS.contains(&key) => {
                return Err(Invalid::new(format!(
                    "the tag key '{key}' is no setting of Larder; tags that begin with '{PREFIX}' are {}, {}, {}, {}",
                    Self::MINIMUM_AGE,
                    Self::EXEMPT,
                    Self::NEWEST,
                    OF_FORMATS.join(", ")
                )));
            }
            _ => {}
        }
        Ok(())
    }

    /// How old a version has to be.
    #[must_use]
    pub fn minimum_age(&self) -> Option<Duration> {
        self.minimum_age.filter(|age| !age.is_zero())
    }

    /// The last instant at which a version may have been published.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// Whether the rule is not for this package.
    #[must_use]
    pub fn exempts(&self, package: &PackageKey) -> bool {
        let path = PackagePath::new(package);
        let is_meant = |pattern: &PackageGroupPattern| pattern.matches(&path) == Some(AssociationType::Strong);
        !self.broken && self.exempt.iter().any(is_meant)
    }

    /// Whether the rule holds a version back that was published then, and why. Of several reasons, the one that holds
    /// longest.
    #[must_use]
    pub fn judge(&self, released: ReleaseTime, now: Timestamp) -> Option<Held> {
        if self.broken {
            return Some(Held::Unreadable);
        }
        if let Some(newest) = self.newest {
            match released {
                ReleaseTime::PublishedAt(at) if at > newest => return Some(Held::AfterCutOff { newest }),
                ReleaseTime::PublishedAt(_) => {}
                ReleaseTime::KnownSince(at) if at <= newest => {}
                ReleaseTime::KnownSince(_) | ReleaseTime::Unknown => {
                    return Some(Held::AgeUnknown { minimum_age: self.minimum_age(), until: None });
                }
            }
        }
        let minimum_age = self.minimum_age()?;
        match released {
            ReleaseTime::PublishedAt(at) => {
                let until = at.plus(minimum_age);
                (now < until).then_some(Held::TooYoung { minimum_age, until })
            }
            ReleaseTime::KnownSince(at) => {
                let until = at.plus(minimum_age);
                (now < until).then_some(Held::AgeUnknown { minimum_age: Some(minimum_age), until: Some(until) })
            }
            ReleaseTime::Unknown => Some(Held::AgeUnknown { minimum_age: Some(minimum_age), until: None }),
        }
    }
}

/// Reads an age: `0`, days (`7d`) or hours (`72h`).
///
/// # Errors
/// [`Invalid`] saying what an age looks like.
fn parse_age(text: &str) -> Result<Duration, Invalid> {
    let refuse = || {
        Invalid::new(format!(
            "'{text}' is no minimum age; it is '0' or a whole number of days or hours such as '7d' or '72h', at most \
             {LONGEST_DAYS} days"
        ))
    };
    let number = |digits: &str, unit: u64| {
        let is_number = !digits.is_empty() && digits.len() <= 6 && digits.bytes().all(|b| b.is_ascii_digit());
        let hours = digits.parse::<u64>().ok().filter(|_| is_number)? * unit;
        (hours <= LONGEST_DAYS * 24).then(|| Duration::from_secs(hours * HOUR))
    };
    match text.as_bytes().last() {
        Some(b'd') => number(&text[..text.len() - 1], 24),
        Some(b'h') => number(&text[..text.len() - 1], 1),
        _ if text == "0" => Some(Duration::ZERO),
        _ => None,
    }
    .ok_or_else(refuse)
}

/// An age as people say it: in days if it is so many, else in hours.
#[must_use]
pub fn spoken(age: Duration) -> String {
    let hours = age.as_secs() / HOUR;
    let (number, unit) = if hours >= 48 || hours == 24 { (hours / 24, "day") } else { (hours, "hour") };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// Reads the emergency line. A date means that day as a whole, in UTC.
///
/// # Errors
/// [`Invalid`] saying what an instant looks like.
fn parse_newest(text: &str) -> Result<Timestamp, Invalid> {
    let instant = match Timestamp::parse_rfc3339(text) {
        Some(instant) => Some(instant),
        None if text.len() == 10 => Timestamp::parse_rfc3339(&format!("{text}T23:59:59.999Z")),
        None => None,
    };
    instant.ok_or_else(|| {
        Invalid::new(format!(
            "'{text}' is no instant; it is a date such as '2026-11-20' or an instant such as '2026-11-20T12:00:00Z'"
        ))
    })
}

/// Reads a pattern of package groups (reference 4.4). A path to a package stands for that package.
///
/// # Errors
/// [`Invalid`] with examples.
fn parse_exempt(text: &str) -> Result<PackageGroupPattern, Invalid> {
    // A pattern that is wrong is not taken for a name with an asterisk in it.
    let is_pattern = text.contains(['*', '~', '$']);
    let read = if is_pattern { PackageGroupPattern::new(text) } else { PackageGroupPattern::new(&format!("{text}$")) };
    read.map_err(|invalid| {
        Invalid::new(format!(
            "'{text}' names no packages: {invalid}; it is a path such as '/npm//react' or '/npm/acme/thing', or a pattern \
             such as '/npm/acme/*' or '/npm//acme-*'"
        ))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::PackageFormat;

    const DAY: i64 = 86_400_000;

    fn rule(tags: &[(&str, &str)]) -> Cooldown {
        let tags: Vec<_> = tags.iter().map(|(key, value)| Tag::new(*key, *value).unwrap()).collect();
        for tag in &tags {
            Cooldown::check_tag(tag).unwrap();
        }
        Cooldown::of_tags(&tags).unwrap()
    }

    fn refused(key: &str, value: &str) -> String {
        Cooldown::check_tag(&Tag::new(key, value).unwrap()).expect_err(value).to_string()
    }

    #[test]
    fn values_that_do_not_parse_are_refused_with_an_example() {
        for bad in ["", "7", "d", "-1d", "1.5d", "7 d", "7D", "1w", "3651d", "99999999999999999999d", "7d7h"] {
            assert!(refused(Cooldown::MINIMUM_AGE, bad).contains("'7d' or '72h'"), "{bad}");
        }
        for bad in ["", "yesterday", "2026-13-01", "2026-11-20T12:00", "20261120"] {
            assert!(refused(Cooldown::NEWEST, bad).contains("2026-11-20"), "{bad}");
        }
        for bad in ["react", "/npm", "/npm/", "/npm/react", "/xyz/*", "/npm//a*", "/npm//a/b", "/npm//*x"] {
            assert!(refused(Cooldown::EXEMPT, bad).contains("'/npm//react'"), "{bad}");
        }
        assert!(refused("larder:minimum-relase-age", "7d").contains(Cooldown::MINIMUM_AGE));
        assert_eq!(Cooldown::check_tag(&Tag::new("team", "7").unwrap()), Ok(()));
    }

    #[test]
    fn tags_that_ask_for_nothing_set_no_rule() {
        let tag = |key, value| Tag::new(key, value).unwrap();
        assert_eq!(Cooldown::of_tags(&[tag("team", "a")]), None);
        assert_eq!(Cooldown::of_tags(&[tag(Cooldown::MINIMUM_AGE, "0")]), None);
        assert_eq!(Cooldown::of_tags(&[tag(Cooldown::EXEMPT, "/*")]), None);
        assert!(Cooldown::is_named_in(&[tag(Cooldown::MINIMUM_AGE, "0")]));
    }

    #[test]
    fn a_rule_that_cannot_be_read_lets_nothing_pass() {
        let tags = [Tag::new(Cooldown::MINIMUM_AGE, "soon").unwrap(), Tag::new(Cooldown::EXEMPT, "/*").unwrap()];
        let rule = Cooldown::of_tags(&tags).unwrap();
        let package = PackageKey::new(PackageFormat::Npm, None, "react").unwrap();
        assert!(!rule.exempts(&package));
        assert_eq!(rule.judge(ReleaseTime::PublishedAt(Timestamp(0)), Timestamp(DAY)), Some(Held::Unreadable));
    }

    #[test]
    fn a_version_passes_from_the_instant_on_at_which_it_is_old_enough() {
        let rule = rule(&[(Cooldown::MINIMUM_AGE, "7d")]);
        let published = ReleaseTime::PublishedAt(Timestamp(0));
        let held = rule.judge(published, Timestamp(7 * DAY - 1)).unwrap();
        assert_eq!(held.until(), Some(Timestamp(7 * DAY)));
        assert!(matches!(held, Held::TooYoung { .. }));
        assert_eq!(rule.judge(published, Timestamp(7 * DAY)), None);
        assert_eq!(
            rule.judge(ReleaseTime::PublishedAt(Timestamp(DAY)), Timestamp(0)).unwrap().until(),
            Some(Timestamp(8 * DAY))
        );
    }

    #[test]
    fn what_nobody_knows_the_age_of_counts_as_young() {
        let rule = rule(&[(Cooldown::MINIMUM_AGE, "72h")]);
        let held = rule.judge(ReleaseTime::Unknown, Timestamp(1000 * DAY)).unwrap();
        assert!(matches!(held, Held::AgeUnknown { until: None, .. }));
        let seen = ReleaseTime::Unknown.or_known_since(Some(Timestamp(DAY)));
        assert_eq!(rule.judge(seen, Timestamp(2 * DAY)).unwrap().until(), Some(Timestamp(4 * DAY)));
        assert_eq!(rule.judge(seen, Timestamp(4 * DAY)), None);
    }

    #[test]
    fn nothing_newer_than_the_emergency_line_passes_however_old_it_gets() {
        let rule = rule(&[(Cooldown::NEWEST, "1970-01-02")]);
        let later = Timestamp(100 * DAY);
        assert_eq!(rule.judge(ReleaseTime::PublishedAt(Timestamp(2 * DAY - 1)), later), None);
        assert!(matches!(
            rule.judge(ReleaseTime::PublishedAt(Timestamp(2 * DAY)), later),
            Some(Held::AfterCutOff { newest: Timestamp(_) })
        ));
        assert_eq!(rule.judge(ReleaseTime::KnownSince(Timestamp(DAY)), later), None);
        assert!(rule.judge(ReleaseTime::KnownSince(Timestamp(3 * DAY)), later).is_some());
        assert!(rule.judge(ReleaseTime::Unknown, later).is_some());
    }

    #[test]
    fn exemptions_name_packages_as_package_groups_do() {
        let key = |namespace, name| PackageKey::new(PackageFormat::Npm, namespace, name).unwrap();
        let exempts = |patterns: &str, package: &PackageKey| {
            rule(&[(Cooldown::MINIMUM_AGE, "7d"), (Cooldown::EXEMPT, patterns)]).exempts(package)
        };
        for pattern in ["/*", "/npm/*", "/npm//*", "/npm//react", "/npm//react$", "/npm//react~", "/pypi/* /npm//react"]
        {
            assert!(exempts(pattern, &key(None, "react")), "{pattern}");
        }
        for pattern in ["/pypi/*", "/npm/acme/*", "/npm//reac", "/npm//React", "/npm/acme/react"] {
            assert!(!exempts(pattern, &key(None, "react")), "{pattern}");
        }
        assert!(exempts("/npm/acme/*", &key(Some("acme"), "react")));
        assert!(!exempts("/npm//*", &key(Some("acme"), "react")));
    }

    proptest! {
        #[test]
        fn time_only_ever_lets_more_pass(age in 1_u64..100, at in 0_i64..100, now in 0_i64..200, later in 0_i64..200) {
            let rule = rule(&[(Cooldown::MINIMUM_AGE, &format!("{age}h"))]);
            let (at, now) = (Timestamp(at * 3_600_000), Timestamp(now * 3_600_000));
            let released = ReleaseTime::PublishedAt(at);
            let passes = rule.judge(released, now).is_none();
            prop_assert_eq!(passes, now.0 - at.0 >= i64::try_from(age).unwrap() * 3_600_000);
            if passes {
                prop_assert_eq!(rule.judge(released, Timestamp(now.0 + later * 3_600_000)), None);
            }
            // What is known only by when it was seen is never let through before what is known for certain.
            if rule.judge(ReleaseTime::KnownSince(at), now).is_none() {
                prop_assert!(passes);
            }
        }
    }
}
