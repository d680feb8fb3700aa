//! Checks P-02 to P-26 with uv, poetry, flit, hatch, pdm and devpi.

use larder_e2e::{World, virtual_environment};
use larder_testkit::packages::{PythonPackage, sha256};
use larder_testkit::{Client, tests, tools};
use serde_json::json;

tests![
    p_02_uv_publish,
    p_02_poetry_publish,
    p_02_flit_publish,
    p_02_hatch_publish,
    p_02_pdm_publish,
    p_07_uv_install_lock_and_sync,
    p_11_uv_reads_a_wheel_without_metadata_by_ranges,
    p_18_poetry_add_lock_and_install,
    p_26_devpi_mirror,
    p_26_legacy_json,
];

/// A project folder whose `pyproject.toml` names a build backend.
fn project(client: &Client, name: &str, backend: &str, requires: &str) -> std::path::PathBuf {
    let folder = client.folder(name);
    let pyproject = format!(
        "[build-system]\nrequires = [\"{requires}\"]\nbuild-backend = \"{backend}\"\n\n\
         [project]\nname = \"{name}\"\nversion = \"1.0\"\ndescription = \"the project {name}\"\n\
         requires-python = \">=3.8\"\nauthors = [{{name = \"A\", email = \"a@example.com\"}}]\n"
    );
    client.write(&format!("{name}/pyproject.toml"), pyproject);
    client.write(&format!("{name}/{}.py", name.replace('-', "_")), "\"\"\"A module.\"\"\"\n__version__ = \"1.0\"\n");
    folder
}

fn both_files_are_there(world: &World, name: &str) {
    let page = world.page(name);
    assert_eq!(page["files"].as_array().map(Vec::len), Some(2), "{page}");
}

fn p_02_uv_publish() {
    let world = World::empty();
    let client = world.python_client();
    PythonPackage::new("from-uv", "1.0").write_dist(&client.folder("dist"));
    let endpoint = world.server.endpoint("pypi", "my-repo");
    let arguments = ["publish", "--publish-url", &endpoint, "--username", "aws", "--password", &world.token];
    let _ = client.program("uv").args(arguments).succeeds();
    both_files_are_there(&world, "from-uv");
    let check = format!("{endpoint}simple/").replace("http://", &format!("http://aws:{}@", world.token));
    let _ = client.program("uv").args(arguments).args(["--check-url", &check]).succeeds();
}

fn p_02_poetry_publish() {
    let world = World::recorded();
    let mut client = world.python_client();
    let folder = project(&client, "from-poetry", "poetry.core.masonry.api", "poetry-core");
    client.set("POETRY_REPOSITORIES_LARDER_URL", &world.server.endpoint("pypi", "my-repo"));
    client.set("POETRY_HTTP_BASIC_LARDER_USERNAME", "aws");
    client.set("POETRY_HTTP_BASIC_LARDER_PASSWORD", &world.token);
    PythonPackage::new("from-poetry", "1.0").write_dist(&folder.join("dist"));
    let _ = client.program("poetry").args(["publish", "--repository", "larder"]).in_folder(&folder).succeeds();
    both_files_are_there(&world, "from-poetry");
}

fn p_02_flit_publish() {
    let world = World::empty();
    let mut client = world.python_client();
    let folder = project(&client, "from-flit", "flit_core.buildapi", "flit_core");
    client.set("FLIT_INDEX_URL", &world.server.endpoint("pypi", "my-repo"));
    client.set("FLIT_USERNAME", "aws");
    client.set("FLIT_PASSWORD", &world.token);
    client.set("FLIT_ALLOW_INVALID", "1");
    let _ = client.program("flit").args(["publish", "--no-use-vcs"]).in_folder(&folder).succeeds();
    both_files_are_there(&world, "from-flit");
}

fn p_02_hatch_publish() {
    let world = World::empty();
    let mut client = world.python_client();
    PythonPackage::new("from-hatch", "1.0").write_dist(&client.folder("from-hatch/dist"));
    let folder = project(&client, "from-hatch", "hatchling.build", "hatchling");
    client.set("HATCH_INDEX_REPO", &world.server.endpoint("pypi", "my-repo"));
    client.set("HATCH_INDEX_USER", "aws");
    client.set("HATCH_INDEX_AUTH", &world.token);
    let _ = client.program("hatch").args(["publish", "--no-prompt"]).in_folder(&folder).succeeds();
    both_files_are_there(&world, "from-hatch");
}

fn p_02_pdm_publish() {
    let world = World::empty();
    let client = world.python_client();
    PythonPackage::new("from-pdm", "1.0").write_dist(&client.folder("from-pdm/dist"));
    let folder = project(&client, "from-pdm", "pdm.backend", "pdm-backend");
    let endpoint = world.server.endpoint("pypi", "my-repo");
    let arguments =
        ["publish", "--no-build", "--repository", &endpoint, "--username", "aws", "--password", &world.token];
    let _ = client.program("pdm").args(arguments).in_folder(&folder).succeeds();
    both_files_are_there(&world, "from-pdm");
}

