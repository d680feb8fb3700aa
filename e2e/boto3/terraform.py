"""What Terraform's AWS provider calls over the life of a resource, in its order, and what it makes of the answers.

The provider itself cannot be had everywhere; these are its calls. A plan after an apply must be empty, so that what is read
back is what was written, and a destroy must end.

Takes the server and the administrator's key from AWS's own variables, and ACCOUNT.
"""

import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = os.environ["ACCOUNT"]
ONCE = Config(retries={"total_max_attempts": 1})
iam, sts, codeartifact = (boto3.client(name, config=ONCE) for name in ("iam", "sts", "codeartifact"))
READ = {"Action": "codeartifact:Read*", "Effect": "Allow", "Resource": "arn:aws:codeartifact:*:*:repository/a+b c/*"}
RIGHTS = json.dumps({"Statement": [READ], "Version": "2012-10-17"})
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
TRUST = json.dumps({"Statement": [{"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": ROOT}], "Version": "2012-10-17"})
SHARED = {"Action": "codeartifact:ReadFromRepository", "Effect": "Allow", "Principal": ROOT, "Resource": "*"}
TAGS = [{"Key": "team", "Value": "web"}, {"Key": "empty", "Value": ""}]


def gone(code, call, *arguments, **parameters):
    """Not there: what ends a destroy well, and drops a resource from the state."""
    try:
        answer = call(*arguments, **parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404, error
        return
    raise AssertionError(f"there is still {answer}")


def text(document):
    """boto3 has decoded and parsed it."""
    return json.dumps(document)


def tags_of(tagged):
    return {tag["Key"]: tag["Value"] for tag in tagged["Tags"]}


def starts():
    assert sts.get_caller_identity()["Arn"].startswith("arn:aws:iam::")


def role():
    name = {"RoleName": "builder"}
    iam.create_role(Path="/ci/", AssumeRolePolicyDocument=TRUST, MaxSessionDuration=3600, Tags=TAGS, **name)
    iam.put_role_policy(PolicyName="inline", PolicyDocument=RIGHTS, **name)
    managed = iam.create_policy(Description="", Path="/", PolicyName="read", PolicyDocument=RIGHTS, Tags=TAGS)["Policy"]
    arn = {"PolicyArn": managed["Arn"]}
    iam.attach_role_policy(**name, **arn)

    read = iam.get_role(**name)["Role"]
    assert read["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/ci/builder" and read["MaxSessionDuration"] == 3600, read
    assert text(read["AssumeRolePolicyDocument"]) == TRUST and "Description" not in read, read
    assert tags_of(read) == {"team": "web", "empty": ""}, read
    assert iam.list_role_policies(**name)["PolicyNames"] == ["inline"]
    assert text(iam.get_role_policy(PolicyName="inline", **name)["PolicyDocument"]) == RIGHTS
    assert iam.list_attached_role_policies(**name)["AttachedPolicies"][0]["PolicyArn"] == managed["Arn"]
    read = iam.get_policy(**arn)["Policy"]
    version = iam.get_policy_version(VersionId=read["DefaultVersionId"], **arn)["PolicyVersion"]
    assert text(version["Document"]) == RIGHTS and tags_of(read) == tags_of({"Tags": TAGS}), (read, version)

    iam.update_assume_role_policy(PolicyDocument=TRUST, **name)
    iam.update_role_description(Description="", **name)
    iam.update_role(MaxSessionDuration=7200, **name)
    iam.untag_role(TagKeys=["empty"], **name)
    iam.tag_role(Tags=[{"Key": "team", "Value": "ops"}], **name)
    assert tags_of(iam.get_role(**name)["Role"]) == {"team": "ops"}
    # A new version when there are five: the oldest that is not the default one goes.
    for _ in range(5):
        versions = iam.list_policy_versions(**arn)["Versions"]
        others = sorted((each for each in versions if not each["IsDefaultVersion"]), key=lambda each: each["CreateDate"])
        if len(versions) >= 5:
            iam.delete_policy_version(VersionId=others[0]["VersionId"], **arn)
        new = iam.create_policy_version(PolicyDocument=RIGHTS, **arn)["PolicyVersion"]["VersionId"]
        iam.set_default_policy_version(VersionId=new, **arn)
    assert iam.get_policy(**arn)["Policy"]["DefaultVersionId"] == new

    assert iam.list_instance_profiles_for_role(**name)["InstanceProfiles"] == []
    for attached in iam.list_attached_role_policies(**name)["AttachedPolicies"]:
        iam.detach_role_policy(PolicyArn=attached["PolicyArn"], **name)
    for inline in iam.list_role_policies(**name)["PolicyNames"]:
        iam.delete_role_policy(PolicyName=inline, **name)
    iam.delete_role(**name)
    gone("NoSuchEntity", iam.get_role, **name)
    gone("NoSuchEntity", iam.list_instance_profiles_for_role, **name)
    entities = iam.list_entities_for_policy(**arn)
    assert [entities[f"Policy{kind}s"] for kind in ("Group", "Role", "User")] == [[], [], []], entities
    for version in iam.list_policy_versions(**arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(VersionId=version["VersionId"], **arn)
    iam.delete_policy(**arn)
    gone("NoSuchEntity", iam.get_policy, **arn)


def user():
    name = {"UserName": "ann"}
    iam.create_user(Path="/staff/", Tags=TAGS, **name)
    assert iam.get_user(**name)["User"]["Path"] == "/staff/"
    # All three whether they change or not.
    iam.update_user(NewUserName="ann", NewPath="/staff/web/", **name)
    assert iam.get_user(**name)["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/staff/web/ann"
    iam.put_user_policy(PolicyName="inline", PolicyDocument=RIGHTS, **name)
    iam.attach_user_policy(PolicyArn="arn:aws:iam::aws:policy/AWSCodeArtifactReadOnlyAccess", **name)
    key = iam.create_access_key(**name)["AccessKey"]
    iam.update_access_key(AccessKeyId=key["AccessKeyId"], Status="Inactive", **name)
    found = iam.list_access_keys(**name)["AccessKeyMetadata"]
    assert [(each["AccessKeyId"], each["Status"]) for each in found] == [(key["AccessKeyId"], "Inactive")], found
    assert iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["UserName"] == "ann"
    iam.create_group(GroupName="team", Path="/")
    iam.update_group(GroupName="team", NewGroupName="team", NewPath="/staff/")
    iam.add_user_to_group(GroupName="team", **name)
    assert [each["UserName"] for each in iam.get_group(GroupName="team")["Users"]] == ["ann"]

    # A destroy with force_destroy.
    for group in iam.list_groups_for_user(**name)["Groups"]:
        iam.remove_user_from_group(GroupName=group["GroupName"], **name)
    for inline in iam.list_user_policies(**name)["PolicyNames"]:
        iam.delete_user_policy(PolicyName=inline, **name)
    for attached in iam.list_attached_user_policies(**name)["AttachedPolicies"]:
        iam.detach_user_policy(PolicyArn=attached["PolicyArn"], **name)
    for each in iam.list_access_keys(**name)["AccessKeyMetadata"]:
        iam.delete_access_key(AccessKeyId=each["AccessKeyId"], **name)
    assert iam.list_ssh_public_keys(**name)["SSHPublicKeys"] == []
    assert iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"] == []
    assert iam.list_mfa_devices(**name)["MFADevices"] == []
    gone("NoSuchEntity", iam.delete_login_profile, **name)
    assert iam.list_signing_certificates(**name)["Certificates"] == []
    assert iam.list_service_specific_credentials(**name)["ServiceSpecificCredentials"] == []
    iam.delete_user(**name)
    gone("NoSuchEntity", iam.get_user, **name)
    iam.delete_group(GroupName="team")
    gone("NoSuchEntity", iam.get_group, GroupName="team")


def provider():
    made = iam.create_open_id_connect_provider(Url="https://ci.example.com", ClientIDList=[], Tags=TAGS)
    arn = {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}
    assert iam.get_open_id_connect_provider(**arn)["ClientIDList"] == []
    for client in ("larder", "another"):
        iam.add_client_id_to_open_id_connect_provider(ClientID=client, **arn)
    iam.remove_client_id_from_open_id_connect_provider(ClientID="another", **arn)
    read = iam.get_open_id_connect_provider(**arn)
    assert read["ClientIDList"] == ["larder"] and read["Url"] == "ci.example.com", read
    assert tags_of(read) == tags_of({"Tags": TAGS}), read
    iam.delete_open_id_connect_provider(**arn)
    gone("NoSuchEntity", iam.get_open_id_connect_provider, **arn)


def domain_and_repository():
    domain = {"domain": "terraformed"}
    tags = [{"key": tag["Key"], "value": tag["Value"]} for tag in TAGS]
    made = codeartifact.create_domain(tags=tags, **domain)["domain"]
    owned = {"domainOwner": ACCOUNT, **domain}
    read = codeartifact.describe_domain(**owned)["domain"]
    assert read["arn"] == made["arn"] and read["createdTime"] and read["encryptionKey"] == made["encryptionKey"], read
    listed = codeartifact.list_tags_for_resource(resourceArn=made["arn"])["tags"]
    assert {tag["key"]: tag["value"] for tag in listed} == {"team": "web", "empty": ""}, listed
    document = json.dumps({"Statement": [SHARED], "Version": "2012-10-17"}, separators=(",", ":"))
    codeartifact.put_domain_permissions_policy(policyDocument=document, **owned)
    policy = codeartifact.get_domain_permissions_policy(**owned)["policy"]
    assert policy["document"] == document, policy
    codeartifact.put_domain_permissions_policy(policyDocument=document, policyRevision=policy["revision"], **owned)

    for name in ("store", "other"):
        codeartifact.create_repository(repository=name, **domain)
    upstreams = [{"repositoryName": "store"}, {"repositoryName": "other"}]
    codeartifact.create_repository(repository="repo", description="d", upstreams=upstreams, tags=tags, **owned)
    codeartifact.associate_external_connection(repository="store", externalConnection="public:npmjs", **owned)
    store = codeartifact.describe_repository(repository="store", **owned)["repository"]
    assert store["externalConnections"] == [
        {"externalConnectionName": "public:npmjs", "packageFormat": "npm", "status": "Available"}
    ], store
    repo = {"repository": "repo", **owned}
    read = codeartifact.describe_repository(**repo)["repository"]
    assert [each["repositoryName"] for each in read["upstreams"]] == ["store", "other"], read
    codeartifact.update_repository(description="", upstreams=upstreams[::-1], **repo)
    read = codeartifact.describe_repository(**repo)["repository"]
    assert [each["repositoryName"] for each in read["upstreams"]] == ["other", "store"] and not read.get("description"), read
    codeartifact.put_repository_permissions_policy(policyDocument=document, **repo)
    assert codeartifact.get_repository_permissions_policy(**repo)["policy"]["document"] == document
    package = {"format": "npm", "namespace": "acme", "package": "ui", **repo}
    blocked = {"publish": "ALLOW", "upstream": "BLOCK"}
    codeartifact.put_package_origin_configuration(restrictions=blocked, **package)
    described = codeartifact.describe_package(**package)["package"]
    assert described["originConfiguration"]["restrictions"] == blocked, described
    assert codeartifact.get_authorization_token(durationSeconds=900, **owned)["authorizationToken"]
    assert codeartifact.get_repository_endpoint(format="npm", **repo)["repositoryEndpoint"]

    allowed = {"publish": "ALLOW", "upstream": "ALLOW"}
    codeartifact.put_package_origin_configuration(restrictions=allowed, **package)
    codeartifact.delete_repository_permissions_policy(**repo)
    gone("ResourceNotFoundException", codeartifact.get_repository_permissions_policy, **repo)
    codeartifact.delete_domain_permissions_policy(**owned)
    gone("ResourceNotFoundException", codeartifact.get_domain_permissions_policy, **owned)
    for name in ("repo", "store", "other"):
        codeartifact.delete_repository(repository=name, **owned)
        gone("ResourceNotFoundException", codeartifact.describe_repository, repository=name, **owned)
    codeartifact.delete_domain(**owned)
    gone("ResourceNotFoundException", codeartifact.describe_domain, **owned)


for life in (starts, role, user, provider, domain_and_repository):
    life()
print("all seen")
