//! Every operation of the AWS side, driven by boto3: `e2e/boto3`.

use std::path::PathBuf;
use std::time::Duration;

use larder_e2e::World;
use larder_testkit::server::ACCOUNT;
use larder_testkit::{Client, Registry, tests, tools};
use serde_json::json;

tests![boto3_every_operation];

/// Where the table for the README goes; `cargo xtask` says where.
fn coverage(client: &Client) -> PathBuf {
    std::env::var_os("LARDER_COVERAGE").map_or_else(|| client.home().join("coverage.md"), PathBuf::from)
}

fn boto3_every_operation() {
    // So many package groups that their quota is met soon.
    let limits = "[limits]\npackage-groups-per-domain = 50\n";
    let world = World::with(Registry::start(), |builder| builder.configuration(limits));
    let nothing = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]});
    let nobody = world.server.create_user(ACCOUNT, "nobody", &nothing);
    let mut client = Client::new(&world.server);
    client.set("NOBODY_KEY_ID", &nobody.id);
    client.set("NOBODY_SECRET", &nobody.secret);
    client.set("COVERAGE", &coverage(&client).to_string_lossy());
    client.set("PYTHONDONTWRITEBYTECODE", "1");
    let script = tools::repository().join("e2e/boto3/main.py");
    let _ = client.program("boto3-python").arg(script).limit(Duration::from_secs(300)).succeeds();
}
