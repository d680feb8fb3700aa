"""Every modelled error of every operation, provoked where a request can."""

import hashlib

from botocore.exceptions import ClientError
from packages import publish_npm
from strict import refused

OWNER = "111122223333"
DIGEST = hashlib.sha256(b"x").hexdigest()

PER_VERSION = "such a conflict belongs to one version and is told in failedVersions"
MUTUAL = "upstreams beside an external connection, and more than ten of them, are validation errors"
NEW = "nothing has to be there first"
SILENT = "the operation has no state that it could conflict with"
NO_QUOTA = "no quota stands in the way of this operation"

# (operation, error) that no request brings about, and why.
UNREACHABLE = {
    ("AssociateExternalConnection", "Conflict"): "a second connection is a validation error",
    ("AssociateExternalConnection", "ServiceQuotaExceeded"): "a second connection is a validation error",
    ("CopyPackageVersions", "Conflict"): PER_VERSION,
    ("CreateDomain", "ResourceNotFound"): NEW,
    ("CopyPackageVersions", "ServiceQuotaExceeded"): NO_QUOTA,
    ("DeletePackage", "Conflict"): SILENT,
    ("DeletePackageGroup", "Conflict"): SILENT,
    ("DeletePackageGroup", "ServiceQuotaExceeded"): NO_QUOTA,
    ("DeletePackageVersions", "Conflict"): PER_VERSION,
    ("DeleteRepository", "Conflict"): SILENT,
    ("DescribePackageVersion", "Conflict"): SILENT,
    ("DisassociateExternalConnection", "Conflict"): SILENT,
    ("DisassociateExternalConnection", "ServiceQuotaExceeded"): NO_QUOTA,
    ("DisposePackageVersions", "Conflict"): PER_VERSION,
    ("ListAllowedRepositoriesForGroup", "ServiceQuotaExceeded"): NO_QUOTA,
    ("PutDomainPermissionsPolicy", "ServiceQuotaExceeded"): NO_QUOTA,
    ("PutRepositoryPermissionsPolicy", "ServiceQuotaExceeded"): NO_QUOTA,
    ("UpdatePackageGroup", "ServiceQuotaExceeded"): NO_QUOTA,
    ("UpdatePackageGroupOriginConfiguration", "ServiceQuotaExceeded"): NO_QUOTA,
    ("UpdatePackageVersionsStatus", "Conflict"): PER_VERSION,
    ("UpdateRepository", "Conflict"): MUTUAL,
    ("UpdateRepository", "ServiceQuotaExceeded"): MUTUAL,
}

REPOSITORY = {"domain": "wrong", "repository": "repo"}
PACKAGE = {**REPOSITORY, "format": "npm", "package": "lib"}
VERSION = {**PACKAGE, "packageVersion": "1.0.0"}
GENERIC = {**REPOSITORY, "format": "generic", "namespace": "n", "package": "g", "packageVersion": "1"}
GROUP = {"domain": "wrong", "packageGroup": "/npm/*"}
RESTRICTIONS = {"publish": "ALLOW", "upstream": "BLOCK"}
POLICY = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},'
    '"Action":"codeartifact:DescribeDomain","Resource":"*"}]}'
)
ARN = f"arn:aws:codeartifact:us-east-1:{OWNER}:domain/wrong"

# For each operation a call that is right in form.
CALLS = {
    "associate_external_connection": {**REPOSITORY, "externalConnection": "public:npmjs"},
    "copy_package_versions": {
        "domain": "wrong",
        "sourceRepository": "repo",
        "destinationRepository": "other",
        "format": "npm",
        "package": "lib",
        "versions": ["1.0.0"],
    },
    "create_domain": {"domain": "wrong-too"},
    "create_package_group": {"domain": "wrong", "packageGroup": "/pypi/*"},
    "create_repository": {"domain": "wrong", "repository": "more"},
    "delete_domain": {"domain": "wrong"},
    "delete_domain_permissions_policy": {"domain": "wrong"},
    "delete_package": PACKAGE,
    "delete_package_group": GROUP,
    "delete_package_versions": {**PACKAGE, "versions": ["1.0.0"]},
    "delete_repository": REPOSITORY,
    "delete_repository_permissions_policy": REPOSITORY,
    "describe_domain": {"domain": "wrong"},
    "describe_package": PACKAGE,
    "describe_package_group": GROUP,
    "describe_package_version": VERSION,
    "describe_repository": REPOSITORY,
    "disassociate_external_connection": {**REPOSITORY, "externalConnection": "public:npmjs"},
    "dispose_package_versions": {**PACKAGE, "versions": ["1.0.0"]},
    "get_associated_package_group": {"domain": "wrong", "format": "npm", "package": "lib"},
    "get_authorization_token": {"domain": "wrong"},
    "get_domain_permissions_policy": {"domain": "wrong"},
    "get_package_version_asset": {**VERSION, "asset": "package.tgz"},
    "get_package_version_readme": VERSION,
    "get_repository_endpoint": {**REPOSITORY, "format": "npm"},
    "get_repository_permissions_policy": REPOSITORY,
    "list_allowed_repositories_for_group": {**GROUP, "originRestrictionType": "PUBLISH"},
    "list_associated_packages": GROUP,
    "list_domains": {},
    "list_package_groups": {"domain": "wrong"},
    "list_package_version_assets": VERSION,
    "list_package_version_dependencies": VERSION,
    "list_package_versions": PACKAGE,
    "list_packages": REPOSITORY,
    "list_repositories": {},
    "list_repositories_in_domain": {"domain": "wrong"},
    "list_sub_package_groups": GROUP,
    "list_tags_for_resource": {"resourceArn": ARN},
    "publish_package_version": {**GENERIC, "assetName": "a", "assetContent": b"x", "assetSHA256": DIGEST},
    "put_domain_permissions_policy": {"domain": "wrong", "policyDocument": POLICY},
    "put_package_origin_configuration": {**PACKAGE, "restrictions": RESTRICTIONS},
    "put_repository_permissions_policy": {**REPOSITORY, "policyDocument": POLICY},
    "tag_resource": {"resourceArn": ARN, "tags": [{"key": "a", "value": "b"}]},
    "untag_resource": {"resourceArn": ARN, "tagKeys": ["a"]},
    "update_package_group": {**GROUP, "description": "new"},
    "update_package_group_origin_configuration": {**GROUP, "restrictions": {"PUBLISH": "ALLOW"}},
    "update_package_versions_status": {**PACKAGE, "versions": ["1.0.0"], "targetStatus": "Archived"},
    "update_repository": {**REPOSITORY, "description": "new"},
}

