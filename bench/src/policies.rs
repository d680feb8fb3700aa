//! What rules cost a read that is warm: the same reads by somebody whom one policy allows everything and by somebody
//! about whom many policies have something to say.

use std::path::Path;
use std::time::Duration;

use larder_testkit::packages::NpmPackage;
use larder_testkit::server::{ACCOUNT, DOMAIN, REPOSITORY, succeeds};
use larder_testkit::{Registry, Server};
use serde_json::{Value, json};

use crate::load::Connection;
use crate::peers::{ABBREVIATED, Larder, Target, expect_success};
use crate::report::{Report, Section, ms, rate, ratio};
use crate::wrk::{self, Rate, median};
use crate::{Context, Result, corpus};

/// How many connections.
const CONNECTIONS: [u32; 2] = [1, 32];
/// What rules may add to a warm read.
const MOST: f64 = 1.05;
/// Rounds for each that is asked for: the difference to be seen is small.
const ROUNDS: usize = 2;
/// A version that is too young.
const YOUNG: &str = "1.60.0";

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    /// One policy that allows everything.
    Simple,
    /// Identity policies with conditions, a domain policy of fifty statements, a repository policy, and rules about where
    /// packages may come from and how old they must be.
    Many,
    /// The same, and one more that looks at the address of the client: what another client asks may be decided otherwise.
    Address,
}

impl Rules {
    const ALL: [Self; 3] = [Self::Simple, Self::Many, Self::Address];

    fn title(self) -> &'static str {
        match self {
            Self::Simple => "one policy",
            Self::Many => "many policies",
            Self::Address => "many policies, one with aws:SourceIp",
        }
    }
}

/// A Larder with its rules, and what is read there.
struct Ruled {
    larder: Larder,
    targets: Vec<(&'static str, Target)>,
}

/// Measures readers in turns.
pub(crate) fn measure(rounds: usize, duration: Duration, report: &mut Report) -> Result {
    let registry = Registry::start();
    for package in corpus::small() {
        registry.add_npm(&package);
    }
    registry.add_npm(&NpmPackage::new(corpus::SMALL, YOUNG));
    registry.date_npm(corpus::SMALL, YOUNG, Some("2999-01-01T00:00:00.000Z"));
    let ruled: Vec<Ruled> = Rules::ALL.into_iter().map(|rules| start(&registry, rules)).collect::<Result<_>>()?;
    let notes = "Warm reads with a token, from repositories with the same packages; medians over the rounds. The ratios are \
                 to the reader with one policy in the same round. Many policies are ten identity policies of ten \
                 statements with conditions, a domain policy of fifty statements, a repository policy of twenty, four package \
                 groups and a minimum age of the public registry's versions, which withholds the newest.";
    let columns = ["read", "rules", "connections", "req/s", "CPU ms/req", "rate / one policy", "CPU / one policy"];
    let mut section = Section::new("Rules", notes, &columns);
    for (case, (title, _)) in ruled[0].targets.iter().enumerate() {
        for connections in CONNECTIONS {
            let mut measured: Vec<Vec<Rate>> = vec![Vec::new(); ruled.len()];
            for _ in 0..rounds * ROUNDS {
                for (one, measured) in ruled.iter().zip(&mut measured) {
                    let target = &one.targets[case].1;
                    target.get()?;
                    measured.push(wrk::run(target, one.larder.server.pid(), connections, duration)?);
                }
            }
            for (rules, rates) in Rules::ALL.into_iter().zip(&measured) {
                let of = |value: fn(&Rate) -> f64| median(rates.iter().map(value).collect());
                let to_simple = |value: fn(&Rate) -> f64| {
                    median(rates.iter().zip(&measured[0]).map(|(own, simple)| value(own) / value(simple)).collect())
                };
                let (by_rate, by_cpu) = (to_simple(|rate| rate.per_second), to_simple(|rate| rate.cpu_ms));
                section.row(vec![
                    (*title).to_owned(),
                    rules.title().to_owned(),
                    connections.to_string(),
                    rate(of(|rate| rate.per_second)),
                    ms(of(|rate| rate.cpu_ms)),
                    ratio(by_rate),
                    ratio(by_cpu),
                ]);
                if rules != Rules::Simple {
                    let what = format!("{title}, {connections} connection(s), {}: less than 5 % more", rules.title());
                    let measured = format!("rate {}, CPU {}", ratio(by_rate), ratio(by_cpu));
                    report.goal(what, measured, by_rate * MOST >= 1.0 || by_cpu <= MOST);
                }
            }
        }
    }
    report.sections.push(section);
    Ok(())
}

/// A Larder whose `my-repo` reaches the registry, with a reader under these rules.
fn start(registry: &Registry, rules: Rules) -> Result<Ruled> {
    let larder = Larder::start(Some(registry), "warn")?;
    let server = &larder.server;
    let mut connection = Connection::open(server.address()).context("Larder")?;
    for package in corpus::archives() {
        expect_success(&mut connection, &larder.npm.publish(&package))?;
    }
    let allow = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let key = server.create_user(ACCOUNT, "reader", &allow);
    if rules != Rules::Simple {
        for number in 0..10 {
            put_policy(server, &format!("many-{number}"), &identity_policy(number))?;
        }
        put_resource_policies(server);
        put_origin_rules(server);
    }
    if rules == Rules::Address {
        put_policy(server, "address", &address_policy())?;
    }
    let token = server.token_of(&key, DOMAIN);
    let npm = crate::peers::Endpoint {
        headers: vec![("authorization".to_owned(), format!("Bearer {token}"))],
        ..larder.npm.clone()
    };
    let plain = npm.target(corpus::SMALL).with("accept", ABBREVIATED);
    let packument = plain.with("accept-encoding", "gzip");
    let tarball = npm.target(&format!("{0}/-/{0}-1.0.0.tgz", corpus::ARCHIVES));
    let withholds = plain.get()?.json()["versions"].get(YOUNG).is_none();
    if withholds != (rules != Rules::Simple) {
        return Err(format!("'{}' withholds {YOUNG}: {withholds}", rules.title()).into());
    }
    let targets = vec![("packument of a public registry, gzip", packument), ("tarball, 20 KB", tarball)];
    Ok(Ruled { larder, targets })
}

fn put_policy(server: &Server, name: &str, document: &Value) -> Result {
    let folder = tempfile::tempdir().context("a temporary folder")?;
    let file = folder.path().join("policy.json");
    std::fs::write(&file, document.to_string()).context(file.display())?;
    let file: &Path = &file;
    let file = file.to_string_lossy();
    succeeds(&server.larder(&["user", "policy", "put", "reader", name, &file, "--account", ACCOUNT]));
    Ok(())
}

/// Statements that look at what is asked for and by whom. Half of them deny, so that all are looked at.
fn identity_policy(number: usize) -> Value {
    let statements: Vec<Value> = (0..10)
        .map(|statement| {
            json!({
                "Sid": format!("s{statement}"),
                "Effect": if statement % 2 == 0 { "Deny" } else { "Allow" },
                "Action": ["codeartifact:Read*", "codeartifact:Describe*", "codeartifact:Get*"],
                "Resource": [
                    format!("arn:aws:codeartifact:*:{ACCOUNT}:repository/{DOMAIN}/team-{number}-{statement}-*"),
                    format!("arn:aws:codeartifact:*:{ACCOUNT}:repository/{DOMAIN}/my-*"),
                ],
                "Condition": {
                    "StringLike": {"aws:username": [format!("contractor-{number}-*"), format!("guest-{statement}-*")]},
                    "StringEquals": {"aws:PrincipalAccount": ACCOUNT},
                },
            })
        })
        .collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// A statement that never applies, but cannot be known not to without the client's address.
fn address_policy() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    }]})
}

