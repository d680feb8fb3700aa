//! Checks G-01 to G-12 of packages that are published here, with dotnet where it has the command, else as newer ones
//! send it.

use larder_e2e::nuget::{NugetWorld, Nupkg, push_form, reference};
use larder_testkit::packages::zip_of;
use larder_testkit::tests;
use serde_json::json;

tests![
    g_01_push,
    g_02_push_again,
    g_03_restore_with_credentials,
    g_05_add_package,
    g_06_spellings,
    g_07_semver2,
    g_08_search,
    g_09_delete,
    g_10_symbols,
    g_11_outdated_and_deprecated,
    g_12_tool_and_template,
    nuget_details_in_the_api,
];

fn g_01_push() {
    let world = NugetWorld::start();
    let dotnet = world.client();
    dotnet.client.write(
        "lib/lib.csproj",
        "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><TargetFramework>netcoreapp3.1</TargetFramework>\
         <PackageId>Acme.Lib</PackageId><Version>1.2.0</Version><Authors>Acme</Authors></PropertyGroup></Project>",
    );
    dotnet.client.write("lib/Greeting.cs", "namespace Acme { public class Greeting { } }");
    let _ = dotnet.run(&["pack", "lib", "-o", "out"]).succeeds();
    let source = world.source();
    let push = ["nuget", "push", "out/Acme.Lib.1.2.0.nupkg", "-s", &source, "-k", &world.token];
    dotnet.run(&push).succeeds().says("Your package was pushed.");

    let pushed = std::fs::read(dotnet.client.home().join("out/Acme.Lib.1.2.0.nupkg")).expect("the package");
    assert_eq!(world.download("acme.lib", "1.2.0").expect(200).body, pushed, "not a byte is altered");
    let leaf = &world.leaves("registration4", "acme.lib")[0]["catalogEntry"];
    assert_eq!((&leaf["id"], &leaf["version"], &leaf["listed"]), (&json!("Acme.Lib"), &json!("1.2.0"), &json!(true)));
    // A program that uses it.
    dotnet.project(&reference("Acme.Lib", "1.2.0"));
    dotnet
        .client
        .write("app/Program.cs", "class P { static void Main() => System.Console.WriteLine(new Acme.Greeting()); }");
    dotnet.in_project(&["run"]).succeeds().says("Acme.Greeting");
}

fn g_02_push_again() {
    let world = NugetWorld::start();
    let dotnet = world.client();
    let path = dotnet.package("a.1.0.0.nupkg", &Nupkg::new("a", "1.0.0").bytes());
    let path = path.to_string_lossy();
    let source = world.source();
    let push = |more: &[&str]| {
        let all = [&["nuget", "push", &path, "-s", &source, "-k", &world.token][..], more].concat();
        dotnet.run(&all)
    };
    let _ = push(&[]).succeeds();
    push(&[]).fails().says("409").says("exists");
    push(&["--skip-duplicate"]).succeeds().says("already exists at feed");
    assert_eq!(world.versions("a"), ["1.0.0"]);
}

fn g_03_restore_with_credentials() {
    let world = NugetWorld::start();
    world.publish(&Nupkg::new("Top", "1.0.0").needs("Base", "[1.0.0, 2.0.0)"));
    world.publish(&Nupkg::new("Base", "1.1.0"));
    world.publish(&Nupkg::new("Base", "2.0.0"));
    let target = "/v1/repository/endpoint?domain=my-domain&repository=my-repo&format=nuget";
    let endpoint = world.server.call("GET", target, &serde_json::Value::Null).expect(200).json();
    assert_eq!(format!("{}v3/index.json", endpoint["repositoryEndpoint"].as_str().expect("a URL")), world.source());
    let dotnet = world.client();
    dotnet.project(&reference("Top", "1.0.0"));
    let _ = dotnet.in_project(&["restore"]).succeeds();
    assert_eq!((dotnet.restored("top"), dotnet.restored("base")), (Some("1.0.0".into()), Some("1.1.0".into())));
    // What is not there is said to be not there.
    dotnet.project(&reference("Missing", "1.0.0"));
    dotnet.in_project(&["restore"]).fails().says("NU1101");
}

