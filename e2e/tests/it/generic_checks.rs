//! Checks X-01 to X-18: generic packages with curl, wget, aria2c, the AWS CLI and raw requests.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use larder_e2e::World;
use larder_testkit::packages::sha256;
use larder_testkit::{Client, Request, Server, runner, tests};
use serde_json::{Value, json};

tests![
    x_01_upload_with_curl,
    x_02_the_same_again_and_other_bytes,
    x_03_wrong_checksum,
    x_04_too_large,
    x_05_finishing_with_the_aws_cli,
    x_06_reading_with_the_aws_cli,
    x_07_ranges_with_curl,
    x_07_ranges_with_aria2c,
    x_07_ranges_with_wget,
    x_08_names_round_trip,
    x_09_decomposed_names,
    x_10_dangerous_names,
    x_11_upload_without_length,
    x_12_client_killed_in_the_middle,
    x_13_parallel_uploads_to_one_version,
    x_14_parallel_uploads_of_one_asset,
    x_15_without_credentials,
    x_16_pages_are_downloaded,
    x_17_nothing_from_upstream,
    x_18_a_finished_version_is_sealed,
    generic_upload_in_pieces_with_curl,
    generic_upload_in_pieces_over_a_restart,
    generic_uploads_final_by_configuration,
];

/// `curl` with the token in `~/.netrc`, as build files have it.
fn curl_client(world: &World) -> Client {
    let client = Client::new(&world.server);
    client.write(".netrc", format!("machine 127.0.0.1 login aws password {}\n", world.token));
    // aria2 reads no other.
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(client.home().join(".netrc"), private).expect("a private file");
    client
}

fn url(world: &World, path: &str) -> String {
    format!("{}{path}", world.server.endpoint("generic", "my-repo"))
}

/// Runs `curl` and answers status and body.
fn curl(client: &Client, arguments: &[&str]) -> (u16, String) {
    let words = ["--netrc", "--silent", "--show-error", "--write-out", "\n%{http_code}"];
    let ran = client.system("curl").args(words).args(arguments.iter().copied()).ends();
    let (body, status) = ran.stdout.rsplit_once('\n').unwrap_or_else(|| panic!("curl said {ran:?}"));
    (status.parse().expect("a status"), body.to_owned())
}

fn request(world: &World, method: &str, path: &str) -> Request {
    let target = format!("{}/{path}", world.server.path("generic", "my-repo"));
    world.server.request(method, &target).token(&world.token)
}

fn put(world: &World, path: &str, body: impl Into<Vec<u8>>) -> larder_testkit::Response {
    request(world, "PUT", path).body(body).send()
}

/// Bytes that differ from place to place.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 7 + at / 251) % 256).unwrap_or(0)).collect()
}

/// Files that are being received.
fn staged(server: &Server) -> usize {
    let folder = server.data().join("storage/staging");
    fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).count()
}