fn put_resource_policies(server: &Server) {
    let policy = |statements: usize| {
        let statements: Vec<Value> = (0..statements)
            .map(|number| {
                json!({
                    "Effect": if number % 2 == 0 { "Deny" } else { "Allow" },
                    "Principal": {"AWS": format!("{:012}", 444_400_000_000_u64 + number as u64)},
                    "Action": "codeartifact:ReadFromRepository",
                    "Resource": "*",
                })
            })
            .collect();
        json!({"Version": "2012-10-17", "Statement": statements}).to_string()
    };
    let body = json!({"domain": DOMAIN, "policyDocument": policy(50)});
    let _ = server.call("PUT", "/v1/domain/permissions/policy", &body).expect(200);
    let target = format!("/v1/repository/permissions/policy?domain={DOMAIN}&repository={REPOSITORY}");
    let _ = server.call("PUT", &target, &json!({"policyDocument": policy(20)})).expect(200);
}

/// Package groups over the packages that are read, and a minimum age that they have.
fn put_origin_rules(server: &Server) {
    for pattern in ["/npm/*", "/npm//bench~", "/npm//bench-small$", "/npm//bench-archives$"] {
        let target = format!("/v1/package-group?domain={DOMAIN}");
        let _ = server.call("POST", &target, &json!({"packageGroup": pattern})).expect(200);
        let pattern = pattern.replace('/', "%2F").replace('$', "%24").replace('*', "%2A");
        let target = format!("/v1/package-group-origin-configuration?domain={DOMAIN}&package-group={pattern}");
        let rules = json!({"restrictions": {"EXTERNAL_UPSTREAM": "ALLOW", "PUBLISH": "ALLOW"}});
        let _ = server.call("PUT", &target, &rules).expect(200);
    }
    let arn = format!("arn:aws:codeartifact:us-east-1:{ACCOUNT}:repository/{DOMAIN}/{REPOSITORY}");
    let arn = arn.replace(':', "%3A").replace('/', "%2F");
    let tags = json!({"tags": [{"key": "larder:minimum-release-age", "value": "7d"}]});
    let _ = server.call("POST", &format!("/v1/tag?resourceArn={arn}"), &tags).expect(200);
}
