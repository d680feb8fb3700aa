//! Sharing between accounts (reference 5.6), row by row with the AWS CLI and its profiles: a domain of account A, a
//! repository in it that account B administers, and account C, which reads.

use larder_e2e::World;
use larder_e2e::roles::allow;
use larder_testkit::packages::NpmPackage;
use larder_testkit::server::{ACCOUNT, succeeds};
use larder_testkit::{Client, Server, tests};
use serde_json::{Value, json};

tests![sharing_every_rule_with_the_cli, sharing_from_domain_to_reader];

const B: &str = "222233334444";
const C: &str = "333344445555";
/// The domain, as others have to name it.
const DOMAIN: &str = "--domain my-domain --domain-owner 111122223333";

/// Three accounts on one server and a home whose profiles are their users.
struct Accounts {
    world: World,
    client: Client,
}

impl Accounts {
    fn start() -> Self {
        let world = World::empty();
        for account in [B, C] {
            let _ = succeeds(&world.server.larder(&["account", "create", account]));
        }
        let everything = allow(&["*"]);
        let nothing = allow(&["codeartifact:DescribePackage"]);
        let keys = [
            ("a", world.server.admin_key()),
            ("a-plain", world.server.create_user(ACCOUNT, "plain", &nothing)),
            ("b", world.server.create_user(B, "bea", &everything)),
            ("c", world.server.create_user(C, "cleo", &everything)),
            ("c-other", world.server.create_user(C, "other", &everything)),
            ("c-plain", world.server.create_user(C, "plain", &nothing)),
        ];
        let client = Client::unconfigured();
        let (mut config, mut credentials) = (String::new(), String::new());
        for (profile, key) in keys {
            config += &format!("[profile {profile}]\nregion = us-east-1\nendpoint_url = {}\n", world.server.base_url());
            credentials +=
                &format!("[{profile}]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret);
        }
        client.write(".aws/config", config);
        client.write(".aws/credentials", credentials);
        Self { world, client }
    }

    /// Whether a profile may do it. Refusals are CodeArtifact's; any other failure fails the test.
    fn may(&self, profile: &str, command: &str) -> bool {
        let arguments = command.split(' ').chain(["--profile", profile]);
        let ran = self.client.program("aws").arg("codeartifact").args(arguments).ends();
        if !ran.success {
            assert!(ran.all().contains("AccessDeniedException"), "{profile}: {command}: {}", ran.all());
        }
        ran.success
    }

    /// Checks rows: a profile, what it does, and whether it may.
    fn check(&self, situation: &str, rows: &[(&str, &str, bool)]) {
        for (profile, command, expected) in rows {
            assert_eq!(self.may(profile, command), *expected, "{situation}: {profile}: {command}");
        }
    }

    fn put_domain_policy(&self, statements: &Value) {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let body = json!({"domain": "my-domain", "policyDocument": policy});
        let _ = self.world.server.call("PUT", "/v1/domain/permissions/policy", &body).expect(200);
    }

    /// As the domain's owner, who may do everything in it.
    fn put_repository_policy(&self, repository: &str, statements: &Value) {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let target = format!("/v1/repository/permissions/policy?domain=my-domain&repository={repository}");
        let _ = self.world.server.call("PUT", &target, &json!({"policyDocument": policy})).expect(200);
    }
}

fn to(principal: &str, actions: &[&str]) -> Value {
    let actions: Vec<String> = actions.iter().map(|action| format!("codeartifact:{action}")).collect();
    json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*"})
}

fn all_of(account: &str) -> String {
    format!("arn:aws:iam::{account}:root")
}

fn sharing_every_rule_with_the_cli() {
    let accounts = Accounts::start();
    let describe_domain = &format!("describe-domain {DOMAIN}");
    let token = &format!("get-authorization-token {DOMAIN}");
    let describe = &format!("describe-repository {DOMAIN} --repository b-repo");
    let packages = &format!("list-packages {DOMAIN} --repository b-repo");
    let create = |name: &str| format!("create-repository {DOMAIN} --repository {name}");

    accounts.check(
        "nothing is shared: an identity policy opens nothing of another account, a resource policy is missing",
        &[
            ("a", describe_domain, true),
            ("a-plain", describe_domain, false),
            ("b", describe_domain, false),
            ("b", token, false),
            ("b", &create("b-repo"), false),
            ("c", describe_domain, false),
            // The account level knows no resource policies.
            ("c", "list-domains", true),
            ("c-plain", "list-domains", false),
        ],
    );

    let may_create = to(&all_of(B), &["CreateRepository"]);
    accounts.put_domain_policy(&json!([
        may_create,
        to(&format!("arn:aws:iam::{ACCOUNT}:user/plain"), &["DescribeDomain"])
    ]));
    accounts.check(
        "the domain lets B make repositories, and one user of A describe it",
        &[
            ("a-plain", describe_domain, true),
            ("a-plain", token, false),
            ("c", &create("c-repo"), false),
            ("b", &create("b-repo"), true),
            // B administers it: its identity policies do for the repository, not for the domain.
            ("b", describe, true),
            ("b", packages, true),
            ("b", describe_domain, false),
            ("b", token, false),
            // The domain's owner may do everything in its domain.
            ("a", describe, true),
            ("a", packages, true),
            ("c", describe, false),
        ],
    );

    let reader = ["DescribeRepository", "ListPackages", "ReadFromRepository", "GetRepositoryEndpoint"];
    accounts.put_repository_policy("b-repo", &json!([to(&all_of(C), &reader)]));
    accounts.check(
        "B's repository is open to C: both sides have to allow",
        &[
            ("c", describe, true),
            ("c", packages, true),
            ("c-plain", describe, false),
            ("c", token, false),
            ("c", &format!("delete-repository {DOMAIN} --repository b-repo"), false),
        ],
    );

    accounts.put_repository_policy("b-repo", &json!([to(&format!("arn:aws:iam::{C}:user/cleo"), &reader)]));
    accounts.check("a user's ARN narrows it", &[("c", describe, true), ("c-other", describe, false)]);

    let mut from_here = to("*", &reader);
    from_here["Condition"] = json!({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}, "ArnLike": {"aws:PrincipalArn": format!("arn:aws:iam::{C}:user/*")}});
    accounts.put_repository_policy("b-repo", &json!([from_here]));
    accounts.check("everybody under conditions", &[("c", describe, true), ("c-other", describe, true)]);
    let mut from_elsewhere = to("*", &reader);
    from_elsewhere["Condition"] = json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}});
    accounts.put_repository_policy("b-repo", &json!([from_elsewhere]));
    accounts.check("conditions that do not hold", &[("c", describe, false)]);

    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": ["codeartifact:AssociateExternalConnection", "codeartifact:ListPackages"], "Resource": "*"});
    let domain_for_c = to(
        &all_of(C),
        &["GetAuthorizationToken", "DescribeDomain", "PutDomainPermissionsPolicy", "ReadFromRepository"],
    );
    accounts.put_domain_policy(&json!([deny, domain_for_c]));
    let connect =
        format!("associate-external-connection {DOMAIN} --repository b-repo --external-connection public:npmjs");
    let policy =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
    accounts.check(
        "the domain denies: also to those who administer, and nobody is let in through the policy that he changes",
        &[
            ("b", &connect, false),
            ("b", packages, false),
            ("a", packages, false),
            ("b", describe, true),
            ("c", describe_domain, true),
            ("c", token, true),
            ("c", &format!("put-domain-permissions-policy {DOMAIN} --policy-document {policy}"), false),
        ],
    );

    accounts.put_repository_policy(
        "b-repo",
        &json!([to(&all_of(C), &["PutRepositoryPermissionsPolicy", "DescribeRepository"])]),
    );
    let put = format!("put-repository-permissions-policy {DOMAIN} --repository b-repo --policy-document {policy}");
    accounts
        .check("a repository's policy does not govern changing itself", &[("c", &put, false), ("c", describe, true)]);
    accounts.put_domain_policy(&json!([to(&all_of(C), &["PutRepositoryPermissionsPolicy"])]));
    accounts.check("the domain's policy does", &[("c", &put, true)]);

    accounts.put_domain_policy(&json!([to(&all_of(C), &["CreateRepository"])]));
    accounts.put_repository_policy("b-repo", &json!([to(&all_of(C), &["DescribeRepository"])]));
    let behind = |name: &str| format!("{} --upstreams repositoryName=b-repo", create(name));
    accounts.check(
        "a link needs AssociateWithDownstreamRepository on the upstream",
        &[
            ("c", &behind("c-repo"), false),
            ("c", &create("c-repo"), true),
            ("c", &format!("update-repository {DOMAIN} --repository c-repo --upstreams repositoryName=b-repo"), false),
        ],
    );
    accounts.put_repository_policy("b-repo", &json!([to(&all_of(C), &["AssociateWithDownstreamRepository"])]));
    accounts.check("with it", &[("c", &behind("c-other-repo"), true)]);
}