fn g_05_add_package() {
    let world = NugetWorld::start();
    for version in ["1.0.0", "1.1.0", "1.2.0", "2.0.0-beta.1"] {
        world.publish(&Nupkg::new("X", version));
    }
    let _ = world.request("DELETE", "v3/publish/X/1.1.0").send().expect(204);
    let dotnet = world.client();
    let add = |more: &[&str]| {
        dotnet.project("");
        let _ = dotnet.in_project(&[&["add", "package", "X"][..], more].concat()).succeeds();
        dotnet.restored("x").expect("restored")
    };
    assert_eq!(add(&[]), "1.2.0", "the latest");
    assert_eq!(add(&["--version", "1.1.0"]), "1.1.0", "an exact pin of an unlisted version");
    assert_eq!(add(&["--version", "2.0.0-*"]), "2.0.0-beta.1");
    // Newer clients take the highest that the registration says is listed, with --prerelease of all; this one takes the
    // highest that there is.
    let _ = world.request("DELETE", "v3/publish/X/1.2.0").send().expect(204);
    let leaves = world.leaves("registration-gz-semver2", "x");
    let listed: Vec<_> = leaves.iter().filter(|leaf| leaf["catalogEntry"]["listed"] == json!(true)).collect();
    let versions: Vec<_> = listed.iter().map(|leaf| leaf["catalogEntry"]["version"].clone()).collect();
    assert_eq!(versions, ["1.0.0", "2.0.0-beta.1"]);
}

fn g_06_spellings() {
    let world = NugetWorld::start();
    world.publish(&Nupkg::new("Acme.Lib", "1.0"));
    for version in ["1.0.0", "1.0.0.0", "1.0.0+build", "01.00"] {
        let answer = world.push(&Nupkg::new("ACME.lib", version).bytes()).expect(409);
        assert!(answer.reason.contains("1.0.0"), "{}", answer.reason);
    }
    let dotnet = world.client();
    for (id, version) in [("acme.LIB", "1.0.0.0"), ("ACME.LIB", "1.0")] {
        dotnet.project(&reference(id, version));
        let _ = dotnet.in_project(&["restore"]).succeeds();
        assert_eq!(dotnet.restored("acme.lib").as_deref(), Some("1.0.0"));
        dotnet.forget();
    }
    let _ = world.get("v3/flatcontainer/Acme.Lib/1.0/Acme.Lib.1.0.0.nupkg").expect(200);
    assert_eq!(world.leaves("registration4", "acme.lib")[0]["catalogEntry"]["id"], "Acme.Lib");
}

fn g_07_semver2() {
    let world = NugetWorld::start();
    let dotnet = world.client();
    let path = dotnet.package("s.nupkg", &Nupkg::new("S", "1.0.0-a.1+b").bytes());
    let _ =
        dotnet.run(&["nuget", "push", &path.to_string_lossy(), "-s", &world.source(), "-k", &world.token]).succeeds();
    world.publish(&Nupkg::new("Old", "1.0.0"));
    world.publish(&Nupkg::new("Old", "2.0.0").needs("S", "1.0.0-a.1"));
    dotnet.project(&reference("S", "1.0.0-a.1"));
    let _ = dotnet.in_project(&["restore"]).succeeds();
    assert_eq!(dotnet.restored("s").as_deref(), Some("1.0.0-a.1"));
    assert_eq!(world.leaves("registration-gz-semver2", "s")[0]["catalogEntry"]["version"], "1.0.0-a.1+b");
    for hive in ["registration", "registration-gz"] {
        let _ = world.get(&format!("v3/{hive}/s/index.json")).expect(404);
        let versions: Vec<_> =
            world.leaves(hive, "old").iter().map(|leaf| leaf["catalogEntry"]["version"].clone()).collect();
        assert_eq!(versions, ["1.0.0"], "a version that needs a SemVer 2 dependency is hidden, too");
    }
    let count =
        |query: &str| world.get(&format!("v3/search?prerelease=true&{query}")).expect(200).json()["totalHits"].clone();
    assert_eq!((count("q=s"), count("q=s&semVerLevel=2.0.0")), (json!(0), json!(1)));
}

