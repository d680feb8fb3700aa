"""What the operations do when all is well. Each scenario makes a domain of its own and leaves nothing behind."""

import hashlib
import json

from packages import publish_npm, request
from strict import refused

OWNER = "111122223333"


def equal(got, wanted):
    assert got == wanted, f"expected {wanted!r}, got {got!r}"


def domains(_, admin, __):
    made = admin.create_domain(domain="made", tags=[{"key": "team", "value": "a"}])["domain"]
    equal((made["name"], made["owner"], made["status"]), ("made", OWNER, "Active"))
    equal((made["repositoryCount"], made["assetSizeBytes"]), (0, 0))
    equal(made["arn"], f"arn:aws:codeartifact:us-east-1:{OWNER}:domain/made")
    equal(admin.describe_domain(domain="made")["domain"]["arn"], made["arn"])
    equal(admin.describe_domain(domain="made", domainOwner=OWNER)["domain"]["arn"], made["arn"])
    assert "made" in [domain["name"] for domain in admin.list_domains()["domains"]]
    equal(admin.delete_domain(domain="made")["domain"]["name"], "made")
    # Deleting what is not there succeeds, and says nothing.
    admin.meta.events.unregister("after-call.codeartifact", _.after_call)
    admin.delete_domain(domain="made")
    admin.meta.events.register("after-call.codeartifact", _.after_call)
    refused("ResourceNotFoundException", admin.describe_domain, domain="made")


def repositories(_, admin, __):
    admin.create_domain(domain="repos")
    for name in ["base", "other"]:
        admin.create_repository(domain="repos", repository=name, description=f"the {name}")
    made = admin.create_repository(
        domain="repos", repository="front", upstreams=[{"repositoryName": "base"}, {"repositoryName": "other"}]
    )["repository"]
    equal([upstream["repositoryName"] for upstream in made["upstreams"]], ["base", "other"])
    equal((made["administratorAccount"], made["domainOwner"], made["externalConnections"]), (OWNER, OWNER, []))
    changed = admin.update_repository(domain="repos", repository="front", description="changed")["repository"]
    equal((changed["description"], len(changed["upstreams"])), ("changed", 2))
    changed = admin.update_repository(domain="repos", repository="front", upstreams=[{"repositoryName": "other"}])
    equal(changed["repository"]["upstreams"], [{"repositoryName": "other"}])
    changed = admin.update_repository(domain="repos", repository="front", upstreams=[])["repository"]
    equal((changed["upstreams"], changed["description"]), ([], "changed"))
    equal(admin.describe_repository(domain="repos", repository="front")["repository"], changed)
    names = [entry["name"] for entry in admin.list_repositories_in_domain(domain="repos")["repositories"]]
    equal(sorted(names), ["base", "front", "other"])
    prefixed = admin.list_repositories_in_domain(domain="repos", repositoryPrefix="fr", administratorAccount=OWNER)
    equal([entry["name"] for entry in prefixed["repositories"]], ["front"])
    assert "front" in [entry["name"] for entry in admin.list_repositories(repositoryPrefix="fr")["repositories"]]
    for kind in ["npm", "pypi", "maven", "nuget", "generic", "ruby", "swift", "cargo"]:
        url = admin.get_repository_endpoint(domain="repos", repository="front", format=kind)["repositoryEndpoint"]
        assert url.endswith(f"/{kind}/front/"), url
    equal(admin.describe_domain(domain="repos")["domain"]["repositoryCount"], 3)
    for name in ["front", "base", "other"]:
        admin.delete_repository(domain="repos", repository=name)
    admin.delete_domain(domain="repos")


def external_connections(_, admin, __):
    admin.create_domain(domain="outside")
    admin.create_repository(domain="outside", repository="store")
    made = admin.associate_external_connection(domain="outside", repository="store", externalConnection="public:npmjs")
    wanted = [{"externalConnectionName": "public:npmjs", "packageFormat": "npm", "status": "Available"}]
    equal(made["repository"]["externalConnections"], wanted)
    error = refused(
        "ValidationException",
        admin.associate_external_connection,
        domain="outside",
        repository="store",
        externalConnection="public:pypi",
    )
    equal(error["Error"]["Message"], "ExternalConnections for repositories are currently limited to 1")
    gone = admin.disassociate_external_connection(domain="outside", repository="store", externalConnection="public:npmjs")
    equal(gone["repository"]["externalConnections"], [])
    admin.delete_repository(domain="outside", repository="store")
    admin.delete_domain(domain="outside")


