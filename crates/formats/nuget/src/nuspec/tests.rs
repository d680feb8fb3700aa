use super::*;

pub(crate) fn manifest(id: &str, version: &str, more: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><package xmlns=\"http://schemas.example.com/nuspec.xsd\"><metadata>\
         <id>{id}</id><version>{version}</version><authors>me</authors><description>A test</description>{more}\
         </metadata></package>"
    )
}

fn parse(more: &str) -> Result<Manifest, Invalid> {
    Manifest::parse(manifest("Acme.Lib", "1.0.0", more).as_bytes())
}

#[test]
fn a_manifest_says_what_the_documents_show() {
    let text = manifest(
        "Acme.Lib",
        "01.2.0.0-Beta.1+abc",
        "<title>Lib</title><summary>s</summary><tags>one two,three</tags><projectUrl>https://acme.test/</projectUrl>\
         <license type='expression'>MIT</license><licenseUrl>https://licenses.test/MIT</licenseUrl><icon>images\\icon.png</icon>\
         <requireLicenseAcceptance>true</requireLicenseAcceptance><readme>docs\\README.md</readme>\
         <repository type='git' url='https://code.test/lib' commit='x'/>\
         <packageTypes><packageType name='DotnetTool'/></packageTypes>\
         <dependencies><group targetFramework='net6.0'><dependency id='Other.Lib' version='1.0' exclude='Build'/></group>\
         <group targetFramework='net8.0'><dependency id='other.lib' version='1.0'/><dependency id='X' version='[2,3)'/></group>\
         <group/></dependencies>",
    );
    let read = Manifest::parse(text.as_bytes()).unwrap();
    assert_eq!(read.version.as_str(), "1.2.0-beta.1");
    assert_eq!((read.metadata.id.as_str(), read.metadata.version.as_str()), ("Acme.Lib", "1.2.0-Beta.1+abc"));
    assert_eq!(read.metadata.tags, ["one", "two", "three"]);
    assert_eq!((read.readme.as_deref(), read.icon.as_deref()), (Some("docs/README.md"), Some("images/icon.png")));
    assert!(read.metadata.require_license_acceptance && read.metadata.has_readme);
    assert_eq!(read.metadata.package_types[0].name, "DotnetTool");
    let groups = &read.metadata.dependency_groups;
    assert_eq!(groups.iter().map(|group| group.dependencies.len()).collect::<Vec<_>>(), [1, 2, 0]);
    assert_eq!(groups[0].dependencies[0].range, "[1.0.0, )");
    assert_eq!(PackageMetadata::read(&read.metadata.bytes()), read.metadata);

    let details = read.details(Some("# Lib".to_owned()));
    assert_eq!(details.display_name.as_deref(), Some("Acme.Lib"));
    assert_eq!(details.source_code_repository.as_deref(), Some("https://code.test/lib"));
    assert_eq!((details.licenses[0].name.as_str(), details.readme.as_deref()), ("MIT", Some("# Lib")));
    let dependencies: Vec<_> =
        details.dependencies.iter().map(|d| (d.package.as_str(), d.version_requirement.as_deref())).collect();
    assert_eq!(dependencies, [("other.lib", Some("[1.0.0, )")), ("x", Some("[2.0.0, 3.0.0)"))]);
    assert!(details.dependencies.iter().all(|dependency| dependency.dependency_type.is_none()));
}

#[test]
fn a_manifest_from_before_groups_lists_its_dependencies_plainly() {
    let read = parse("<dependencies><dependency id='a'/><dependency id='b' version='1.0'/></dependencies>").unwrap();
    let group = &read.metadata.dependency_groups[0];
    assert_eq!((group.target_framework.as_deref(), group.dependencies[0].range.as_str()), (None, "(, )"));
    assert!(!read.metadata.needs_semver2());
    assert!(
        parse("<dependencies><dependency id='a' version='1.0-a.b'/></dependencies>").unwrap().metadata.needs_semver2()
    );
}

#[test]
fn a_manifest_without_a_usable_id_version_or_dependency_is_refused() {
    for (id, version) in
        [("", "1.0"), ("a b", "1.0"), ("a", ""), ("a", "one"), ("Пакет", "1.0"), (&*"x".repeat(101), "1.0")]
    {
        assert!(Manifest::parse(manifest(id, version, "").as_bytes()).is_err(), "{id} {version}");
    }
    assert!(parse("<dependencies><dependency id='' version='1'/></dependencies>").is_err());
    assert!(parse("<dependencies><dependency id='a' version='1.*'/></dependencies>").is_err());
    for text in ["<package/>", "<metadata><id>a</id><version>1</version></metadata>", "{}", "<!DOCTYPE p><package/>"] {
        assert!(Manifest::parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn addresses_that_a_browser_would_run_are_dropped() {
    let read = parse("<projectUrl>javascript:alert(1)</projectUrl><iconUrl>file:///x</iconUrl>").unwrap();
    assert_eq!((read.metadata.project_url, read.metadata.icon_url), (None, None));
}