fn wait_until_nothing_is_staged(server: &Server) {
    let started = Instant::now();
    while staged(server) > 0 {
        assert!(started.elapsed() < Duration::from_secs(10), "{} files are left in staging", staged(server));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Skips the test if the machine has no such program.
fn need(program: &str) {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&folders).any(|folder| folder.join(program).is_file()) {
        runner::skip(format!("{program}: not on this machine"));
    }
}

fn x_01_upload_with_curl() {
    let world = World::empty();
    let client = Client::new(&world.server);
    client.write("f", "content\n");
    let user = format!("aws:{}", world.token);
    let (status, body) = curl(&client, &["-T", "f", "-u", &user, &url(&world, "p/1.0/f")]);
    assert_eq!(status, 201, "{body}");
    let told: Value = serde_json::from_str(&body).expect("JSON");
    let sum = client.system("sha256sum").arg("f").succeeds();
    assert_eq!(told["asset"]["hashes"]["SHA-256"], sum.text().split(' ').next().unwrap_or_default());
    // curl appends the file's name to an address that ends with a slash, and sha256sum reads the list.
    client.write("g.txt", "more\n");
    assert_eq!(curl(&client, &["-T", "g.txt", "-u", &user, &url(&world, "p/1.0/")]).0, 201);
    let sums = curl(&client, &["-u", &user, &url(&world, "p/1.0/SHA256SUMS")]);
    client.write("SHA256SUMS", sums.1);
    let _ = client.system("sha256sum").args(["-c", "SHA256SUMS"]).succeeds().says("g.txt: OK");
}

fn x_02_the_same_again_and_other_bytes() {
    let world = World::empty();
    let client = curl_client(&world);
    client.write("f", "content\n");
    client.write("g", "other\n");
    let address = url(&world, "p/1.0/f");
    for (file, status) in [("f", 201), ("f", 200), ("g", 409), ("f", 200)] {
        let (found, body) = curl(&client, &["-T", file, &address]);
        assert_eq!(found, status, "{body}");
    }
    assert_eq!(curl(&client, &[&address]), (200, "content\n".to_owned()));
    assert_eq!(curl(&client, &["-T", "f", "-H", "If-None-Match: *", &address]).0, 412);
}

fn x_03_wrong_checksum() {
    let world = World::empty();
    let client = curl_client(&world);
    client.write("f", "content\n");
    let wrong = format!("X-Checksum-Sha256: {}", "0".repeat(64));
    let (status, body) = curl(&client, &["-T", "f", "-H", &wrong, &url(&world, "p/1.0/f")]);
    assert_eq!(status, 400);
    assert!(body.contains("SHA-256 does not match"), "{body}");
    assert_eq!(curl(&client, &[&url(&world, "p/1.0/f")]).0, 404);
    assert_eq!(curl(&client, &[&url(&world, "p/1.0/")]).0, 404);
    wait_until_nothing_is_staged(&world.server);
    let right = format!("X-Checksum-Sha256: {}", sha256(b"content\n"));
    assert_eq!(curl(&client, &["-T", "f", "-H", &right, &url(&world, "p/1.0/f")]).0, 201);
}

fn x_04_too_large() {
    let world = World::empty();
    let client = curl_client(&world);
    let _ = client.system("truncate").args(["-s", "6G", "large"]).succeeds();
    let started = Instant::now();
    let words = ["--silent", "--netrc", "-o", "answer", "-w", "%{http_code} %{size_upload}", "-T", "large"];
    let ran = client.system("curl").args(words).arg(url(&world, "p/1.0/large")).ends();
    // curl waits for a go-ahead, so that not a byte is sent for nothing.
    assert_eq!(ran.stdout, "413 0", "{ran:?}");
    assert!(client.read("answer").contains("at most 5368709120 bytes"));
    assert!(started.elapsed() < Duration::from_secs(5));
    wait_until_nothing_is_staged(&world.server);
}

fn publish_with_aws(client: &Client, file: &str, more: &[&str]) -> larder_testkit::Ran {
    let content = fs::read(client.home().join(file)).expect("the file");
    let words = [
        "codeartifact",
        "publish-package-version",
        "--domain",
        "my-domain",
        "--repository",
        "my-repo",
        "--format",
        "generic",
        "--namespace",
        "team",
        "--package",
        "tool",
        "--package-version",
        "1.0",
        "--asset-name",
        file,
        "--asset-content",
        file,
        "--asset-sha256",
        &sha256(&content),
    ];
    client.program("aws").args(words).args(more.iter().copied()).ends()
}

fn x_05_finishing_with_the_aws_cli() {
    let world = World::empty();
    let client = curl_client(&world);
    for name in ["a", "b", "c", "d"] {
        client.write(name, format!("content of {name}\n"));
    }
    for (name, more, status) in [("a", "--unfinished", "Unfinished"), ("b", "--unfinished", "Unfinished")] {
        let ran = publish_with_aws(&client, name, &[more]);
        assert!(ran.success, "{ran:?}");
        ran.says(&format!("\"status\": \"{status}\""));
    }
    // The tree has it already, and adds to it.
    assert_eq!(curl(&client, &[&url(&world, "team/tool/1.0/a")]), (200, "content of a\n".to_owned()));
    publish_with_aws(&client, "c", &["--no-unfinished"]).says("\"status\": \"Published\"");
    let ran = publish_with_aws(&client, "d", &[]);
    assert!(!ran.success);
    ran.says("ConflictException");
    assert_eq!(curl(&client, &["-T", "d", &url(&world, "team/tool/1.0/d")]).0, 409);
}

fn x_06_reading_with_the_aws_cli() {
    let world = World::empty();
    let client = curl_client(&world);
    let content = bytes(3 << 20);
    client.write("blob", &content);
    assert_eq!(curl(&client, &["-T", "blob", &url(&world, "team/tool/1.0/blob?unfinished=false")]).0, 201);
    let words = [
        "codeartifact",
        "get-package-version-asset",
        "--domain",
        "my-domain",
        "--repository",
        "my-repo",
        "--format",
        "generic",
        "--namespace",
        "team",
        "--package",
        "tool",
        "--package-version",
        "1.0",
        "--asset",
        "blob",
        "out",
    ];
    let _ = client.program("aws").args(words).succeeds();
    assert!(fs::read(client.home().join("out")).expect("the file") == content);
    // A package without namespace has the namespace `_` there.
    assert_eq!(curl(&client, &["-T", "blob", &url(&world, "tool/1.0/blob?unfinished=false")]).0, 201);
    let words = words.map(|word| if word == "team" { "_" } else { word });
    let _ = client.program("aws").args(words).succeeds();
}

/// Puts a large asset and answers its bytes.
fn large_asset(world: &World) -> Vec<u8> {
    let content = bytes((5 << 20) + 17);
    let _ = put(world, "p/1.0/large.bin", content.clone()).expect(201);
    content
}

fn x_07_ranges_with_curl() {
    let world = World::empty();
    let client = curl_client(&world);
    let content = large_asset(&world);
    client.write("out", &content[..1 << 20]);
    let (status, _) = curl(&client, &["-C", "-", "-o", "out", &url(&world, "p/1.0/large.bin")]);
    assert_eq!(status, 206);
    assert!(fs::read(client.home().join("out")).expect("the file") == content);
    let (status, _) = curl(&client, &["-r", "-17", "-o", "end", &url(&world, "p/1.0/large.bin")]);
    assert_eq!(status, 206);
    assert!(fs::read(client.home().join("end")).expect("the file") == content[content.len() - 17..]);
    assert_eq!(curl(&client, &["-r", "9999999-", &url(&world, "p/1.0/large.bin")]).0, 416);
}

fn x_07_ranges_with_aria2c() {
    need("aria2c");
    let world = World::empty();
    let client = curl_client(&world);
    let content = large_asset(&world);
    let words = ["-x8", "-s8", "-k1M", "-o", "out", "--http-auth-challenge=true"];
    let _ = client.system("aria2c").args(words).arg(url(&world, "p/1.0/large.bin")).succeeds();
    assert!(fs::read(client.home().join("out")).expect("the file") == content);
}

fn x_07_ranges_with_wget() {
    need("wget");
    let world = World::empty();
    let client = curl_client(&world);
    let content = large_asset(&world);
    client.write("large.bin", &content[..1 << 20]);
    let ran = client.system("wget").args(["-c", "--no-verbose"]).arg(url(&world, "p/1.0/large.bin")).succeeds();
    assert!(fs::read(client.home().join("large.bin")).expect("the file") == content, "{ran:?}");
}

fn x_08_names_round_trip() {
    let world = World::empty();
    let client = curl_client(&world);
    client.write("f", "content\n");
    // 255 bytes, and characters of one to four bytes.
    let long = format!("{}.tgz", "é".repeat(125)) + "x";
    for name in ["a b", "a+b", "a~b", "café", "数据.tar.gz", "a&b", "{a}[b](c);d", "𝒳", "a!@^,b", &*long] {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let (status, body) = curl(&client, &["-g", "-T", "f", &url(&world, &format!("p/1.0/{encoded}"))]);
        assert_eq!(status, 201, "{name}: {body}");
        let told: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(told["asset"]["name"], name);
        // The address that the server tells leads there too.
        let address = told["asset"]["url"].as_str().expect("an address");
        for address in [url(&world, &format!("p/1.0/{encoded}")), address.to_owned()] {
            assert_eq!(curl(&client, &["-g", &address]), (200, "content\n".to_owned()), "{address}");
        }
    }
    let list: Value = serde_json::from_str(&curl(&client, &[&url(&world, "p/1.0/")]).1).expect("JSON");
    assert_eq!(list["assets"].as_array().map(Vec::len), Some(10));
}

fn x_09_decomposed_names() {
    let world = World::empty();
    for path in ["p/1.0/cafe%CC%81", "cafe%CC%81/1.0/f", "p/1.e%CC%81/f", "p/1.0/%E2%84%AB"] {
        let answer = put(&world, path, "x").expect(400);
        assert!(answer.text().contains("NFC"), "{}", answer.text());
    }
}

fn x_10_dangerous_names() {
    let world = World::empty();
    for name in [
        "..",
        "%2e%2e",
        "%2E%2E%2Fetc",
        "a%2fb",
        "a%5Cb",
        "a\\b",
        "a%00",
        "a.",
        "a%20",
        "%20a",
        "%252e%252e",
        "a;b",
        "%ff",
    ] {
        let answer = put(&world, &format!("p/1.0/{name}"), "x");
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
    }
    let _ = request(&world, "GET", "p/1.0/").send().expect(404);
}

fn x_11_upload_without_length() {
    let world = World::empty();
    let client = curl_client(&world);
    let script = format!("printf 'in pieces' | curl --netrc -fsS -T - '{}'", url(&world, "p/1.0/f"));
    let _ = client.shell(&script).succeeds();
    assert_eq!(curl(&client, &[&url(&world, "p/1.0/f")]), (200, "in pieces".to_owned()));
}

fn x_12_client_killed_in_the_middle() {
    let world = World::empty();
    let mut stream = request(&world, "PUT", "p/1.0/f").lying_about_its_length("1000000").open().expect("a connection");
    stream.write_all(&bytes(500_000)).expect("half of it");
    let started = Instant::now();
    while staged(&world.server) == 0 {
        assert!(started.elapsed() < Duration::from_secs(10), "nothing arrives");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(stream);
    wait_until_nothing_is_staged(&world.server);
    let _ = request(&world, "GET", "p/1.0/f").send().expect(404);
}

/// Sends uploads at once and answers their statuses.
fn at_once(world: &World, uploads: &[(String, Vec<u8>)]) -> Vec<u16> {
    std::thread::scope(|scope| {
        let running: Vec<_> =
            uploads.iter().map(|(path, body)| scope.spawn(move || put(world, path, body.clone()).status)).collect();
        running.into_iter().map(|upload| upload.join().expect("an answer")).collect()
    })
}

fn x_13_parallel_uploads_to_one_version() {
    let world = World::empty();
    let uploads: Vec<_> = (0..50).map(|at| (format!("p/1.0/f{at:02}"), bytes(1000 + at))).collect();
    let statuses = at_once(&world, &uploads);
    assert!(statuses.iter().all(|status| *status == 201), "{statuses:?}");
    let list = request(&world, "GET", "p/1.0/").send().expect(200).json();
    let names: Vec<_> = list["assets"].as_array().expect("assets").iter().map(|asset| asset["name"].clone()).collect();
    assert_eq!(names, (0..50).map(|at| json!(format!("f{at:02}"))).collect::<Vec<_>>());
}

fn x_14_parallel_uploads_of_one_asset() {
    let world = World::empty();
    let uploads: Vec<_> = (0..20).map(|at| ("p/1.0/f".to_owned(), format!("content {at}").into_bytes())).collect();
    let statuses = at_once(&world, &uploads);
    let count = |status| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(201), count(409)), (1, 19), "{statuses:?}");
    let winner = statuses.iter().position(|status| *status == 201).expect("one of them");
    assert_eq!(request(&world, "GET", "p/1.0/f").send().expect(200).body, uploads[winner].1);
}