def tokens(_, admin, __):
    answer = admin.get_authorization_token(domain="my-domain", durationSeconds=900)
    endpoint = admin.get_repository_endpoint(domain="my-domain", repository="my-repo", format="npm")["repositoryEndpoint"]
    equal(json.loads(request(endpoint + "-/whoami", answer["authorizationToken"]))["username"], "admin")


def policies(_, admin, __):
    admin.create_domain(domain="ruled")
    admin.create_repository(domain="ruled", repository="repo")

    def document(action):
        principal = {"AWS": f"arn:aws:iam::{OWNER}:root"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    for kind, where in [("domain", {}), ("repository", {"repository": "repo"})]:
        get = getattr(admin, f"get_{kind}_permissions_policy")
        put = getattr(admin, f"put_{kind}_permissions_policy")
        delete = getattr(admin, f"delete_{kind}_permissions_policy")
        action = "codeartifact:DescribeDomain" if kind == "domain" else "codeartifact:ReadFromRepository"
        refused("ResourceNotFoundException", get, domain="ruled", **where)
        first = put(domain="ruled", policyDocument=document(action), **where)["policy"]
        equal(first["document"], document(action))
        equal(get(domain="ruled", **where)["policy"], first)
        other = document([action, "codeartifact:ListPackages"])
        second = put(domain="ruled", policyDocument=other, policyRevision=first["revision"], **where)["policy"]
        assert second["revision"] != first["revision"]
        stale = {"domain": "ruled", "policyRevision": first["revision"], **where}
        refused("ConflictException", put, policyDocument=document(action), **stale)
        refused("ConflictException", delete, **stale)
        for wrong in ["not json", "{}", json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]})]:
            refused("ValidationException", put, domain="ruled", policyDocument=wrong, **where)
        equal(delete(domain="ruled", **where)["policy"], second)
        refused("ResourceNotFoundException", get, domain="ruled", **where)
    admin.delete_repository(domain="ruled", repository="repo")
    admin.delete_domain(domain="ruled")


def tags(_, admin, __):
    domain = admin.create_domain(domain="tagged", tags=[{"key": "a", "value": "1"}])["domain"]["arn"]
    made = admin.create_repository(domain="tagged", repository="repo", tags=[{"key": "r", "value": ""}])
    repository = made["repository"]["arn"]

    def of(arn):
        return {tag["key"]: tag["value"] for tag in admin.list_tags_for_resource(resourceArn=arn)["tags"]}

    equal((of(domain), of(repository)), ({"a": "1"}, {"r": ""}))
    admin.tag_resource(resourceArn=domain, tags=[{"key": "a", "value": "2"}, {"key": "b", "value": "3"}])
    equal(of(domain), {"a": "2", "b": "3"})
    admin.untag_resource(resourceArn=domain, tagKeys=["a", "never-there"])
    equal(of(domain), {"b": "3"})
    admin.delete_repository(domain="tagged", repository="repo")
    refused("ResourceNotFoundException", admin.list_tags_for_resource, resourceArn=repository)
    admin.delete_domain(domain="tagged")


