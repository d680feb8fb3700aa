//! Checks G-13 to G-22 of packages that are published here: other clients, credentials, large packages, ranges.

use larder_e2e::nuget::{Dotnet, NugetWorld, Nupkg, chunked, push_form, reference};
use larder_testkit::{Client, skip, tests, tools};
use serde_json::json;

tests![
    g_13_push_as_nuget_exe,
    g_15_credentials,
    g_16_registration_with_200_versions,
    g_18_head_and_range,
    g_19_http_source,
    g_22_foreign_scripts_in_ids,
    g_newer_dotnet,
];

fn g_13_push_as_nuget_exe() {
    // No nuget.exe that speaks v3 can be had here: what it sends, in its order.
    let world = NugetWorld::start();
    let (content_type, body) = push_form(&Nupkg::new("Classic", "1.0.0").bytes());
    let index = world.server.request("GET", &format!("{}/v3/index.json", world.server.path("nuget", "my-repo")));
    let challenged = index.send().expect(401);
    assert!(challenged.need_header("www-authenticate").starts_with("Basic "));
    let push = world
        .server
        .request("PUT", &format!("{}/api/v2/package/", world.server.path("nuget", "my-repo")))
        .header("X-NuGet-ApiKey", world.token.clone())
        .header("X-NuGet-Protocol-Version", "4.1.0")
        .header("X-NuGet-Client-Version", "6.12.1")
        .header("User-Agent", "NuGet Command Line/6.12.1 (Unix 6.1.0.0)")
        .header("content-type", content_type)
        .header("transfer-encoding", "chunked")
        .body(chunked(&body));
    let _ = push.send().expect(201);
    for path in ["v3/flatcontainer/classic/index.json", "v3/flatcontainer/classic/1.0.0/classic.nuspec"] {
        let _ = world.get(path).expect(200);
    }
    let nuspec = world.get("v3/flatcontainer/classic/1.0.0/classic.nuspec").expect(200);
    assert_eq!(nuspec.text(), Nupkg::new("Classic", "1.0.0").nuspec());
}

fn g_15_credentials() {
    let world = NugetWorld::start();
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action":
        ["codeartifact:ReadFromRepository", "codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"]}]});
    let reader = world.server.create_user(larder_testkit::server::ACCOUNT, "reader", &policy);
    let read_only = world.server.token_of(&reader, "my-domain");
    let dotnet = Dotnet::new(&world.server);
    dotnet.project("");
    let path = dotnet.package("k.nupkg", &Nupkg::new("K", "1.0.0").bytes());
    let (path, source) = (path.to_string_lossy().into_owned(), world.source());
    let push = |key: &str| dotnet.run(&["nuget", "push", &path, "-s", &source, "-k", key]);

    // No key and no credentials, a wrong key, one without the right.
    dotnet.write_config(&source, None, "");
    dotnet.run(&["nuget", "push", &path, "-s", &source]).fails().says("401");
    dotnet.log_in(&source, "wrong");
    dotnet.run(&["nuget", "push", &path, "-s", &source, "-k", "wrong"]).fails().says("401");
    dotnet.log_in(&source, &read_only);
    push(&read_only).fails().says("403").says("PublishPackageVersion");
    assert!(world.versions("k").is_empty());
    // Credentials that read and a key that writes.
    let _ = push(&world.token).succeeds();
    // Credentials alone push, too.
    dotnet.log_in(&source, &world.token);
    let other = dotnet.package("l.nupkg", &Nupkg::new("L", "1.0.0").bytes());
    let _ = dotnet.run(&["nuget", "push", &other.to_string_lossy(), "-s", &source]).succeeds();
    // Bearer, as CodeArtifact's own examples with curl have it.
    let target = format!("{}/v3/index.json", world.server.path("nuget", "my-repo"));
    let _ = world.server.request("GET", &target).token(&world.token).send().expect(200);
}

fn g_16_registration_with_200_versions() {
    let world = NugetWorld::start();
    for number in 0..200 {
        world.publish(&Nupkg::new("Many", &format!("1.{number}.0")));
    }
    for (hive, gzip) in [("registration", false), ("registration-gz", true), ("registration-gz-semver2", true)] {
        // Nobody asked for gzip.
        let answer = world.get(&format!("v3/{hive}/many/index.json")).expect(200);
        assert_eq!(answer.header("content-encoding"), gzip.then_some("gzip"), "{hive}");
        let index = answer.json();
        let pages = index["items"].as_array().expect("pages");
        assert_eq!(
            pages.iter().map(|page| page["count"].as_u64().expect("a count")).collect::<Vec<_>>(),
            [64, 64, 64, 8]
        );
        assert_eq!((&pages[1]["lower"], &pages[1]["upper"]), (&json!("1.64.0"), &json!("1.127.0")));
        let mut seen = Vec::new();
        for page in pages {
            assert!(page.get("items").is_none(), "pages of a large package are documents of their own");
            let address =
                page["@id"].as_str().expect("an address").strip_prefix(world.server.base_url()).expect("ours");
            let answer = world.server.request("GET", address).basic("aws", &world.token).send().expect(200);
            assert_eq!(answer.header("content-encoding"), gzip.then_some("gzip"));
            let leaves = answer.json()["items"].as_array().cloned().expect("leaves");
            seen.extend(
                leaves.iter().map(|leaf| leaf["catalogEntry"]["version"].as_str().expect("a version").to_owned()),
            );
        }
        assert_eq!(seen.len(), 200);
        assert_eq!((seen[9].as_str(), seen[10].as_str()), ("1.9.0", "1.10.0"), "{hive} is in order of versions");
    }
    let dotnet = world.client();
    dotnet.project(&reference("Many", "1.*"));
    let _ = dotnet.in_project(&["restore"]).succeeds();
    assert_eq!(dotnet.restored("many").as_deref(), Some("1.199.0"));
    dotnet.project(&reference("Many", "1.0.0"));
    let _ = dotnet.in_project(&["restore"]).succeeds();
    dotnet.in_project(&["list", "package", "--outdated"]).succeeds().says("1.199.0");
}

