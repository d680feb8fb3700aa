//! IAM in its own protocol: boto3 calls every operation, and the AWS CLI administers a team.

use std::time::Duration;

use larder_e2e::roles::aws;
use larder_testkit::server::ACCOUNT;
use larder_testkit::{Client, Server, tests, tools};
use serde_json::json;

tests![iam_every_operation_and_error_by_botocore, iam_the_cli_administers_a_team];

fn iam_every_operation_and_error_by_botocore() {
    let server = Server::start();
    let nothing = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]});
    let nobody = server.create_user(ACCOUNT, "nobody", &nothing);
    let mut client = Client::new(&server);
    client.set("ACCOUNT", ACCOUNT);
    client.set("NOBODY_KEY_ID", &nobody.id);
    client.set("NOBODY_SECRET", &nobody.secret);
    client.set("PYTHONDONTWRITEBYTECODE", "1");
    let script = tools::repository().join("e2e/boto3/iam.py");
    let _ = client.program("boto3-python").arg(script).limit(Duration::from_secs(300)).succeeds();
}

fn iam_the_cli_administers_a_team() {
    let server = Server::start();
    let admin = Client::new(&server);
    let policy = |action: &str| {
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
        json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    };
    admin.write("read.json", policy("codeartifact:DescribeDomain"));
    admin.write("more.json", policy("codeartifact:*"));
    let file = |name: &str| format!("file://{}", admin.home().join(name).display());

    // A person in a group that a policy is attached to.
    let user = aws(&admin, "iam create-user --user-name alice --tags Key=team,Value=web");
    assert_eq!(user["User"]["Arn"], format!("arn:aws:iam::{ACCOUNT}:user/alice"));
    let _ = aws(&admin, "iam create-group --group-name readers");
    let made = aws(&admin, &format!("iam create-policy --policy-name read --policy-document {}", file("read.json")));
    let arn = made["Policy"]["Arn"].as_str().expect("an ARN").to_owned();
    let key = aws(&admin, "iam create-access-key --user-name alice");
    let mut alice = Client::new(&server);
    alice.set("AWS_ACCESS_KEY_ID", key["AccessKey"]["AccessKeyId"].as_str().expect("an id"));
    alice.set("AWS_SECRET_ACCESS_KEY", key["AccessKey"]["SecretAccessKey"].as_str().expect("a secret"));
    let describe = ["codeartifact", "describe-domain", "--domain", "my-domain"];
    let denied = || {
        let _ = alice.program("aws").args(describe).fails().says("AccessDeniedException");
    };
    let allowed = || {
        let _ = alice.program("aws").args(describe).succeeds();
    };

    // Each step counts from the next request on.
    denied();
    let _ = aws(&admin, &format!("iam attach-group-policy --group-name readers --policy-arn {arn}"));
    denied();
    let _ = aws(&admin, "iam add-user-to-group --group-name readers --user-name alice");
    allowed();
    let create = ["codeartifact", "create-domain", "--domain", "another"];
    let _ = alice.program("aws").args(create).fails().says("AccessDeniedException");
    let version = format!("iam create-policy-version --policy-arn {arn} --set-as-default --policy-document ");
    let _ = aws(&admin, &(version + &file("more.json")));
    let _ = alice.program("aws").args(create).succeeds();
    let _ = aws(&admin, &format!("iam set-default-policy-version --policy-arn {arn} --version-id v1"));
    allowed();
    let entities = aws(&admin, &format!("iam list-entities-for-policy --policy-arn {arn}"));
    assert_eq!(entities["PolicyGroups"][0]["GroupName"], "readers");
    let _ = aws(&admin, &format!("iam detach-group-policy --group-name readers --policy-arn {arn}"));
    denied();

    // She may not give herself rights.
    let take = ["iam", "attach-user-policy", "--user-name", "alice", "--policy-arn"];
    let all = "arn:aws:iam::aws:policy/AdministratorAccess";
    let _ = alice.program("aws").args(take).arg(all).fails().says("AccessDenied");
    let _ = alice.program("aws").args(["iam", "get-user"]).fails().says("AccessDenied");

    // Documents come back as JSON, whatever the wire has.
    let inline =
        format!("iam put-user-policy --user-name alice --policy-name own --policy-document {}", file("read.json"));
    let _ = aws(&admin, &inline);
    let found = aws(&admin, "iam get-user-policy --user-name alice --policy-name own");
    assert_eq!(found["PolicyDocument"]["Statement"][0]["Action"], "codeartifact:DescribeDomain");
    allowed();
    admin.program("aws").args("iam delete-user --user-name alice".split(' ')).fails().says("DeleteConflict");
    let _ = aws(&admin, "iam delete-user-policy --user-name alice --policy-name own");
    let _ = aws(&admin, "iam remove-user-from-group --group-name readers --user-name alice");
    let id = key["AccessKey"]["AccessKeyId"].as_str().expect("an id");
    let _ = aws(&admin, &format!("iam delete-access-key --user-name alice --access-key-id {id}"));
    let _ = alice.program("aws").args(describe).fails().says("UnrecognizedClientException");
    let _ = aws(&admin, "iam delete-user --user-name alice");
    let _ = aws(&admin, "iam delete-group --group-name readers");
    let left = aws(&admin, "iam list-users");
    assert_eq!(left["Users"].as_array().map(Vec::len), Some(1), "{left}");
}