fn g_08_search() {
    let world = NugetWorld::start();
    for number in 0..25 {
        world.publish(&Nupkg::new(&format!("Acme.Part{number:02}"), "1.0.0").says("<tags>part wheel</tags>"));
    }
    world.publish(&Nupkg::new("Acme", "1.0.0"));
    world.publish(&Nupkg::new("Acme", "1.1.0-rc1"));
    world.publish(
        &Nupkg::new("Other.Tool", "1.0.0").says("<packageTypes><packageType name=\"DotnetTool\" /></packageTypes>"),
    );
    let search = |query: &str| world.get(&format!("v3/search?{query}")).expect(200).json();
    let ids = |answer: &serde_json::Value| -> Vec<String> {
        answer["data"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|hit| hit["id"].as_str().map(str::to_owned))
            .collect()
    };
    // As Visual Studio asks, page by page.
    let first = search("q=acme&skip=0&take=20&prerelease=false&supportedFramework=net6.0&semVerLevel=2.0.0");
    assert_eq!((first["totalHits"].clone(), ids(&first).len()), (json!(26), 20));
    assert_eq!(ids(&first)[0], "Acme", "the id that was asked for comes first");
    let second = search("q=acme&skip=20&take=20&prerelease=false&semVerLevel=2.0.0");
    assert_eq!((second["totalHits"].clone(), ids(&second).len()), (json!(26), 6));
    assert!(ids(&second).iter().all(|id| !ids(&first).contains(id)));
    assert_eq!(search("q=packageid:acme&prerelease=true&semVerLevel=2.0.0")["data"][0]["version"], "1.1.0-rc1");
    assert_eq!(search("q=packageid:acme")["data"][0]["version"], "1.0.0");
    assert_eq!(search("q=tags:wheel&take=1000")["totalHits"], 25);
    // As `dotnet tool search` asks.
    let tools = search("q=&packageType=DotnetTool&prerelease=false&semVerLevel=2.0.0");
    assert_eq!(
        (ids(&tools), tools["data"][0]["packageTypes"][0]["name"].clone()),
        (vec!["Other.Tool".to_owned()], json!("DotnetTool"))
    );
    // Autocomplete: ids, then versions.
    let completed = world.get("v3/autocomplete?q=acme.part0&take=30").expect(200).json();
    assert_eq!((completed["totalHits"].clone(), completed["data"][3].clone()), (json!(10), json!("Acme.Part03")));
    let versions = world.get("v3/autocomplete?id=acme&prerelease=true").expect(200).json();
    assert_eq!(versions["data"], json!(["1.0.0", "1.1.0-rc1"]));
    let _ = world.get("v3/search?take=1001").expect(400);
}

fn g_09_delete() {
    let world = NugetWorld::start();
    world.publish(&Nupkg::new("Gone", "1.0.0"));
    let dotnet = world.client();
    let delete = ["nuget", "delete", "Gone", "1.0.0", "-s", &world.source(), "-k", &world.token, "--non-interactive"];
    dotnet.run(&delete).succeeds().says("was deleted successfully");
    let _ = world.download("gone", "1.0.0").expect(200);
    assert_eq!(world.versions("gone"), ["1.0.0"], "who pins it still finds it");
    let entry = world.leaves("registration4", "gone")[0]["catalogEntry"].clone();
    assert_eq!((&entry["listed"], entry["published"].as_str().map(|at| &at[..4])), (&json!(false), Some("1900")));
    let hits = || world.get("v3/search?q=gone").expect(200).json()["totalHits"].clone();
    assert_eq!(hits(), 0);
    let query = "domain=my-domain&repository=my-repo&format=nuget&package=Gone&version=1.0";
    let described =
        world.server.call("GET", &format!("/v1/package/version?{query}"), &serde_json::Value::Null).expect(200).json();
    assert_eq!(
        (&described["packageVersion"]["status"], &described["packageVersion"]["displayName"]),
        (&json!("Unlisted"), &json!("Gone"))
    );

    let _ = world.request("POST", "v3/publish/gone/1.0.0").send().expect(200);
    assert_eq!(hits(), 1);
    let _ = world.request("DELETE", "v3/publish/gone/2.0.0").send().expect(404);
    let _ = world.request("DELETE", "v3/publish/never/1.0.0").send().expect(404);
    let delete = ["nuget", "delete", "Gone", "9.9.9", "-s", &world.source(), "-k", &world.token, "--non-interactive"];
    dotnet.run(&delete).fails().says("404");
}