fn x_15_without_credentials() {
    let world = World::empty();
    let _ = put(&world, "p/1.0/f", "x").expect(201);
    let target = format!("{}/p/1.0/f", world.server.path("generic", "my-repo"));
    for method in ["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH"] {
        let answer = world.server.request(method, &target).send().expect(401);
        assert!(answer.need_header("www-authenticate").starts_with("Basic "), "{answer:?}");
    }
}

fn x_16_pages_are_downloaded() {
    let world = World::empty();
    let _ = request(&world, "PUT", "p/1.0/page.html")
        .header("content-type", "text/html")
        .body("<script>alert(1)</script>")
        .send()
        .expect(201);
    let answer = request(&world, "GET", "p/1.0/page.html").header("accept", "text/html").send().expect(200);
    assert_eq!(answer.need_header("content-type"), "application/octet-stream");
    assert_eq!(answer.need_header("content-disposition"), "attachment; filename=\"page.html\"");
    assert_eq!(answer.need_header("x-content-type-options"), "nosniff");
    let _ = put(&world, "p/1.0/%3Ca%3E", "x").expect(400);
    let list = request(&world, "GET", "p/1.0/").header("accept", "text/html").send().expect(200);
    assert!(list.need_header("content-security-policy").contains("default-src 'none'"));
}