fn sharing_from_domain_to_reader() {
    let accounts = Accounts::start();
    accounts.put_domain_policy(&json!([
        to(&all_of(B), &["CreateRepository", "GetAuthorizationToken"]),
        to(&all_of(C), &["GetAuthorizationToken"]),
    ]));
    assert!(accounts.may("b", &format!("create-repository {DOMAIN} --repository b-repo")));
    // A permission of STS that only identity policies give: the domain's policy alone is not enough.
    accounts.check("who has no identity policy", &[("c-plain", &format!("get-authorization-token {DOMAIN}"), false)]);
    let login = |profile: &str| {
        let arguments = format!("codeartifact login --tool npm {DOMAIN} --repository b-repo --profile {profile}");
        accounts.client.program("aws").args(arguments.split(' ').map(str::to_owned).collect::<Vec<_>>())
    };
    let _ = login("b").succeeds();
    let client = &accounts.client;
    NpmPackage::new("shared", "1.0.0").write_to(&client.folder("shared"));
    let _ = client.program("npm").arg("publish").in_folder(client.home().join("shared")).succeeds();

    login("c").fails().says("AccessDenied");
    accounts
        .put_repository_policy("b-repo", &json!([to(&all_of(C), &["GetRepositoryEndpoint", "ReadFromRepository"])]));
    let _ = login("c").succeeds();
    let _ = client.program("npm").args(["install", "shared"]).succeeds();
    NpmPackage::new("from-c", "1.0.0").write_to(&client.folder("from-c"));
    client.program("npm").arg("publish").in_folder(client.home().join("from-c")).fails().says("403");
    // The domain's owner closes it again; the token that C has opens nothing any more.
    let server: &Server = &accounts.world.server;
    let target = "/v1/repository/permissions/policies?domain=my-domain&repository=b-repo";
    let _ = server.call("DELETE", target, &Value::Null).expect(200);
    client.program("npm").args(["view", "shared"]).fails().says("403");
}