fn g_10_symbols() {
    let world = NugetWorld::start();
    let dotnet = world.client();
    dotnet.client.write(
        "lib/lib.csproj",
        "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><TargetFramework>netcoreapp3.1</TargetFramework>\
         <AssemblyName>Acme.Core</AssemblyName><PackageId>Acme.Core</PackageId><Version>1.0.0</Version>\
         <IncludeSymbols>true</IncludeSymbols><SymbolPackageFormat>snupkg</SymbolPackageFormat></PropertyGroup></Project>",
    );
    dotnet.client.write("lib/Core.cs", "namespace Acme { public class Core { public int One() { return 1; } } }");
    let _ = dotnet.run(&["pack", "lib", "-o", "out"]).succeeds();
    let source = world.source();
    let push = ["nuget", "push", "out/Acme.Core.1.0.0.nupkg", "-s", &source, "-k", &world.token, "-sk", &world.token];
    let ran = dotnet.run(&push).succeeds();
    ran.says("Acme.Core.1.0.0.nupkg").says("Acme.Core.1.0.0.snupkg").says("Your package was pushed.");
    assert_eq!(ran.all().matches("Created ").count(), 2, "both are created:\n{}", ran.all());

    // As a debugger asks for them: name, id and FFFFFFFF, in whatever case, with the checksum of the assembly.
    let pdb = std::fs::read(dotnet.client.home().join("lib/bin/Debug/netcoreapp3.1/Acme.Core.pdb")).expect("the PDB");
    let (id, checksum) = pdb_id(&pdb);
    let path = format!("v3/symbols/acme.core.PDB/{}FFFFFFFF/acme.core.PDB", id.to_uppercase());
    let answer = world.request("GET", &path).header("SymbolChecksum", format!("SHA256:{checksum}")).send().expect(200);
    assert_eq!(answer.body, pdb);
    let wrong = world.request("GET", &path).header("SymbolChecksum", format!("SHA256:{}", "0".repeat(64)));
    let _ = wrong.send().expect(404);
    let _ = world.get(&format!("v3/symbols/acme.core.pdb/{}ffffffff/acme.core.pdb", "0".repeat(32))).expect(404);

    // Symbols of what is not here, twice, of something else, and not portable.
    let snupkg = |entries: &[(&str, &[u8])]| {
        let mut all = vec![("Acme.Core.nuspec".to_owned(), Nupkg::new("Acme.Core", "1.0.0").nuspec().into_bytes())];
        all.extend(entries.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())));
        zip_of(&all)
    };
    let send = |bytes: &[u8]| {
        let (content_type, body) = push_form(bytes);
        world.request("PUT", "v3/symbolpackage/").header("content-type", content_type).body(body).send()
    };
    let _ = send(&snupkg(&[("lib/Acme.Core.pdb", &pdb)])).expect(409);
    let _ = send(&snupkg(&[("lib/Acme.Core.dll", b"MZ")])).expect(400);
    let windows = send(&snupkg(&[("lib/Acme.Core.pdb", b"Microsoft C/C++ MSF 7.00\r\n")])).expect(400);
    assert!(windows.reason.contains("Windows PDB"), "{}", windows.reason);
    let missing = zip_of(&[("None.nuspec".to_owned(), Nupkg::new("None", "1.0.0").nuspec().into_bytes())]);
    let _ = send(&missing).expect(404);
}

/// The id of a portable PDB, found by the stream header, and its checksum with that id set to zero.
fn pdb_id(pdb: &[u8]) -> (String, String) {
    let header = pdb.windows(5).position(|window| window == b"#Pdb\0").expect("a portable PDB") - 8;
    let at = u32::from_le_bytes(pdb[header..header + 4].try_into().expect("four bytes")) as usize;
    let id = &pdb[at..at + 16];
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let mut zeroed = pdb.to_vec();
    zeroed[at..at + 20].fill(0);
    (order.iter().map(|&at| format!("{:02x}", id[at])).collect(), larder_testkit::packages::sha256(&zeroed))
}

fn g_11_outdated_and_deprecated() {
    let mut world = NugetWorld::start();
    let deprecation = json!({"deprecation": {"reasons": ["Legacy"], "message": "use Fresh",
        "alternatePackage": {"id": "Fresh", "range": "[1.0.0, )"}},
        "vulnerabilities": [{"advisoryUrl": "https://advisories.example/1", "severity": "2"}]});
    world.gallery.add_with(&Nupkg::new("Stale", "1.0.0"), &deprecation);
    world.gallery.add(&Nupkg::new("Stale", "1.5.0"));
    world.publish(&Nupkg::new("Mine", "1.0.0"));
    world.publish(&Nupkg::new("Mine", "2.0.0"));
    let dotnet = world.client();
    dotnet.project(&(reference("Stale", "1.0.0") + &reference("Mine", "1.0.0")));
    let _ = dotnet.in_project(&["restore"]).succeeds();
    dotnet.in_project(&["list", "package", "--outdated"]).succeeds().says("1.5.0").says("2.0.0");
    dotnet.in_project(&["list", "package", "--deprecated"]).succeeds().says("Legacy").says("Fresh");
    // What `--vulnerable` of newer clients reads.
    let entry = world.leaves("registration-gz-semver2", "stale")[0]["catalogEntry"].clone();
    assert_eq!(entry["vulnerabilities"], json!([{"advisoryUrl": "https://advisories.example/1", "severity": "2"}]));
}

