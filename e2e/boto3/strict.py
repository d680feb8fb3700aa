"""A boto3 client that holds every answer against botocore's own model of the service."""

import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# Members that may be missing, by shape. Everything else that the model names has to be there.
OPTIONAL = {
    "RepositoryDescription": {"description"},
    "RepositorySummary": {"description"},
    "PackageDescription": {"namespace"},
    "PackageSummary": {"namespace", "originConfiguration"},
    "PackageVersionDescription": {"namespace", "summary", "homePage", "sourceCodeRepository", "licenses", "displayName"},
    "PackageVersionSummary": {"origin"},
    "PackageDependency": {"namespace", "dependencyType", "versionRequirement"},
    "LicenseInfo": {"url"},
    "DomainEntryPoint": {"repositoryName", "externalConnectionName"},
    "ListPackageVersionsResult": {"namespace", "defaultDisplayVersion"},
    "ListPackageVersionAssetsResult": {"namespace"},
    "ListPackageVersionDependenciesResult": {"namespace"},
    "GetPackageVersionReadmeResult": {"namespace"},
    "PublishPackageVersionResult": {"namespace"},
    "PackageGroupDescription": {"contactInfo", "description", "parent"},
    "PackageGroupSummary": {"contactInfo", "description", "parent"},
    "PackageGroupOriginRestriction": {"inheritedFrom"},
    "AssociatedPackage": {"namespace"},
}


class Mismatch(AssertionError):
    """An answer that is not what the model says."""


def check(shape, value, where):
    """Compares a JSON value with a shape; raises Mismatch at the first difference."""
    kind = shape.type_name
    if kind == "structure":
        check_structure(shape, value, where)
    elif kind == "list":
        expect(isinstance(value, list), where, "a list", value)
        for index, item in enumerate(value):
            check(shape.member, item, f"{where}[{index}]")
    elif kind == "map":
        expect(isinstance(value, dict), where, "a map", value)
        for key, item in value.items():
            check(shape.key, key, f"{where} key")
            check(shape.value, item, f"{where}.{key}")
    elif kind == "string":
        expect(isinstance(value, str), where, "a string", value)
        expect(not shape.enum or value in shape.enum, where, f"one of {shape.enum}", value)
    elif kind in ("integer", "long"):
        expect(isinstance(value, int) and not isinstance(value, bool), where, "a whole number", value)
    elif kind == "timestamp":
        expect(isinstance(value, (int, float)) and 1.5e9 < value < 5e9, where, "seconds since 1970", value)
    elif kind == "boolean":
        expect(isinstance(value, bool), where, "true or false", value)
    else:
        raise Mismatch(f"{where}: the model has a {kind}, which this check does not know")


def check_structure(shape, value, where, skip=()):
    expect(isinstance(value, dict), where, "an object", value)
    names = {member.serialization.get("name", name): name for name, member in shape.members.items() if name not in skip}
    for key in value:
        expect(key in names, where, "no such member", key)
    optional = OPTIONAL.get(shape.name, set()) | {"nextToken"}
    for key, name in names.items():
        if value.get(key) is None:
            expect(name in optional, where, f"a member {key}", value)
        else:
            check(shape.members[name], value[key], f"{where}.{key}")
    if shape.name == "DomainEntryPoint":
        expect(len([item for item in value.values() if item]) == 1, where, "exactly one entry point", value)
    if shape.name == "AssetSummary":
        expect(set(value["hashes"]) == {"MD5", "SHA-1", "SHA-256", "SHA-512"}, where, "all four hashes", value)


def expect(condition, where, wanted, got):
    if not condition:
        raise Mismatch(f"{where}: expected {wanted}, got {json.dumps(got, default=str)[:500]}")


def check_answer(operation, response, parsed):
    """Checks a successful answer: headers, body, members."""
    expect("x-amzn-requestid" in {name.lower() for name in response.headers}, operation.name, "a request id", dict(response.headers))
    shape = operation.output_shape
    outside = {name for name, member in shape.members.items() if member.serialization.get("location")}
    for name in outside:
        expect(parsed.get(name), operation.name, f"a header for {name}", dict(response.headers))
    if "payload" in shape.serialization:
        return
    body = json.loads(response.content or b"{}")
    check_structure(shape, body, operation.name, outside)


class Recorder:
    """Which operations answered, with what, and over how many pages."""

    def __init__(self):
        self.answered = set()
        self.errors = {}
        self.paginated = set()

    def client(self, key_id, secret):
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
        client = boto3.client(
            "codeartifact", aws_access_key_id=key_id, aws_secret_access_key=secret, config=config
        )
        client.meta.events.register("after-call.codeartifact", self.after_call)
        return client

    def after_call(self, http_response, parsed, model, **_):
        name = model.name
        if http_response.status_code < 300:
            check_answer(model, http_response, parsed)
            self.answered.add(name)
            return
        code = parsed["Error"]["Code"]
        header = http_response.headers.get("x-amzn-errortype", "").split(":")[0]
        expect(header == code, name, f"x-amzn-errortype {code}", header)
        message = parsed["Error"]["Message"]
        expect(len(message) > 8, name, "a message that helps", message)
        by_name = {shape.name: shape for shape in model.error_shapes}
        if code not in by_name:
            return
        shape = by_name[code]
        wanted = shape.metadata["error"]["httpStatusCode"]
        expect(http_response.status_code == wanted, f"{name} {code}", f"status {wanted}", http_response.status_code)
        body = json.loads(http_response.content)
        known = set(shape.members) | {"__type", "code"}
        expect(set(body) <= known, f"{name} {code}", f"only {known}", body)
        self.errors.setdefault(name, set()).add(code)


def refused(code, call, **parameters):
    """Calls an operation that has to fail with this error, and returns the error."""
    try:
        answer = call(**parameters)
    except ClientError as error:
        got = error.response["Error"]["Code"]
        expect(got == code, f"{call.__name__}({parameters})", code, error.response["Error"])
        return error.response
    raise Mismatch(f"{call.__name__}({parameters}): expected {code}, got {answer}")