def generic_packages(_, admin, __):
    admin.create_domain(domain="files")
    admin.create_repository(domain="files", repository="repo")
    package = {"domain": "files", "repository": "repo", "format": "generic", "namespace": "tools", "package": "cli"}

    def publish(version, asset, content, **more):
        digest = hashlib.sha256(content).hexdigest()
        return admin.publish_package_version(
            **package, packageVersion=version, assetName=asset, assetContent=content, assetSHA256=digest, **more
        )

    first = publish("1.0", "a.txt", b"alpha", unfinished=True)
    equal((first["status"], first["asset"]["size"]), ("Unfinished", 5))
    equal(first["asset"]["hashes"]["SHA-256"], hashlib.sha256(b"alpha").hexdigest())
    publish("1.0", "a.txt", b"alpha", unfinished=True)
    digest = hashlib.sha256(b"other").hexdigest()
    conflicting = {"packageVersion": "1.0", "assetName": "a.txt", "assetContent": b"other", "assetSHA256": digest}
    refused("ConflictException", admin.publish_package_version, **package, **conflicting, unfinished=True)
    last = publish("1.0", "b.bin", b"")
    equal(last["status"], "Published")
    assert last["versionRevision"] != first["versionRevision"]
    sealed = {**conflicting, "assetName": "c.txt"}
    refused("ConflictException", admin.publish_package_version, **package, **sealed)

    version = {**package, "packageVersion": "1.0"}
    described = admin.describe_package_version(**version)["packageVersion"]
    equal((described["status"], described["revision"]), ("Published", last["versionRevision"]))
    equal(described["origin"], {"domainEntryPoint": {"repositoryName": "repo"}, "originType": "INTERNAL"})
    assets = admin.list_package_version_assets(**version)
    equal([asset["name"] for asset in assets["assets"]], ["a.txt", "b.bin"])
    got = admin.get_package_version_asset(**version, asset="a.txt", packageVersionRevision=last["versionRevision"])
    equal((got["asset"].read(), got["assetName"], got["packageVersion"]), (b"alpha", "a.txt", "1.0"))
    equal(admin.describe_domain(domain="files")["domain"]["assetSizeBytes"], 5)
    admin.delete_package(**package)
    admin.delete_repository(domain="files", repository="repo")
    admin.delete_domain(domain="files")


def npm_packages(_, admin, __):
    admin.create_domain(domain="code")
    for name in ["repo", "copy"]:
        admin.create_repository(domain="code", repository=name)
    token = admin.get_authorization_token(domain="code")["authorizationToken"]
    endpoint = admin.get_repository_endpoint(domain="code", repository="repo", format="npm")["repositoryEndpoint"]
    for version in ["1.0.0", "1.1.0", "2.0.0"]:
        publish_npm(
            endpoint,
            token,
            "@team/ui",
            version,
            homepage="https://ui.example.com/",
            repository={"type": "git", "url": "git+https://code.example.com/ui.git"},
            dependencies={"left": "^1.0.0", "@team/base": "~2.0.0"},
            devDependencies={"lint": "*"},
        )
    publish_npm(endpoint, token, "plain", "1.0.0")

    package = {"domain": "code", "repository": "repo", "format": "npm", "namespace": "team", "package": "ui"}
    described = admin.describe_package(**package)["package"]
    equal((described["name"], described["namespace"]), ("ui", "team"))
    equal(described["originConfiguration"]["restrictions"], {"publish": "ALLOW", "upstream": "BLOCK"})
    packages = admin.list_packages(domain="code", repository="repo", format="npm")["packages"]
    equal(sorted(entry["package"] for entry in packages), ["plain", "ui"])
    filtered = admin.list_packages(
        domain="code", repository="repo", format="npm", namespace="te", packagePrefix="u", publish="ALLOW", upstream="BLOCK"
    )
    equal([entry["package"] for entry in filtered["packages"]], ["ui"])

    listed = admin.list_package_versions(**package, sortBy="PUBLISHED_TIME")
    equal([entry["version"] for entry in listed["versions"]], ["2.0.0", "1.1.0", "1.0.0"])
    equal(listed["defaultDisplayVersion"], "2.0.0")
    equal(len(admin.list_package_versions(**package, status="Published", originType="INTERNAL")["versions"]), 3)
    equal(admin.list_package_versions(**package, status="Archived")["versions"], [])

    version = {**package, "packageVersion": "1.0.0"}
    about = admin.describe_package_version(**version)["packageVersion"]
    equal((about["displayName"], about["summary"]), ("@team/ui", "the package @team/ui"))
    equal(about["licenses"], [{"name": "MIT"}])
    equal(about["homePage"], "https://ui.example.com/")
    assert "code.example.com/ui" in about["sourceCodeRepository"]
    readme = admin.get_package_version_readme(**version)
    assert readme["readme"].startswith("# @team/ui"), readme
    found = admin.list_package_version_dependencies(**version)["dependencies"]
    wanted = {("left", None, "regular", "^1.0.0"), ("base", "team", "regular", "~2.0.0"), ("lint", None, "dev", "*")}
    equal({(d["package"], d.get("namespace"), d["dependencyType"], d["versionRequirement"]) for d in found}, wanted)
    assets = admin.list_package_version_assets(**version)["assets"]
    assert "package.tgz" in [asset["name"] for asset in assets], assets

    statuses(admin, package)
    copies(admin, package)
    changed = admin.put_package_origin_configuration(**package, restrictions={"publish": "BLOCK", "upstream": "ALLOW"})
    equal(changed["originConfiguration"]["restrictions"], {"publish": "BLOCK", "upstream": "ALLOW"})
    reserved = {**package, "package": "reserved"}
    admin.put_package_origin_configuration(**reserved, restrictions={"publish": "ALLOW", "upstream": "BLOCK"})
    equal(admin.list_package_versions(**reserved)["versions"], [])
    equal(admin.delete_package(**reserved)["deletedPackage"]["package"], "reserved")
    equal(admin.delete_package(**package)["deletedPackage"]["namespace"], "team")
    refused("ResourceNotFoundException", admin.describe_package, **package)
    for name in ["repo", "copy"]:
        admin.delete_repository(domain="code", repository=name)
    admin.delete_domain(domain="code")