fn g_12_tool_and_template() {
    let world = NugetWorld::start();
    let dotnet = world.client();
    dotnet.client.write(
        "tool/tool.csproj",
        "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><OutputType>Exe</OutputType>\
         <TargetFramework>netcoreapp3.1</TargetFramework><PackAsTool>true</PackAsTool>\
         <ToolCommandName>hello-larder</ToolCommandName><PackageId>Hello.Larder</PackageId></PropertyGroup></Project>",
    );
    dotnet
        .client
        .write("tool/Program.cs", "class P { static void Main() => System.Console.WriteLine(\"hello from a tool\"); }");
    let _ = dotnet.run(&["pack", "tool", "-o", "out"]).succeeds();
    let package = std::fs::read(dotnet.client.home().join("out/Hello.Larder.1.0.0.nupkg")).expect("the tool");
    let _ = world.push(&package).expect(201);
    let _ = dotnet.run(&["tool", "install", "Hello.Larder", "--tool-path", "tools"]).succeeds();
    let found = dotnet.client.home().join("tools/hello-larder");
    assert!(found.is_file(), "the tool was not installed");

    let template = Nupkg::new("Acme.Template", "1.0.0")
        .says("<packageTypes><packageType name=\"Template\" /></packageTypes>")
        .file("content/.template.config/template.json", r#"{"author": "Acme", "classifications": ["Test"], "identity": "Acme.Template", "name": "Acme template", "shortName": "acme-one", "tags": {"language": "C#", "type": "project"}}"#)
        .file("content/readme.txt", "made from a template");
    world.publish(&template);
    dotnet.run(&["new", "-i", "Acme.Template::1.0.0"]).succeeds().says("acme-one");
}

/// What the AWS side tells of packages that dotnet published, and of those that came from the gallery.
fn nuget_details_in_the_api() {
    let mut world = NugetWorld::start();
    let package = Nupkg::new("Told.Of", "1.2.0.0-RC1+7")
        .says(
            "<license type=\"expression\">MIT</license><projectUrl>https://told.example/</projectUrl><readme>docs\\R.md</readme>\
             <repository type=\"git\" url=\"https://code.example/told\" /><dependencies><group targetFramework=\"net6.0\">\
             <dependency id=\"Dep.One\" version=\"1.0\" /></group></dependencies>",
        )
        .file("docs/R.md", "# Told");
    world.publish(&package);
    world.gallery.add(&Nupkg::new("Public.Lib", "1.0.0").needs("Dep.Two", "[2.0,3.0)"));
    let _ = world.download("public.lib", "1.0.0").expect(200);
    let call = |method: &str, path: &str, package: &str, version: &str| {
        let query = format!("domain=my-domain&repository=my-repo&format=nuget&package={package}&version={version}");
        world.server.call(method, &format!("/v1/package/version{path}?{query}"), &serde_json::Value::Null)
    };
    let described = call("GET", "", "TOLD.of", "1.2-rc1").expect(200).json()["packageVersion"].clone();
    assert_eq!((&described["packageName"], &described["version"]), (&json!("told.of"), &json!("1.2.0-rc1")));
    assert_eq!(
        (&described["displayName"], &described["homePage"]),
        (&json!("Told.Of"), &json!("https://told.example/"))
    );
    assert_eq!(described["licenses"][0]["name"], "MIT");
    assert_eq!(described["sourceCodeRepository"], "https://code.example/told");
    let readme = call("GET", "/readme", "told.of", "1.2.0-rc1").expect(200).json();
    assert_eq!(readme["readme"], "# Told");
    assert_eq!(world.get("v3/flatcontainer/told.of/1.2.0-rc1/readme").expect(200).text(), "# Told");
    let assets = call("POST", "/assets", "told.of", "1.2.0-rc1").expect(200).json()["assets"].clone();
    let names: Vec<_> = assets.as_array().into_iter().flatten().map(|asset| asset["name"].clone()).collect();
    assert_eq!(names, ["told.of.1.2.0-rc1.nupkg"]);
    let started = std::time::Instant::now();
    while call("GET", "", "Public.Lib", "1.0").status != 200 {
        assert!(started.elapsed() < std::time::Duration::from_secs(10), "the version was not retained");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    for (package, version, id, range) in
        [("told.of", "1.2.0-rc1", "dep.one", "[1.0.0, )"), ("public.lib", "1.0.0", "dep.two", "[2.0.0, 3.0.0)")]
    {
        let listed = call("POST", "/dependencies", package, version).expect(200).json()["dependencies"].clone();
        assert_eq!(listed, json!([{"package": id, "versionRequirement": range}]), "{package}");
    }
}
