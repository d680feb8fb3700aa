#!/usr/bin/env python3
"""Writes botocore.json: requests signed by botocore, the code inside the AWS CLI and boto3.

    python3 -m venv venv && venv/bin/pip install botocore && venv/bin/python generate.py

The clock and the credentials are fixed, so the output depends on botocore's version only. No request is sent: the
operations of the client are caught just before sending.
"""

import datetime
import json
import os
import urllib.parse

import botocore
import botocore.auth
import botocore.session
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc)
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGION, ENDPOINT = "us-east-1", "http://127.0.0.1:5273"

botocore.auth.get_current_datetime = lambda *_: NOW
rows = []
# Not signed, and different in every run.
VARYING = {"user-agent", "amz-sdk-invocation-id", "amz-sdk-request"}


def text(value):
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def record(name, service, method, url, headers, body):
    parts = urllib.parse.urlsplit(url)
    sent = [[key.lower(), text(value)] for key, value in headers if key.lower() not in VARYING]
    if not any(key == "host" for key, _ in sent):
        sent.append(["host", parts.netloc])
    rows.append(
        {
            "name": name,
            "service": service,
            "method": method,
            "path": parts.path or "/",
            "query": parts.query or None,
            "headers": sent,
            "body": text(body or b""),
        }
    )


def plain(name, method, path, headers=(), body=b"", service="codeartifact", presigned=None):
    """A request made by hand and signed by one of botocore's signers."""
    request = AWSRequest(method=method, url=ENDPOINT + path, data=body)
    for key, value in headers:
        request.headers.add_header(key, value)
    credentials = Credentials(KEY, SECRET)
    if presigned is None:
        signer = botocore.auth.SigV4Auth(credentials, service, REGION)
    else:
        signer = botocore.auth.SigV4QueryAuth(credentials, service, REGION, expires=presigned)
    signer.add_auth(request)
    record(name, service, method, request.url, request.headers.items(), body)


session = botocore.session.Session()
clients = {
    service: session.create_client(
        service,
        region_name=REGION,
        endpoint_url=ENDPOINT,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
    )
    for service in ("codeartifact", "sts")
}


def operation(name, service, method, **arguments):
    """A request as boto3 and the AWS CLI make it."""

    def catch(request, **_):
        body = request.body
        if hasattr(body, "read"):
            body.seek(0)
            body = body.read()
        record(name, service, request.method, request.url, request.headers.items(), body)
        return AWSResponse(request.url, 200, {}, None)

    client = clients[service]
    client.meta.events.register_first("before-send", catch, unique_id="catch")
    try:
        getattr(client, method)(**arguments)
    except Exception:  # the empty answer does not parse; the request is what is wanted
        pass
    client.meta.events.unregister("before-send", unique_id="catch")


DOMAIN = {"domain": "my-domain", "domainOwner": "111122223333"}
REPOSITORY = {**DOMAIN, "repository": "my-repo"}
PACKAGE = {**REPOSITORY, "format": "npm", "namespace": "parity", "package": "ui"}

operation("list domains", "codeartifact", "list_domains", maxResults=5)
operation("get authorization token", "codeartifact", "get_authorization_token", durationSeconds=900, **DOMAIN)
operation("get repository endpoint", "codeartifact", "get_repository_endpoint", format="pypi", **REPOSITORY)
operation("describe package version", "codeartifact", "describe_package_version", packageVersion="1.0.0+build 7", **PACKAGE)
operation("package with percent and slash-like text", "codeartifact", "describe_package", **{**PACKAGE, "package": "a%2Fb&c=d?e"})
operation("package beyond ASCII", "codeartifact", "describe_package", **{**PACKAGE, "package": "größe-ሴ"})
operation("create repository", "codeartifact", "create_repository", description="für alle", upstreams=[{"repositoryName": "npm-store"}], **REPOSITORY)
operation("put domain policy", "codeartifact", "put_domain_permissions_policy", policyDocument='{"Version": "2012-10-17"}', **DOMAIN)
operation("delete repository policy", "codeartifact", "delete_repository_permissions_policy", policyRevision="pWuUJ+/=x==", **REPOSITORY)
operation("copy versions", "codeartifact", "copy_package_versions", **DOMAIN, sourceRepository="a-repo", destinationRepository="b-repo", format="npm", package="x", versions=["1.0.0", "2.0.0"])
operation("publish generic", "codeartifact", "publish_package_version", **{**PACKAGE, "format": "generic"}, packageVersion="1.0", assetName="a file (1).txt", assetContent=b"hello", assetSHA256="2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
operation("get asset", "codeartifact", "get_package_version_asset", **PACKAGE, packageVersion="1.0", asset="package.tgz")
operation("list tags", "codeartifact", "list_tags_for_resource", resourceArn="arn:aws:codeartifact:us-east-1:111122223333:repository/my-domain/my-repo")
operation("list packages with token", "codeartifact", "list_packages", **REPOSITORY, nextToken="eyJrIjoi+/==", packagePrefix="~tilde*star'quote")
operation("get caller identity", "sts", "get_caller_identity")

plain("vanilla", "GET", "/")
plain("no path", "GET", "")
plain("date header", "GET", "/v1/domains", [("Date", "replaced by the signer")])
plain("header spaces", "GET", "/", [("X-Custom", "   a   b \t c  ")])
plain("repeated header", "GET", "/", [("X-Custom", "b"), ("X-Custom", "a")])
plain("header names sort", "POST", "/", [("Zebra", "z"), ("alpha", "a"), ("Beta", "b")])
plain("path with escapes", "GET", "/v1/a%20b/%E1%88%B4/c%2Fd")
plain("path with reserved characters", "GET", "/v1/a:b@c,d;e=f+g!h$i&j'k(l)*m~n")
plain("path with dots", "GET", "/v1/./a/../b//c/")
plain("query order", "GET", "/?b=2&a=2&a=1&B=0&a-b=1&a.b=2")
plain("query with empty values", "GET", "/?empty=&also=&a=1")
plain("query with escapes", "GET", "/?plus=a%2Bb&space=a%20b&slash=%2F&equals=%3D&percent=%25&utf8=%E1%88%B4")
plain("body", "POST", "/v1/tag", [("Content-Type", "application/json")], b'{"tags": [{"key": "k", "value": "\xc3\xa9"}]}')
plain("form body", "POST", "/", [("Content-Type", "application/x-www-form-urlencoded")], b"Action=GetCallerIdentity&Version=2011-06-15", service="sts")
plain("unsigned payload", "PUT", "/v1/x", [("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")], b"anything")
plain("presigned", "GET", "/v1/domain?domain=my-domain", presigned=3600)
plain("presigned for a week", "GET", "/", presigned=604800)
plain("presigned with escapes", "GET", "/v1/package?package=a%2Bb%20c&namespace=%E1%88%B4", presigned=60)
plain("presigned with headers", "GET", "/v1/domain?domain=d", [("X-Amz-Meta", "1"), ("X-Custom", "2")], presigned=60)
plain("presigned caller identity", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", service="sts", presigned=60)

target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "botocore.json")
with open(target, "w", encoding="utf-8") as out:
    about = {
        "generator": f"botocore {botocore.__version__}",
        "now": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "secret": SECRET,
        "region": REGION,
    }
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    out.write(f'{{"about": {json.dumps(about)}, "rows": [\n{lines}\n]}}\n')
print(f"{len(rows)} rows in {target}")