fn g_18_head_and_range() {
    let world = NugetWorld::start();
    let package = Nupkg::new("Ranged", "1.0.0").file("data", vec![7; 50_000]);
    world.publish(&package);
    let path = "v3/flatcontainer/ranged/1.0.0/ranged.1.0.0.nupkg";
    let bytes = package.bytes();
    let head = world.request("HEAD", path).send().expect(200);
    assert_eq!(head.need_header("content-length"), bytes.len().to_string());
    assert!(head.body.is_empty() && head.header("content-encoding").is_none());
    assert_eq!(world.request("GET", path).header("range", "bytes=10-19").send().expect(206).body, bytes[10..20]);
    let _ = world.request("GET", path).header("range", "bytes=9999999-").send().expect(416);
    let tag = head.need_header("etag").to_owned();
    let _ = world.request("GET", path).header("if-none-match", tag).send().expect(304);
    for path in ["v3/index.json", "v3/flatcontainer/ranged/index.json", "v3/registration4/ranged/index.json"] {
        let whole = world.get(path).expect(200);
        let head = world.request("HEAD", path).send().expect(200);
        assert_eq!(head.header("content-length"), whole.header("content-length"), "{path}");
        let again = world.request("GET", path).header("if-none-match", whole.need_header("etag")).send();
        let _ = again.expect(304);
    }
    let plain = world.get("v3/flatcontainer/ranged/1.0.0/ranged.1.0.0.nupkg").expect(200);
    assert_eq!(plain.need_header("content-type"), "application/octet-stream");
}

fn g_19_http_source() {
    // A source over http, with and without the setting that newer clients want; this client knows no refusal of its own.
    let world = NugetWorld::start();
    world.publish(&Nupkg::new("Plain", "1.0.0"));
    let dotnet = world.client();
    dotnet.project(&reference("Plain", "1.0.0"));
    assert!(world.source().starts_with("http://"));
    let _ = dotnet.in_project(&["restore"]).succeeds();
    dotnet.forget();
    let config =
        dotnet.client.read("nuget.config").replace("index.json\"", "index.json\" allowInsecureConnections=\"true\"");
    dotnet.client.write("nuget.config", config);
    let _ = dotnet.in_project(&["restore"]).succeeds();
}

fn g_22_foreign_scripts_in_ids() {
    let world = NugetWorld::start();
    for id in ["Пакет", "软件包", "Acme\u{0430}"] {
        let answer = world.push(&Nupkg::new(id, "1.0.0").bytes()).expect(400);
        assert!(answer.reason.contains("not a package id"), "{}", answer.reason);
    }
    let dotnet = world.client();
    let path = dotnet.package("f.nupkg", &Nupkg::new("Пакет", "1.0.0").bytes());
    dotnet
        .run(&["nuget", "push", &path.to_string_lossy(), "-s", &world.source(), "-k", &world.token])
        .fails()
        .says("400");
    // The path of an id that nobody can have is not there.
    let _ = world.get("v3/flatcontainer/%D0%9F/index.json").expect(404);
}

/// What the installed SDK is too old for, where the machine has a newer one of its own.
fn g_newer_dotnet() {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let Some(folder) = std::env::split_paths(&path).find(|folder| folder.join("dotnet").is_file()) else {
        skip("this machine has no dotnet of its own for e2e/dotnet/newer-sdk.sh");
    };
    let mut world = NugetWorld::start();
    world.gallery.add(&Nupkg::new("Public.Lib", "1.0.0"));
    world.publish(&Nupkg::new("Newer.Lib", "2.0.0-beta.1"));
    let mut client = Client::new(&world.server);
    client.set("PATH", &format!("{}:{}", folder.display(), path.to_string_lossy()));
    client.set("DOTNET_CLI_TELEMETRY_OPTOUT", "1");
    client.set("SOURCE", &world.source());
    client.set("TOKEN", &world.token);
    client.set("PUBLIC", "Public.Lib 1.0.0");
    client.write(
        "nuget.config",
        format!(
            "<configuration><packageSources><clear /><add key=\"larder\" value=\"{}\" \
             allowInsecureConnections=\"true\" /></packageSources><packageSourceCredentials><larder><add key=\"Username\" \
             value=\"aws\" /><add key=\"ClearTextPassword\" value=\"{}\" /></larder></packageSourceCredentials>\
             </configuration>",
            world.source(),
            world.token
        ),
    );
    client.write(
        "lib/lib.csproj",
        "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><TargetFramework>net8.0</TargetFramework>\
         <PackageId>Newer.Lib</PackageId><Version>1.0.0</Version></PropertyGroup></Project>",
    );
    let script = tools::repository().join("e2e/dotnet/newer-sdk.sh");
    let script = script.to_string_lossy().into_owned();
    client.system("bash").args([script]).limit(std::time::Duration::from_secs(600)).succeeds().says("all done");
}