fn x_17_nothing_from_upstream() {
    let world = World::empty();
    // `npm-store` is an upstream of `my-repo`.
    let target = format!("{}/p/1.0/f?unfinished=false", world.server.path("generic", "npm-store"));
    let _ = world.server.request("PUT", &target).token(&world.token).body("x").send().expect(201);
    world.registry.forget();
    for path in ["p/1.0/f", "p/1.0/", "p/latest/f", "p/1.0/SHA256SUMS"] {
        let _ = request(&world, "GET", path).send().expect(404);
    }
    assert_eq!(world.registry.count(""), 0);
    // The same version may be published here with other bytes.
    let _ = put(&world, "p/1.0/f", "y").expect(201);
}

fn x_18_a_finished_version_is_sealed() {
    let world = World::empty();
    let client = curl_client(&world);
    client.write("f", "content\n");
    assert_eq!(curl(&client, &["-T", "f", &url(&world, "p/1.0/f")]).0, 201);
    assert_eq!(curl(&client, &["-X", "POST", &url(&world, "p/1.0/?finish")]).0, 200);
    let (status, body) = curl(&client, &["-T", "f", &url(&world, "p/1.0/g")]);
    assert_eq!(status, 409);
    assert!(body.contains("takes no more assets"), "{body}");
    let (status, _) = curl(&client, &["-L", "-o", "out", &url(&world, "p/latest/f")]);
    assert_eq!((status, client.read("out")), (200, "content\n".to_owned()));
}

