//! What is asked for over and over.

use std::time::Duration;

/// A read that is measured at every server that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Case {
    SmallPackument,
    SmallPackumentPlain,
    LargePackument,
    NotModified,
    SmallTarball,
    LargeTarball,
    SimpleIndex,
    Wheel,
    MavenMetadata,
    MavenSnapshot,
    MavenPom,
    MavenJar,
    MavenJarHead,
    MavenChecksum,
    CargoConfig,
    CargoIndex,
    CargoLargeIndex,
    CargoCrate,
    GemVersions,
    GemVersionsEnd,
    GemInfo,
    GemLargeInfo,
    GemFile,
}

impl Case {
    pub(crate) const ALL: [Self; 23] = [
        Self::SmallPackument,
        Self::SmallPackumentPlain,
        Self::LargePackument,
        Self::NotModified,
        Self::SmallTarball,
        Self::LargeTarball,
        Self::SimpleIndex,
        Self::Wheel,
        Self::MavenMetadata,
        Self::MavenSnapshot,
        Self::MavenPom,
        Self::MavenJar,
        Self::MavenJarHead,
        Self::MavenChecksum,
        Self::CargoConfig,
        Self::CargoIndex,
        Self::CargoLargeIndex,
        Self::CargoCrate,
        Self::GemVersions,
        Self::GemVersionsEnd,
        Self::GemInfo,
        Self::GemLargeInfo,
        Self::GemFile,
    ];

    /// As the table calls it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::SmallPackument => "packument, 30 KB, gzip",
            Self::SmallPackumentPlain => "packument, 30 KB, plain",
            Self::LargePackument => "packument, 4 MB, gzip",
            Self::NotModified => "packument, not modified (304)",
            Self::SmallTarball => "tarball, 20 KB",
            Self::LargeTarball => "tarball, 4 MB",
            Self::SimpleIndex => "simple index, 30 KB, gzip",
            Self::Wheel => "wheel, 20 KB",
            Self::MavenMetadata => "Maven: maven-metadata.xml, 100 versions, gzip",
            Self::MavenSnapshot => "Maven: maven-metadata.xml of a snapshot, gzip",
            Self::MavenPom => "Maven: POM, 3 KB",
            Self::MavenJar => "Maven: jar, 1 MB",
            Self::MavenJarHead => "Maven: HEAD of the jar",
            Self::MavenChecksum => "Maven: jar.sha1",
            Self::CargoConfig => "Cargo: config.json",
            Self::CargoIndex => "Cargo: index file, 5 versions, gzip",
            Self::CargoLargeIndex => "Cargo: index file, 500 versions, gzip",
            Self::CargoCrate => "Cargo: crate, 20 KB",
            Self::GemVersions => "gem: versions, 200 gems, gzip",
            Self::GemVersionsEnd => "gem: versions, the last 500 bytes",
            Self::GemInfo => "gem: info, 5 versions",
            Self::GemLargeInfo => "gem: info, 2,000 versions, gzip",
            Self::GemFile => "gem: gem, 20 KB",
        }
    }

    /// How long one measurement is, of what npm's and PyPI's take: there are more of the other formats', and what they
    /// show is the same.
    pub(crate) fn duration(self, longest: Duration) -> Duration {
        if self < Self::MavenMetadata { longest } else { longest / 2 }
    }

    /// What Larder is to reach beside nginx, and whether these ratios do: of the rate, and of the processor time of a
    /// request.
    pub(crate) fn bound(self, by_rate: f64, by_cpu: f64) -> (&'static str, bool) {
        match self {
            Self::LargePackument => ("rate at least 0.7 of nginx", by_rate >= 0.7),
            Self::LargeTarball => ("CPU at most 1.5 of nginx", by_cpu <= 1.5),
            _ => ("rate at least 0.8 of nginx or CPU at most 1.25", by_rate >= 0.8 || by_cpu <= 1.25),
        }
    }
}
