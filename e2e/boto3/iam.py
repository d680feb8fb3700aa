"""Drives every operation of IAM that Larder has with boto3 against a running server, and provokes their errors.

Takes the server and the administrator's key from AWS's own variables, and from these
  ACCOUNT                        the administrator's account
  NOBODY_KEY_ID, NOBODY_SECRET   a user without any right

Every answer is compared with botocore's model: what it requires is there and has its form. Fails if an operation of
OPERATIONS was not answered, if one of ERRORS that the model has for it was neither provoked nor is in UNREACHABLE, if
one was not denied to who has no right, or if a paginator was not walked.
"""

import datetime
import json
import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = os.environ["ACCOUNT"]
ONCE = Config(retries={"total_max_attempts": 1})
ERRORS = {"NoSuchEntity", "EntityAlreadyExists", "DeleteConflict", "MalformedPolicyDocument", "LimitExceeded"}
READ = {"Effect": "Allow", "Action": "codeartifact:List*", "Resource": "*"}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [READ]})
SERVICE = {"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [SERVICE]})
NO_POLICY = f"arn:aws:iam::{ACCOUNT}:policy/missing"
NO_PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/missing.example.com"
PRINT = "0123456789abcdef0123456789abcdef01234567"

# The calls whose first failure is of something that is not there, which is also how the denied calls are made.
KINDS = {"User": "UserName", "Group": "GroupName", "Role": "RoleName"}
MISSING = {
    "GetUser": {"UserName": "missing"},
    "UpdateUser": {"UserName": "missing", "NewUserName": "other"},
    "DeleteUser": {"UserName": "missing"},
    "CreateAccessKey": {"UserName": "missing"},
    "ListAccessKeys": {"UserName": "missing"},
    "UpdateAccessKey": {"UserName": "missing", "AccessKeyId": "AKIAUNKNOWNUNKNOWN01", "Status": "Active"},
    "DeleteAccessKey": {"UserName": "missing", "AccessKeyId": "AKIAUNKNOWNUNKNOWN01"},
    "GetAccessKeyLastUsed": {"AccessKeyId": "AKIAUNKNOWNUNKNOWN01"},
    "GetGroup": {"GroupName": "missing"},
    "UpdateGroup": {"GroupName": "missing", "NewGroupName": "other"},
    "DeleteGroup": {"GroupName": "missing"},
    "AddUserToGroup": {"GroupName": "missing", "UserName": "admin"},
    "RemoveUserFromGroup": {"GroupName": "missing", "UserName": "admin"},
    "ListGroupsForUser": {"UserName": "missing"},
    "GetRole": {"RoleName": "missing"},
    "UpdateRole": {"RoleName": "missing", "Description": "x"},
    "UpdateRoleDescription": {"RoleName": "missing", "Description": "x"},
    "UpdateAssumeRolePolicy": {"RoleName": "missing", "PolicyDocument": TRUST},
    "DeleteRole": {"RoleName": "missing"},
    "ListEntitiesForPolicy": {"PolicyArn": NO_POLICY},
    "GetPolicy": {"PolicyArn": NO_POLICY},
    "DeletePolicy": {"PolicyArn": NO_POLICY},
    "CreatePolicyVersion": {"PolicyArn": NO_POLICY, "PolicyDocument": POLICY},
    "GetPolicyVersion": {"PolicyArn": NO_POLICY, "VersionId": "v1"},
    "ListPolicyVersions": {"PolicyArn": NO_POLICY},
    "SetDefaultPolicyVersion": {"PolicyArn": NO_POLICY, "VersionId": "v1"},
    "DeletePolicyVersion": {"PolicyArn": NO_POLICY, "VersionId": "v1"},
    "GetOpenIDConnectProvider": {"OpenIDConnectProviderArn": NO_PROVIDER},
    "DeleteOpenIDConnectProvider": {"OpenIDConnectProviderArn": NO_PROVIDER},
    "AddClientIDToOpenIDConnectProvider": {"OpenIDConnectProviderArn": NO_PROVIDER, "ClientID": "x"},
    "RemoveClientIDFromOpenIDConnectProvider": {"OpenIDConnectProviderArn": NO_PROVIDER, "ClientID": "x"},
    "UpdateOpenIDConnectProviderThumbprint": {"OpenIDConnectProviderArn": NO_PROVIDER, "ThumbprintList": [PRINT]},
    "TagPolicy": {"PolicyArn": NO_POLICY, "Tags": [{"Key": "k", "Value": "v"}]},
    "UntagPolicy": {"PolicyArn": NO_POLICY, "TagKeys": ["k"]},
    "ListPolicyTags": {"PolicyArn": NO_POLICY},
    "TagOpenIDConnectProvider": {"OpenIDConnectProviderArn": NO_PROVIDER, "Tags": [{"Key": "k", "Value": "v"}]},
    "UntagOpenIDConnectProvider": {"OpenIDConnectProviderArn": NO_PROVIDER, "TagKeys": ["k"]},
    "ListOpenIDConnectProviderTags": {"OpenIDConnectProviderArn": NO_PROVIDER},
    "ListInstanceProfilesForRole": {"RoleName": "missing"},
    "ListSSHPublicKeys": {"UserName": "missing"},
    "ListMFADevices": {"UserName": "missing"},
    "ListSigningCertificates": {"UserName": "missing"},
    "ListServiceSpecificCredentials": {"UserName": "missing"},
    "GetLoginProfile": {"UserName": "missing"},
    "DeleteLoginProfile": {"UserName": "missing"},
    "PutUserPermissionsBoundary": {"UserName": "missing", "PermissionsBoundary": NO_POLICY},
    "PutRolePermissionsBoundary": {"RoleName": "missing", "PermissionsBoundary": NO_POLICY},
    "DeleteUserPermissionsBoundary": {"UserName": "missing"},
    "DeleteRolePermissionsBoundary": {"RoleName": "missing"},
}
for kind, member in KINDS.items():
    name = {member: "missing"}
    MISSING |= {
        f"Put{kind}Policy": {**name, "PolicyName": "p", "PolicyDocument": POLICY},
        f"Get{kind}Policy": {**name, "PolicyName": "p"},
        f"List{kind}Policies": name,
        f"Delete{kind}Policy": {**name, "PolicyName": "p"},
        f"Attach{kind}Policy": {**name, "PolicyArn": "arn:aws:iam::aws:policy/IAMFullAccess"},
        f"Detach{kind}Policy": {**name, "PolicyArn": "arn:aws:iam::aws:policy/IAMFullAccess"},
        f"ListAttached{kind}Policies": name,
    }
    if kind != "Group":
        MISSING |= {
            f"Tag{kind}": {**name, "Tags": [{"Key": "k", "Value": "v"}]},
            f"Untag{kind}": {**name, "TagKeys": ["k"]},
            f"List{kind}Tags": name,
        }
OTHERS = {
    "CreateUser": {"UserName": "x"},
    "ListUsers": {},
    "CreateGroup": {"GroupName": "x"},
    "ListGroups": {},
    "CreateRole": {"RoleName": "x", "AssumeRolePolicyDocument": TRUST},
    "ListRoles": {},
    "CreatePolicy": {"PolicyName": "x", "PolicyDocument": POLICY},
    "ListPolicies": {},
    "CreateOpenIDConnectProvider": {"Url": "https://x.example.com", "ClientIDList": ["x"]},
    "ListOpenIDConnectProviders": {},
    "ListAccountAliases": {},
    "ListVirtualMFADevices": {},
}
# What nobody has here: nothing to be answered with.
UNHELD = {
    "GetLoginProfile",
    "DeleteLoginProfile",
    "PutUserPermissionsBoundary",
    "PutRolePermissionsBoundary",
    "DeleteUserPermissionsBoundary",
    "DeleteRolePermissionsBoundary",
}
OPERATIONS = set(MISSING) | set(OTHERS)

# Modelled errors that no request brings about.
NO_QUOTA = "there is no quota of this"
UNREACHABLE = {
    ("ListPolicies", "NoSuchEntity"): "lists what there is",
    ("CreateUser", "NoSuchEntity"): "names nothing that must be there",
    ("CreateGroup", "NoSuchEntity"): "names nothing that must be there",
    ("ListOpenIDConnectProviders", "NoSuchEntity"): "lists what there is",
    ("DeletePolicyVersion", "LimitExceeded"): NO_QUOTA,
    ("UpdateRole", "LimitExceeded"): NO_QUOTA,
}
for name in OPERATIONS:
    if name.startswith(("Delete", "Detach", "Update", "Remove", "Set", "Untag")):
        UNREACHABLE[(name, "LimitExceeded")] = "takes away or changes, and there is no quota of that"
for name in ("CreateUser", "CreateGroup", "CreateRole", "CreatePolicy", "CreateOpenIDConnectProvider"):
    UNREACHABLE.setdefault((name, "LimitExceeded"), NO_QUOTA)

answered, provoked, denied, walked = set(), {}, set(), set()
failures = []


def check(shape, value, where):
    """What the model requires is there, and nothing has another form."""
    if shape.type_name == "structure":
        for name in shape.required_members:
            if name not in value:
                failures.append(f"{where} has no {name}")
        for name, member in shape.members.items():
            if name in value:
                check(member, value[name], f"{where}.{name}")
    elif shape.type_name == "list":
        for item in value:
            check(shape.member, item, where)
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        failures.append(f"{where} is {value!r}")


def note(model, http_response, parsed, **_):
    if http_response.status_code == 200:
        answered.add(model.name)
        if model.output_shape:
            check(model.output_shape, parsed, model.name)
        return
    code = parsed["Error"]["Code"]
    provoked.setdefault(model.name, set()).add(code)
    for shape in model.error_shapes:
        known = shape.metadata.get("error", {})
        if known.get("code") == code and known["httpStatusCode"] != http_response.status_code:
            failures.append(f"{model.name} {code}: status {http_response.status_code}")
    if len(parsed["Error"]["Message"]) < 8:
        failures.append(f"{model.name} {code}: no message that helps")


def client(key=None):
    arguments = {}
    if key:
        arguments = dict(aws_access_key_id=os.environ[f"{key}_KEY_ID"], aws_secret_access_key=os.environ[f"{key}_SECRET"])
    made = boto3.client("iam", config=ONCE, **arguments)
    made.meta.events.register("after-call.iam", note)
    return made


iam = client()
METHODS = {operation: method for method, operation in iam.meta.method_to_api_mapping.items()}


def call(operation, on=iam, **parameters):
    return getattr(on, METHODS[operation])(**parameters)


def refused(code, operation, on=iam, **parameters):
    try:
        answer = call(operation, on, **parameters)
    except ClientError as error:
        found = error.response["Error"]
        if found["Code"] != code:
            failures.append(f"{operation}{parameters}: {found} instead of {code}")
        return
    failures.append(f"{operation}{parameters}: expected {code}, got {answer}")


def walk(operation, result, count, **parameters):
    """One item a page."""
    pages = list(iam.get_paginator(METHODS[operation]).paginate(PaginationConfig={"PageSize": 1}, **parameters))
    found = [item for page in pages for name in result.split("|") for item in page.get(name, [])]
    if len(found) != count or any(sum(len(page.get(name, [])) for name in result.split("|")) > 1 for page in pages):
        failures.append(f"{operation}: {count} expected one a page, got {pages}")
    walked.add(operation)


def people():
    user = call("CreateUser", UserName="alice", Path="/staff/", Tags=[{"Key": "team", "Value": "web"}])["User"]
    assert user["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/staff/alice" and user["UserId"].startswith("AIDA"), user
    assert call("GetUser", UserName="alice")["User"]["Tags"] == [{"Key": "team", "Value": "web"}]
    assert call("GetUser")["User"]["UserName"] == "admin"
    refused("EntityAlreadyExists", "CreateUser", UserName="alice")
    refused("EntityAlreadyExists", "UpdateUser", UserName="alice", NewUserName="admin")
    call("UpdateUser", UserName="alice", NewUserName="bob")
    assert call("GetUser", UserName="bob")["User"]["UserId"] == user["UserId"]
    walk("ListUsers", "Users", 3)
    walk("ListUsers", "Users", 1, PathPrefix="/staff/")
    call("UpdateUser", UserName="bob", NewPath="/staff/web/")
    assert call("GetUser", UserName="bob")["User"]["Path"] == "/staff/web/"
    keys = [call("CreateAccessKey", UserName="bob")["AccessKey"] for _ in range(2)]
    assert all(key["AccessKeyId"].startswith("AKIA") and len(key["SecretAccessKey"]) == 40 for key in keys), keys
    refused("LimitExceeded", "CreateAccessKey", UserName="bob")
    walk("ListAccessKeys", "AccessKeyMetadata", 2, UserName="bob")
    assert "Secret" not in json.dumps(call("ListAccessKeys", UserName="bob"), default=str)
    key = keys[0]["AccessKeyId"]
    call("UpdateAccessKey", UserName="bob", AccessKeyId=key, Status="Inactive")
    unused = call("GetAccessKeyLastUsed", AccessKeyId=key)
    assert unused["UserName"] == "bob" and unused["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}, unused
    used = call("GetAccessKeyLastUsed", AccessKeyId=os.environ["AWS_ACCESS_KEY_ID"])["AccessKeyLastUsed"]
    age = datetime.datetime.now(datetime.timezone.utc) - used["LastUsedDate"]
    assert used["Region"] == iam.meta.region_name and used["ServiceName"] != "N/A", used
    assert datetime.timedelta(0) <= age < datetime.timedelta(hours=1), used
    call("TagUser", UserName="bob", Tags=[{"Key": "stage", "Value": "test"}])
    walk("ListUserTags", "Tags", 2, UserName="bob")
    refused("LimitExceeded", "TagUser", UserName="bob", Tags=[{"Key": f"k{n}", "Value": "v"} for n in range(49)])
    call("UntagUser", UserName="bob", TagKeys=["stage"])

    group = call("CreateGroup", GroupName="readers", Path="/teams/")["Group"]
    assert group["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/teams/readers", group
    refused("EntityAlreadyExists", "CreateGroup", GroupName="readers")
    call("CreateGroup", GroupName="others")
    refused("EntityAlreadyExists", "UpdateGroup", GroupName="others", NewGroupName="readers")
    call("UpdateGroup", GroupName="others", NewGroupName="rest", NewPath="/teams/")
    walk("ListGroups", "Groups", 2, PathPrefix="/teams/")
    for name in ("readers", "rest"):
        call("AddUserToGroup", GroupName=name, UserName="bob")
    call("AddUserToGroup", GroupName="readers", UserName="admin")
    walk("GetGroup", "Users", 2, GroupName="readers")
    walk("ListGroupsForUser", "Groups", 2, UserName="bob")
    for number in range(9):
        call("CreateGroup", GroupName=f"many-{number}")
        if number < 8:
            call("AddUserToGroup", GroupName=f"many-{number}", UserName="bob")
    refused("LimitExceeded", "AddUserToGroup", GroupName="many-8", UserName="bob")
    refused("DeleteConflict", "DeleteGroup", GroupName="readers")
    for number in range(9):
        call("RemoveUserFromGroup", GroupName=f"many-{number}", UserName="bob")
        call("DeleteGroup", GroupName=f"many-{number}")


def roles():
    role = call("CreateRole", RoleName="build", Path="/ci/", AssumeRolePolicyDocument=TRUST, Description="builds",
                MaxSessionDuration=7200, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/ci/build" and role["RoleId"].startswith("AROA"), role
    assert role["AssumeRolePolicyDocument"] == json.loads(TRUST), "documents are URL-encoded JSON"
    refused("EntityAlreadyExists", "CreateRole", RoleName="build", AssumeRolePolicyDocument=TRUST)
    refused("MalformedPolicyDocument", "CreateRole", RoleName="other", AssumeRolePolicyDocument=POLICY)
    refused("MalformedPolicyDocument", "UpdateAssumeRolePolicy", RoleName="build", PolicyDocument="{")
    call("UpdateAssumeRolePolicy", RoleName="build", PolicyDocument=TRUST)
    call("UpdateRole", RoleName="build", MaxSessionDuration=3600)
    call("UpdateRoleDescription", RoleName="build", Description="still builds")
    found = call("GetRole", RoleName="build")["Role"]
    assert (found["MaxSessionDuration"], found["Description"], len(found["Tags"])) == (3600, "still builds", 2), found
    call("CreateRole", RoleName="deploy", Path="/ci/", AssumeRolePolicyDocument=TRUST)
    walk("ListRoles", "Roles", 2, PathPrefix="/ci/")
    walk("ListRoleTags", "Tags", 2, RoleName="build")
    refused("LimitExceeded", "TagRole", RoleName="build", Tags=[{"Key": f"k{n}", "Value": "v"} for n in range(49)])
    call("TagRole", RoleName="build", Tags=[{"Key": "c", "Value": "3"}])
    call("UntagRole", RoleName="build", TagKeys=["c"])
    call("DeleteRole", RoleName="deploy")


NAMES = {"User": {"UserName": "bob"}, "Group": {"GroupName": "readers"}, "Role": {"RoleName": "build"}}
LONG = json.dumps({"Version": "2012-10-17", "Statement": [{**READ, "Action": "codeartifact:" + "List" * 500 + "*"}]})


def inline():
    for kind, name in NAMES.items():
        for policy in ("one", "two"):
            call(f"Put{kind}Policy", **name, PolicyName=policy, PolicyDocument=POLICY)
        found = call(f"Get{kind}Policy", **name, PolicyName="one")
        assert found["PolicyDocument"] == json.loads(POLICY), found
        walk(f"List{kind}Policies", "PolicyNames", 2, **name)
        refused("MalformedPolicyDocument", f"Put{kind}Policy", **name, PolicyName="p", PolicyDocument="{")
        for number in range(6):
            try:
                call(f"Put{kind}Policy", **name, PolicyName=f"long-{number}", PolicyDocument=LONG)
            except ClientError as error:
                assert error.response["Error"]["Code"] == "LimitExceeded", error
                break
        for policy in call(f"List{kind}Policies", **name)["PolicyNames"]:
            call(f"Delete{kind}Policy", **name, PolicyName=policy)
        refused("NoSuchEntity", f"Get{kind}Policy", **name, PolicyName="one")


def managed():
    created = call("CreatePolicy", PolicyName="read", Path="/p/", PolicyDocument=POLICY, Description="reads",
                   Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])["Policy"]
    arn = created["Arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:policy/p/read" and created["DefaultVersionId"] == "v1", created
    refused("EntityAlreadyExists", "CreatePolicy", PolicyName="read", PolicyDocument=POLICY)
    refused("MalformedPolicyDocument", "CreatePolicy", PolicyName="x", PolicyDocument="{}")
    refused("MalformedPolicyDocument", "CreatePolicyVersion", PolicyArn=arn, PolicyDocument="{}")
    for _ in range(4):
        version = call("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=POLICY)["PolicyVersion"]
    assert version["VersionId"] == "v5" and not version["IsDefaultVersion"], version
    refused("LimitExceeded", "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=POLICY)
    walk("ListPolicyVersions", "Versions", 5, PolicyArn=arn)
    found = call("GetPolicyVersion", PolicyArn=arn, VersionId="v2")["PolicyVersion"]
    assert found["Document"] == json.loads(POLICY) and not found["IsDefaultVersion"], found
    call("SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v2")
    assert call("GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v2"
    refused("DeleteConflict", "DeletePolicyVersion", PolicyArn=arn, VersionId="v2")
    walk("ListPolicies", "Policies", 5)
    walk("ListPolicyTags", "Tags", 2, PolicyArn=arn)
    refused("LimitExceeded", "TagPolicy", PolicyArn=arn, Tags=[{"Key": f"k{n}", "Value": "v"} for n in range(49)])
    call("TagPolicy", PolicyArn=arn, Tags=[{"Key": "c", "Value": "3"}])
    call("UntagPolicy", PolicyArn=arn, TagKeys=["c"])

    admin = "arn:aws:iam::aws:policy/AWSCodeArtifactAdminAccess"
    for kind, name in NAMES.items():
        for policy in (arn, admin):
            call(f"Attach{kind}Policy", **name, PolicyArn=policy)
        walk(f"ListAttached{kind}Policies", "AttachedPolicies", 2, **name)
        refused("NoSuchEntity", f"Attach{kind}Policy", **name, PolicyArn=NO_POLICY)
        more = [call("CreatePolicy", PolicyName=f"{kind}-{n}", PolicyDocument=POLICY)["Policy"]["Arn"] for n in range(9)]
        for policy in more[:8]:
            call(f"Attach{kind}Policy", **name, PolicyArn=policy)
        refused("LimitExceeded", f"Attach{kind}Policy", **name, PolicyArn=more[8])
        for policy in more:
            if policy != more[8]:
                call(f"Detach{kind}Policy", **name, PolicyArn=policy)
            call("DeletePolicy", PolicyArn=policy)
        refused("NoSuchEntity", f"Detach{kind}Policy", **name, PolicyArn=more[0])
    assert call("GetPolicy", PolicyArn=arn)["Policy"]["AttachmentCount"] == 3
    assert call("GetPolicy", PolicyArn=admin)["Policy"]["AttachmentCount"] == 3
    walk("ListEntitiesForPolicy", "PolicyGroups|PolicyUsers|PolicyRoles", 3, PolicyArn=arn)
    refused("DeleteConflict", "DeletePolicy", PolicyArn=arn)
    for operation, name in (("DeleteUser", NAMES["User"]), ("DeleteRole", NAMES["Role"])):
        refused("DeleteConflict", operation, **name)
    for kind, name in NAMES.items():
        for policy in (arn, admin):
            call(f"Detach{kind}Policy", **name, PolicyArn=policy)
    for version in ("v1", "v3", "v4", "v5"):
        call("DeletePolicyVersion", PolicyArn=arn, VersionId=version)
    call("DeletePolicy", PolicyArn=arn)


def providers():
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    made = call("CreateOpenIDConnectProvider", Url="https://ci.example.com/x", ClientIDList=["larder"],
                ThumbprintList=[PRINT], Tags=tags)
    arn = made["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:oidc-provider/ci.example.com/x" and made["Tags"] == tags, made
    refused("EntityAlreadyExists", "CreateOpenIDConnectProvider", Url="https://ci.example.com/x", ClientIDList=["x"])
    refused("InvalidInput", "CreateOpenIDConnectProvider", Url="ci.example.com", ClientIDList=["x"])
    for number in range(99):
        call("AddClientIDToOpenIDConnectProvider", OpenIDConnectProviderArn=arn, ClientID=f"client-{number:02}")
    refused("LimitExceeded", "AddClientIDToOpenIDConnectProvider", OpenIDConnectProviderArn=arn, ClientID="one-more")
    call("RemoveClientIDFromOpenIDConnectProvider", OpenIDConnectProviderArn=arn, ClientID="client-00")
    call("UpdateOpenIDConnectProviderThumbprint", OpenIDConnectProviderArn=arn, ThumbprintList=[PRINT, PRINT[::-1]])
    found = call("GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)
    assert found["Url"] == "ci.example.com/x" and len(found["ClientIDList"]) == 99, found
    assert found["ThumbprintList"] == [PRINT, PRINT[::-1]], found
    assert call("ListOpenIDConnectProviders")["OpenIDConnectProviderList"] == [{"Arn": arn}]
    walk("ListOpenIDConnectProviderTags", "Tags", 2, OpenIDConnectProviderArn=arn)
    many = [{"Key": f"k{n}", "Value": "v"} for n in range(49)]
    refused("LimitExceeded", "TagOpenIDConnectProvider", OpenIDConnectProviderArn=arn, Tags=many)
    call("TagOpenIDConnectProvider", OpenIDConnectProviderArn=arn, Tags=[{"Key": "c", "Value": "3"}])
    call("UntagOpenIDConnectProvider", OpenIDConnectProviderArn=arn, TagKeys=["c"])
    call("DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=arn)


def ends():
    for name in ("readers", "rest"):
        for user in ("bob", "admin"):
            call("RemoveUserFromGroup", GroupName=name, UserName=user)
        call("DeleteGroup", GroupName=name)
    refused("DeleteConflict", "DeleteUser", UserName="bob")
    for key in call("ListAccessKeys", UserName="bob")["AccessKeyMetadata"]:
        call("DeleteAccessKey", UserName="bob", AccessKeyId=key["AccessKeyId"])
    for code, operation, more in (
        ("NoSuchEntity", "DeleteLoginProfile", {}),
        ("NoSuchEntity", "DeleteUserPermissionsBoundary", {}),
        ("InvalidInput", "PutUserPermissionsBoundary", {"PermissionsBoundary": "arn:aws:iam::aws:policy/IAMFullAccess"}),
    ):
        refused(code, operation, UserName="bob", **more)
    walk("ListSSHPublicKeys", "SSHPublicKeys", 0, UserName="bob")
    walk("ListMFADevices", "MFADevices", 0, UserName="bob")
    walk("ListVirtualMFADevices", "VirtualMFADevices", 0)
    walk("ListSigningCertificates", "Certificates", 0, UserName="bob")
    assert call("ListServiceSpecificCredentials", UserName="bob")["ServiceSpecificCredentials"] == []
    walk("ListInstanceProfilesForRole", "InstanceProfiles", 0, RoleName="build")
    call("DeleteUser", UserName="bob")
    call("DeleteRole", RoleName="build")
    walk("ListAccountAliases", "AccountAliases", 0)


def strangers():
    nobody = client("NOBODY")
    for operation, parameters in {**MISSING, **OTHERS}.items():
        # What is not this account's is not there for anybody.
        refused("AccessDenied", operation, nobody, **parameters)
        if operation in MISSING:
            refused("NoSuchEntity", operation, **parameters)


for scenario in (people, roles, inline, managed, providers, ends, strangers):
    scenario()
for name in sorted(OPERATIONS):
    model = iam.meta.service_model.operation_model(name)
    if name not in answered | UNHELD:
        failures.append(f"{name} was never answered")
    modelled = {shape.metadata.get("error", {}).get("code") for shape in model.error_shapes} & ERRORS
    for code in sorted(modelled - provoked.get(name, set())):
        if (name, code) not in UNREACHABLE:
            failures.append(f"{name} was never refused with {code}")
    if iam.can_paginate(METHODS[name]) and name not in walked:
        failures.append(f"{name} was not walked page by page")
for (name, code), why in UNREACHABLE.items():
    if code in provoked.get(name, set()):
        failures.append(f"{name} was refused with {code}, of which this says: {why}")
print("\n".join(failures) or f"{len(answered)} operations")
sys.exit(1 if failures else 0)