def statuses(admin, package):
    """Update, dispose and delete, with what is checked before."""
    revision = admin.describe_package_version(**package, packageVersion="1.0.0")["packageVersion"]["revision"]
    done = admin.update_package_versions_status(
        **package,
        versions=["1.0.0"],
        versionRevisions={"1.0.0": revision},
        expectedStatus="Published",
        targetStatus="Unlisted",
    )
    equal(done["successfulVersions"]["1.0.0"]["status"], "Unlisted")
    equal(done["failedVersions"], {})
    failed = admin.update_package_versions_status(
        **package, versions=["1.0.0", "1.1.0"], expectedStatus="Published", targetStatus="Archived"
    )
    equal(failed["successfulVersions"], {})
    codes = {version: failure["errorCode"] for version, failure in failed["failedVersions"].items()}
    equal(codes, {"1.0.0": "MISMATCHED_STATUS", "1.1.0": "SKIPPED"})
    failed = admin.update_package_versions_status(**package, versions=["9.9.9"], targetStatus="Archived")
    equal(failed["failedVersions"]["9.9.9"]["errorCode"], "NOT_FOUND")
    failed = admin.update_package_versions_status(
        **package, versions=["1.0.0"], versionRevisions={"1.0.0": "x" * 44}, targetStatus="Archived"
    )
    equal(failed["failedVersions"]["1.0.0"]["errorCode"], "MISMATCHED_REVISION")
    disposed = admin.dispose_package_versions(**package, versions=["1.0.0"], expectedStatus="Unlisted")
    equal(disposed["successfulVersions"]["1.0.0"]["status"], "Disposed")
    equal(admin.list_package_version_assets(**package, packageVersion="1.0.0")["assets"], [])
    failed = admin.update_package_versions_status(**package, versions=["1.0.0"], targetStatus="Published")
    equal(failed["failedVersions"]["1.0.0"]["errorCode"], "NOT_ALLOWED")
    deleted = admin.delete_package_versions(**package, versions=["1.0.0"], expectedStatus="Disposed")
    equal(deleted["successfulVersions"]["1.0.0"]["status"], "Deleted")
    refused("ResourceNotFoundException", admin.describe_package_version, **package, packageVersion="1.0.0")


def copies(admin, package):
    """From one repository to another of the domain."""
    coordinate = {key: package[key] for key in ["domain", "format", "namespace", "package"]}
    between = {**coordinate, "sourceRepository": "repo", "destinationRepository": "copy"}
    done = admin.copy_package_versions(**between, versions=["1.1.0"])
    equal((list(done["successfulVersions"]), done["failedVersions"]), (["1.1.0"], {}))
    target = {**coordinate, "repository": "copy", "packageVersion": "1.1.0"}
    copied = admin.describe_package_version(**target)["packageVersion"]
    equal(copied["origin"]["domainEntryPoint"], {"repositoryName": "repo"})
    revision = admin.describe_package_version(**package, packageVersion="2.0.0")["packageVersion"]["revision"]
    done = admin.copy_package_versions(**between, versionRevisions={"2.0.0": revision}, includeFromUpstream=True)
    equal(list(done["successfulVersions"]), ["2.0.0"])
    failed = admin.copy_package_versions(**between, versions=["9.9.9"])
    equal(failed["failedVersions"]["9.9.9"]["errorCode"], "NOT_FOUND")


ALL = [domains, repositories, external_connections, tokens, policies, tags, generic_packages, npm_packages]