# What makes such a call invalid, where another domain name would not.
INVALID = {
    "list_domains": {"maxResults": 1001},
    "list_repositories": {"maxResults": 1001},
    "list_tags_for_resource": {"resourceArn": "arn:of:nothing"},
    "tag_resource": {"resourceArn": "arn:of:nothing"},
    "untag_resource": {"resourceArn": "arn:of:nothing"},
}


def set_up(_, admin, __):
    admin.create_domain(domain="wrong")
    for name in ["repo", "other"]:
        admin.create_repository(domain="wrong", repository=name)
    token = admin.get_authorization_token(domain="wrong")["authorizationToken"]
    endpoint = admin.get_repository_endpoint(domain="wrong", repository="repo", format="npm")["repositoryEndpoint"]
    publish_npm(endpoint, token, "lib", "1.0.0")
    admin.create_package_group(**GROUP)


def denied(_, __, nobody):
    for name, parameters in CALLS.items():
        refused("AccessDeniedException", getattr(nobody, name), **parameters)


def missing(_, admin, __):
    for name, parameters in CALLS.items():
        if name in ("create_domain", "delete_domain", "list_domains", "list_repositories"):
            continue
        if "resourceArn" in parameters:
            absent = {**parameters, "resourceArn": ARN.replace("/wrong", "/no-such-domain")}
        else:
            absent = {**parameters, "domain": "no-such-domain"}
        refused("ResourceNotFoundException", getattr(admin, name), **absent)
        if "repository" in parameters and name not in ("create_repository", "delete_repository"):
            refused("ResourceNotFoundException", getattr(admin, name), **{**parameters, "repository": "no-such-repository"})
    for name in ["describe_package", "list_package_versions", "delete_package", "delete_package_versions"]:
        refused("ResourceNotFoundException", getattr(admin, name), **{**CALLS[name], "package": "no-such-package"})
    for name in ["describe_package_version", "get_package_version_readme", "list_package_version_assets"]:
        refused("ResourceNotFoundException", getattr(admin, name), **{**CALLS[name], "packageVersion": "9.9.9"})
    refused("ResourceNotFoundException", admin.get_package_version_asset, **VERSION, asset="no-such-asset")
    for name, parameters in CALLS.items():
        if "packageGroup" in parameters and name != "create_package_group":
            refused("ResourceNotFoundException", getattr(admin, name), **{**parameters, "packageGroup": "/npm/none/*"})
    listed = {"repositoryName": "no-such-repository", "originRestrictionType": "PUBLISH"}
    update = admin.update_package_group_origin_configuration
    refused("ResourceNotFoundException", update, **GROUP, addAllowedRepositories=[listed])
    gone = f"arn:aws:codeartifact:us-east-1:{OWNER}:package-group/wrong/npm/none/%2a"
    refused("ResourceNotFoundException", admin.list_tags_for_resource, resourceArn=gone)
    other_owner = {"domain": "wrong", "domainOwner": "999988887777"}
    error = refused("ResourceNotFoundException", admin.describe_domain, **other_owner)
    wanted = "Domain not found. Domain 'wrong' owned by account '999988887777' does not exist"
    assert error["Error"]["Message"] == wanted, error