fn p_07_uv_install_lock_and_sync() {
    let world = World::recorded();
    let client = world.python_client();
    let package = PythonPackage::new("private-lib", "1.0").with("Requires-Dist", "six>=1.17");
    let _ = world.upload(&package, &package.wheel()).expect(200);
    let python = virtual_environment(&client, "venv");
    let _ = client.program("uv").args(["pip", "install", "--python", &python, "private-lib"]).succeeds();
    let _ = client.system(&python).args(["-c", "import private_lib, six"]).succeeds();

    client.write(
        "app/pyproject.toml",
        "[project]\nname = \"app\"\nversion = \"1.0\"\nrequires-python = \">=3.8\"\ndependencies = [\"private-lib\"]\n",
    );
    let app = client.home().join("app");
    let _ = client.program("uv").arg("lock").in_folder(&app).succeeds();
    let lock = client.read("app/uv.lock");
    let wheel = package.wheel();
    assert!(lock.contains(&format!("hash = \"sha256:{}\"", sha256(&wheel.bytes))), "{lock}");
    assert!(lock.contains(&format!("size = {}", wheel.bytes.len())) && lock.contains("upload-time"), "{lock}");
    assert!(!lock.contains(&world.token), "the lock file holds the token");
    let _ = client.program("uv").args(["sync", "--locked"]).in_folder(&app).succeeds();
}

/// Without the sibling file uv asks for the end of the wheel only.
fn p_11_uv_reads_a_wheel_without_metadata_by_ranges() {
    let world = World::empty();
    let client = world.python_client();
    let package = PythonPackage::new("bare", "1.0").file("big.bin", vec![1_u8; 500_000]);
    world.registry.add_python(&package, &package.wheel());
    world.registry.change_python("bare", &package.wheel().name, "core-metadata", &json!(false));
    let python = virtual_environment(&client, "venv");
    client.write("requirements.in", "bare\n");
    let ran = client.program("uv").args(["pip", "compile", "--python", &python, "requirements.in", "-v"]).succeeds();
    ran.says("bare==1.0");
}

fn p_18_poetry_add_lock_and_install() {
    let world = World::recorded();
    let mut client = world.python_client();
    let package = PythonPackage::new("private-lib", "1.0");
    let _ = world.upload(&package, &package.wheel()).expect(200);
    client.set("POETRY_HTTP_BASIC_LARDER_USERNAME", "aws");
    client.set("POETRY_HTTP_BASIC_LARDER_PASSWORD", &world.token);
    let source = world.server.endpoint("pypi", "my-repo");
    let pyproject = format!(
        "[project]\nname = \"app\"\nversion = \"1.0\"\nrequires-python = \">=3.11,<4\"\ndependencies = []\n\n\
         [tool.poetry]\npackage-mode = false\n\n\
         [[tool.poetry.source]]\nname = \"larder\"\nurl = \"{source}simple/\"\npriority = \"primary\"\n\n\
         [[tool.poetry.source]]\nname = \"explicit\"\nurl = \"{source}simple/\"\npriority = \"explicit\"\n"
    );
    client.write("app/pyproject.toml", pyproject);
    client.set("POETRY_HTTP_BASIC_EXPLICIT_USERNAME", "aws");
    client.set("POETRY_HTTP_BASIC_EXPLICIT_PASSWORD", &world.token);
    let app = client.home().join("app");
    let poetry =
        |arguments: &[&str]| client.program("poetry").args(arguments.iter().copied()).in_folder(&app).succeeds();
    let _ = poetry(&["add", "six==1.17.0"]);
    let _ = poetry(&["add", "--source", "explicit", "private-lib"]);
    let lock = client.read("app/poetry.lock");
    assert!(lock.contains(&format!("sha256:{}", sha256(&package.wheel().bytes))), "{lock}");
    let _ = poetry(&["install"]);
    let python = app.join(".venv/bin/python");
    let _ = client.system(&python.to_string_lossy()).args(["-c", "import private_lib, six"]).succeeds();
}

/// devpi keeps a mirror of the repository, and pip installs from the mirror.
fn p_26_devpi_mirror() {
    let world = World::empty();
    let client = world.python_client();
    let package = PythonPackage::new("mirrored", "1.0");
    for file in [package.wheel(), package.sdist()] {
        let _ = world.upload(&package, &file).expect(200);
    }
    for program in ["devpi-server", "devpi-init", "devpi", "pip"] {
        let _ = tools::need(program);
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let script = format!(
        "devpi-init --serverdir data --root-passwd {user}\n\
         devpi-server --serverdir data --host 127.0.0.1 --port {port} > server.log 2>&1 &\n\
         trap \"kill $!\" EXIT\n\
         until (echo > /dev/tcp/127.0.0.1/{port}) 2> /dev/null; do sleep 0.1; done\n\
         devpi use http://127.0.0.1:{port}\n\
         devpi login {user} --password={user}\n\
         devpi index -c {user}/copy type=mirror 'mirror_url={}'\n\
         pip download --dest got --no-cache-dir --index-url http://127.0.0.1:{port}/{user}/copy/+simple/ mirrored==1.0\n",
        world.index_url(),
        user = "root"
    );
    let _ = client.shell(&script).succeeds();
    let got = std::fs::read(client.home().join("got").join(package.wheel().name)).expect("the wheel");
    assert_eq!(sha256(&got), sha256(&package.wheel().bytes));
}

/// What a mirror that wants the legacy JSON API reads: bandersnatch does, and takes only files below `/packages/`.
fn p_26_legacy_json() {
    let world = World::empty();
    let package = PythonPackage::new("mirrored", "1.0");
    for file in [package.wheel(), package.sdist()] {
        let _ = world.upload(&package, &file).expect(200);
    }
    let document = world.pypi("GET", "pypi/mirrored/json").send().expect(200).json();
    let urls = document["urls"].as_array().expect("files");
    assert_eq!(urls.len(), 2, "{document}");
    for file in urls {
        let url = file["url"].as_str().expect("a URL");
        let path = url.split_once("/pypi/my-repo/").map_or(url, |(_, path)| path);
        let body = world.pypi("GET", path).send().expect(200).body;
        assert_eq!(file["digests"]["sha256"], sha256(&body));
    }
}