/// The pieces of a file as `split` makes them.
fn pieces(client: &Client, content: &[u8]) -> Vec<String> {
    client.write("whole", content);
    let _ = client.system("split").args(["-b", "1M", "-d", "whole", "piece"]).succeeds();
    let count = content.len().div_ceil(1 << 20);
    (0..count).map(|at| format!("piece{at:02}")).collect()
}

fn begin_upload(client: &Client, address: &str) -> String {
    let words = ["--netrc", "-fsS", "-o", "/dev/null", "-w", "%header{location}", "-X", "POST"];
    client.system("curl").args(words).arg(format!("{address}?uploads")).succeeds().text().to_owned()
}

fn append(client: &Client, upload: &str, piece: &str, first: usize) -> u16 {
    let length = fs::metadata(client.home().join(piece)).expect("a piece").len();
    let range = format!("Content-Range: bytes {first}-{}/*", first as u64 + length - 1);
    curl(client, &["-X", "PATCH", "--data-binary", &format!("@{piece}"), "-H", &range, upload]).0
}

fn generic_upload_in_pieces_with_curl() {
    let world = World::empty();
    let client = curl_client(&world);
    let content = bytes((3 << 20) + 5);
    let pieces = pieces(&client, &content);
    let address = url(&world, "team/tool/1.0/large.bin");
    let upload = begin_upload(&client, &address);
    assert_eq!(append(&client, &upload, &pieces[0], 0), 202);
    assert_eq!(append(&client, &upload, &pieces[0], 0), 416);
    for (at, piece) in pieces.iter().enumerate().skip(1) {
        assert_eq!(append(&client, &upload, piece, at << 20), 202);
    }
    let end = format!("{upload}&digest=sha256:{}", sha256(&content));
    assert_eq!(curl(&client, &["-X", "PUT", &end]).0, 201);
    assert_eq!(curl(&client, &["-o", "out", &address]).0, 200);
    assert!(fs::read(client.home().join("out")).expect("the file") == content);
    // Another user does not see an upload that is not theirs.
    let policy = json!({"Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let key = world.server.create_user(larder_testkit::server::ACCOUNT, "other", &policy);
    let token = world.server.token_of(&key, "my-domain");
    let upload = begin_upload(&client, &url(&world, "team/tool/1.0/b"));
    let target = upload.trim_start_matches(world.server.base_url());
    let _ = world.server.request("PATCH", target).token(&token).body("x").send().expect(404);
    let _ = world.server.request("PATCH", target).token(&world.token).body("x").send().expect(202);
}

fn generic_upload_in_pieces_over_a_restart() {
    let world = World::empty();
    let client = curl_client(&world);
    let upload = begin_upload(&client, &url(&world, "p/1.0/f"));
    client.write("piece", "some bytes");
    assert_eq!(append(&client, &upload, "piece", 0), 202);
    let target = upload.trim_start_matches(world.server.base_url()).to_owned();
    let world = world.restarted();
    let ask = |method: &str, target: &str| world.server.request(method, target).token(&world.token);
    // Nobody else finds it, nor does it go on as another asset.
    let _ = ask("PATCH", &target.replace("/f?", "/g?")).body("x").send().expect(404);
    assert_eq!(ask("HEAD", &target).send().expect(204).need_header("upload-offset"), "10");
    let _ = ask("PATCH", &target).header("content-range", "bytes 10-14/*").body(" more").send().expect(202);
    let end = format!("{target}&digest=sha256:{}", sha256(b"some bytes more"));
    let _ = ask("PUT", &end).send().expect(201);
    let _ = ask("HEAD", &target).send().expect(404);
    wait_until_nothing_is_staged(&world.server);
}

fn generic_uploads_final_by_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("larder.toml");
    fs::write(&file, "[generic]\nfinal-uploads = true\n").expect("a file");
    let configured = |path: &Path| path.to_string_lossy().into_owned();
    let world = World::with(larder_testkit::Registry::start(), |builder| {
        builder.argument("--config").argument(configured(&file))
    });
    assert_eq!(put(&world, "p/1.0/f", "x").expect(201).json()["status"], "Published");
    let _ = put(&world, "p/1.0/g", "x").expect(409);
}