def invalid(_, admin, __):
    for name, parameters in CALLS.items():
        wrong = INVALID.get(name, {"domain": "Not_A_Domain"})
        refused("ValidationException", getattr(admin, name), **{**parameters, **wrong})
        if "repository" in parameters:
            refused("ValidationException", getattr(admin, name), **{**parameters, "repository": "-wrong"})
        if "packageGroup" in parameters:
            refused("ValidationException", getattr(admin, name), **{**parameters, "packageGroup": "/npm"})
        if "format" in parameters:
            refused("ValidationException", getattr(admin, name), **{**parameters, "format": "floppy"})
    for seconds in [1, 899, 43201]:
        refused("ValidationException", admin.get_authorization_token, domain="wrong", durationSeconds=seconds)
    for name in ["list_packages", "list_package_versions", "list_repositories_in_domain", "list_package_version_assets"]:
        refused("ValidationException", getattr(admin, name), **CALLS[name], nextToken="garbage")
        refused("ValidationException", getattr(admin, name), **CALLS[name], maxResults=1001)
    root = {"domain": "wrong", "packageGroup": "/*"}
    refused("ValidationException", admin.delete_package_group, **root)
    update = admin.update_package_group_origin_configuration
    refused("ValidationException", update, **root, restrictions={"PUBLISH": "INHERIT"})
    refused("ValidationException", update, **root, restrictions={"PUBLISH": "NEVER"})
    listed = {"repositoryName": "repo", "originRestrictionType": "PUBLISH"}
    refused("ValidationException", update, **root, addAllowedRepositories=[listed] * 101)
    refused("ValidationException", admin.list_packages, **REPOSITORY, namespace="only-with-a-format")
    copy = {**CALLS["copy_package_versions"], "versionRevisions": {"1.0.0": "x"}}
    refused("ValidationException", admin.copy_package_versions, **copy)
    for status in ["Disposed", "Deleted", "Unfinished", "Nonsense"]:
        changed = {**CALLS["update_package_versions_status"], "targetStatus": status}
        refused("ValidationException", admin.update_package_versions_status, **changed)
    not_generic = {**CALLS["publish_package_version"], "format": "npm"}
    refused("ValidationException", admin.publish_package_version, **not_generic)
    unknown = {**REPOSITORY, "externalConnection": "public:nobody"}
    assert call_fails(admin.associate_external_connection, unknown) in ("ValidationException", "ResourceNotFoundException")
    too_many = [f"1.0.{number}" for number in range(101)]
    refused("ValidationException", admin.delete_package_versions, **PACKAGE, versions=too_many)


def call_fails(call, parameters):
    try:
        call(**parameters)
    except Exception as error:
        return error.response["Error"]["Code"]
    raise AssertionError(f"{call.__name__}({parameters}) succeeded")


def conflicts(_, admin, __):
    error = refused("ConflictException", admin.create_domain, domain="wrong")
    assert error["resourceType"] == "domain", error
    error = refused("ConflictException", admin.create_repository, domain="wrong", repository="repo")
    assert error["resourceType"] == "repository", error
    refused("ConflictException", admin.create_package_group, **GROUP)
    error = refused("ConflictException", admin.delete_domain, domain="wrong")
    assert "Domain must contain 0 repositories before deletion" in error["Error"]["Message"], error
    revision = {**CALLS["get_package_version_asset"], "packageVersionRevision": "x" * 44}
    refused("ConflictException", admin.get_package_version_asset, **revision)
    admin.associate_external_connection(domain="wrong", repository="other", externalConnection="public:pypi")
    upstreams = {"domain": "wrong", "repository": "other", "upstreams": [{"repositoryName": "repo"}]}
    refused("ValidationException", admin.update_repository, **upstreams)
    admin.disassociate_external_connection(domain="wrong", repository="other", externalConnection="public:pypi")


def quotas(_, admin, __):
    made = []
    try:
        for number in range(60):
            admin.create_domain(domain=f"quota-{number}")
            made.append(f"quota-{number}")
        raise AssertionError("60 domains were made")
    except admin.exceptions.ServiceQuotaExceededException as error:
        assert error.response["resourceType"] == "domain", error.response
    finally:
        for name in made:
            admin.delete_domain(domain=name)
    for number in range(11):
        admin.create_repository(domain="wrong", repository=f"up{number}")
    eleven = [{"repositoryName": f"up{number}"} for number in range(11)]
    refused("ValidationException", admin.update_repository, **REPOSITORY, upstreams=eleven)
    refused("ValidationException", admin.create_repository, domain="wrong", repository="down", upstreams=eleven)
    until_the_quota(lambda number: admin.create_repository(domain="wrong", repository=f"many{number}"), 1001)
    made = {"domain": "wrong"}
    until_the_quota(lambda number: admin.create_package_group(**made, packageGroup=f"/npm//many{number}$"), 60)
    tags = [{"key": f"k{number}", "value": ""} for number in range(201)]
    admin.tag_resource(resourceArn=ARN, tags=tags[:200])
    refused("ServiceQuotaExceededException", admin.tag_resource, resourceArn=ARN, tags=tags[200:])
    asset = {**CALLS["publish_package_version"], "unfinished": True}
    until_the_quota(lambda number: admin.publish_package_version(**{**asset, "assetName": f"asset{number}"}), 400)


def until_the_quota(call, limit):
    for number in range(limit):
        try:
            call(number)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ServiceQuotaExceededException", error
            return
    raise AssertionError(f"{limit} were taken")


ALL = [set_up, denied, missing, invalid, conflicts, quotas]
