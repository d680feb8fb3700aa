//! POMs: coordinates, and what the API tells of a version.

use larder_core::error::Invalid;
use larder_core::model::{Dependency, License, VersionDetails};

use crate::xml::Element;

/// The largest POM that is read, in bytes (protocol reference 0.6).
pub(crate) const LIMIT_BYTES: u64 = 10 << 20;

/// A POM's own text; nothing is inherited but group and version.
#[derive(Debug, Clone)]
pub(crate) struct Pom {
    root: Element,
}

impl Pom {
    /// Reads a POM.
    ///
    /// # Errors
    /// [`Invalid`] saying why it is none.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, Invalid> {
        let root = Element::parse(document)?;
        if root.name != "project" {
            return Err(Invalid::new("its root element is not 'project'"));
        }
        Ok(Self { root })
    }

    /// groupId, artifactId and version, the first and last from the parent if they are not here.
    pub(crate) fn coordinate(&self) -> (Option<String>, Option<String>, Option<String>) {
        let inherited = |name: &str| {
            let own = self.root.value(name);
            own.or_else(|| self.root.child("parent")?.value(name)).map(|text| self.interpolate(text))
        };
        (inherited("groupId"), self.root.value("artifactId").map(|text| self.interpolate(text)), inherited("version"))
    }

    /// Checks that the POM is the one of this coordinate. A value that depends on properties from elsewhere passes.
    ///
    /// # Errors
    /// [`Invalid`] naming what differs.
    pub(crate) fn check_coordinate(&self, group: &str, artifact: &str, version: &str) -> Result<(), Invalid> {
        let (own_group, own_artifact, own_version) = self.coordinate();
        let pairs =
            [("groupId", own_group, group), ("artifactId", own_artifact, artifact), ("version", own_version, version)];
        for (what, found, expected) in pairs {
            let Some(found) = found else { return Err(Invalid::new(format!("the POM has no {what}"))) };
            if found != expected && !found.contains("${") {
                let found: String = found.chars().take(80).collect();
                return Err(Invalid::new(format!("the POM's {what} is '{found}', the path's is '{expected}'")));
            }
        }
        Ok(())
    }

    /// `jar` if it says nothing else.
    pub(crate) fn packaging(&self) -> &str {
        self.root.value("packaging").unwrap_or("jar")
    }

    /// The name for people.
    pub(crate) fn name(&self) -> Option<&str> {
        self.root.value("name")
    }

    /// What the API tells (reference 6.9: a parent is a dependency, its content is not inherited).
    pub(crate) fn details(&self) -> VersionDetails {
        let root = &self.root;
        let text = |name: &str| root.value(name).map(|text| self.interpolate(text));
        let licenses = root.items("licenses", "license").filter_map(|license| {
            let url = license.value("url").map(str::to_owned);
            let name = license.value("name").map(str::to_owned).or_else(|| url.clone())?;
            Some(License { name, url })
        });
        let parent = root.child("parent").and_then(|parent| self.dependency(parent, "parent"));
        let dependencies = root.items("dependencies", "dependency").filter_map(|dependency| {
            let kind = match dependency.value("optional") {
                Some("true") => "optional",
                _ => dependency.value("scope").unwrap_or("compile"),
            };
            self.dependency(dependency, kind)
        });
        VersionDetails {
            display_name: text("name"),
            summary: text("description"),
            home_page: text("url"),
            source_code_repository: root.child("scm").and_then(|scm| scm.value("url")).map(|url| self.interpolate(url)),
            licenses: licenses.collect(),
            dependencies: parent.into_iter().chain(dependencies).collect(),
            readme: None,
        }
    }

    fn dependency(&self, element: &Element, kind: &str) -> Option<Dependency> {
        Some(Dependency {
            namespace: element.value("groupId").map(|group| self.interpolate(group)),
            package: self.interpolate(element.value("artifactId")?),
            dependency_type: Some(kind.to_owned()),
            version_requirement: element.value("version").map(|version| self.interpolate(version)),
        })
    }

    /// Replaces `${…}` by what this POM itself says, once and not within what it replaced.
    fn interpolate(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                out.push_str(&rest[before.len()..]);
                return out;
            };
            match self.property(name) {
                Some(value) => out.push_str(value),
                None => out.push_str(&rest[before.len()..before.len() + 3 + name.len()]),
            }
            rest = behind;
        }
        out.push_str(rest);
        out
    }

    fn property(&self, name: &str) -> Option<&str> {
        let root = &self.root;
        let own = |name: &str| root.value(name).or_else(|| root.child("parent")?.value(name));
        match name.strip_prefix("project.").or_else(|| name.strip_prefix("pom.")) {
            Some("artifactId") => root.value("artifactId"),
            Some(name @ ("groupId" | "version")) => own(name),
            Some(name) => root.child("parent")?.value(name.strip_prefix("parent.")?),
            None => root.child("properties")?.value(name),
        }
        .filter(|value| value.len() <= 255)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POM: &str = "<project xmlns='x'>
        <parent><groupId>com.acme</groupId><artifactId>parent</artifactId><version>7</version></parent>
        <artifactId>lib</artifactId><name>The lib</name><description>Does it</description><url>https://acme.test/</url>
        <packaging>maven-plugin</packaging>
        <properties><junit>4.13.2</junit></properties>
        <licenses><license><name>MIT</name><url>https://mit.test/</url></license></licenses>
        <scm><url>https://scm.test/</url></scm>
        <dependencyManagement><dependencies><dependency><groupId>no</groupId><artifactId>no</artifactId></dependency>
        </dependencies></dependencyManagement>
        <dependencies>
          <dependency><groupId>${project.groupId}</groupId><artifactId>core</artifactId><version>${project.version}</version></dependency>
          <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>${junit}</version><scope>test</scope></dependency>
          <dependency><groupId>o</groupId><artifactId>o</artifactId><version>[1,2)</version><optional>true</optional></dependency>
          <dependency><groupId>p</groupId><artifactId>p</artifactId><version>${elsewhere}</version></dependency>
        </dependencies></project>";

    #[test]
    fn details_are_those_of_the_pom_itself() {
        let pom = Pom::parse(POM.as_bytes()).unwrap();
        assert_eq!((pom.packaging(), pom.name()), ("maven-plugin", Some("The lib")));
        let details = pom.details();
        assert_eq!(details.summary.as_deref(), Some("Does it"));
        assert_eq!(details.licenses, [License { name: "MIT".to_owned(), url: Some("https://mit.test/".to_owned()) }]);
        let listed: Vec<_> = details
            .dependencies
            .iter()
            .map(|dependency| {
                [
                    &dependency.namespace,
                    &Some(dependency.package.clone()),
                    &dependency.dependency_type,
                    &dependency.version_requirement,
                ]
                .map(|text| text.clone().unwrap_or_default())
                .join(" ")
            })
            .collect();
        assert_eq!(
            listed,
            [
                "com.acme parent parent 7",
                "com.acme core compile 7",
                "junit junit test 4.13.2",
                "o o optional [1,2)",
                "p p compile ${elsewhere}"
            ]
        );
    }

    #[test]
    fn the_coordinate_must_be_the_path_s() {
        let pom = Pom::parse(POM.as_bytes()).unwrap();
        assert!(pom.check_coordinate("com.acme", "lib", "7").is_ok());
        for (group, artifact, version) in [("com", "lib", "7"), ("com.acme", "lob", "7"), ("com.acme", "lib", "8")] {
            assert!(pom.check_coordinate(group, artifact, version).is_err());
        }
        let open = Pom::parse(
            b"<project><groupId>g</groupId><artifactId>a</artifactId><version>${revision}</version></project>",
        );
        assert!(open.unwrap().check_coordinate("g", "a", "3").is_ok());
        assert!(Pom::parse(b"<project/>").unwrap().check_coordinate("g", "a", "3").is_err());
    }

    #[test]
    fn what_is_no_pom_is_refused() {
        for bad in ["", "not xml", "<metadata/>", "<!DOCTYPE project [<!ENTITY a 'b'>]><project>&a;</project>"] {
            assert!(Pom::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_property_is_replaced_once() {
        let pom = Pom::parse(b"<project><properties><a>${a}${a}</a></properties></project>").unwrap();
        assert_eq!(pom.interpolate("x${a}y${b}${c"), "x${a}${a}y${b}${c");
    }
}
