"""Package groups: what they say of themselves, of packages, and what they keep out."""

import json
import urllib.error

from packages import publish_npm
from scenarios import OWNER, equal
from strict import refused

ARN = f"arn:aws:codeartifact:us-east-1:{OWNER}:package-group/grouped"


def restriction(group, kind):
    return group["originConfiguration"]["restrictions"][kind]


def package_groups(_, admin, __):
    admin.create_domain(domain="grouped")
    for name in ["repo", "other"]:
        admin.create_repository(domain="grouped", repository=name)
    made = admin.create_package_group(
        domain="grouped",
        packageGroup="/npm/*",
        contactInfo="team a",
        description="all of npm",
        tags=[{"key": "team", "value": "a"}],
    )["packageGroup"]
    equal((made["arn"], made["pattern"], made["parent"]["pattern"]), (f"{ARN}/npm/%2a", "/npm/*", "/*"))
    equal((made["contactInfo"], made["description"]), ("team a", "all of npm"))
    changed = admin.update_package_group(domain="grouped", packageGroup="/npm/*", description="npm")["packageGroup"]
    equal((changed["contactInfo"], changed["description"]), ("team a", "npm"))
    equal(admin.list_tags_for_resource(resourceArn=made["arn"])["tags"], [{"key": "team", "value": "a"}])
    admin.tag_resource(resourceArn=made["arn"], tags=[{"key": "stage", "value": "b"}])
    admin.untag_resource(resourceArn=made["arn"], tagKeys=["team"])
    equal(admin.list_tags_for_resource(resourceArn=made["arn"])["tags"], [{"key": "stage", "value": "b"}])

    admin.create_package_group(domain="grouped", packageGroup="/npm//lib-ui$")
    updated = admin.update_package_group_origin_configuration(
        domain="grouped",
        packageGroup="/npm/*",
        restrictions={"PUBLISH": "ALLOW_SPECIFIC_REPOSITORIES", "EXTERNAL_UPSTREAM": "BLOCK"},
        addAllowedRepositories=[
            {"repositoryName": "repo", "originRestrictionType": "PUBLISH"},
            {"repositoryName": "other", "originRestrictionType": "INTERNAL_UPSTREAM"},
        ],
    )
    equal(updated["allowedRepositoryUpdates"], {"PUBLISH": {"ADDED": ["repo"]}, "INTERNAL_UPSTREAM": {"ADDED": ["other"]}})
    equal(restriction(updated["packageGroup"], "PUBLISH")["repositoriesCount"], 1)
    inheriting = admin.describe_package_group(domain="grouped", packageGroup="/npm//lib-ui$")["packageGroup"]
    own = restriction(inheriting, "PUBLISH")
    equal((own["mode"], own["effectiveMode"]), ("INHERIT", "ALLOW_SPECIFIC_REPOSITORIES"))
    equal(own["inheritedFrom"], {"arn": f"{ARN}/npm/%2a", "pattern": "/npm/*"})
    equal(restriction(inheriting, "EXTERNAL_UPSTREAM")["effectiveMode"], "BLOCK")
    equal(restriction(inheriting, "INTERNAL_UPSTREAM")["inheritedFrom"]["pattern"], "/*")
    listed = admin.list_allowed_repositories_for_group(
        domain="grouped", packageGroup="/npm/*", originRestrictionType="PUBLISH"
    )
    equal(listed["allowedRepositories"], ["repo"])
    updated = admin.update_package_group_origin_configuration(
        domain="grouped",
        packageGroup="/npm/*",
        removeAllowedRepositories=[{"repositoryName": "other", "originRestrictionType": "INTERNAL_UPSTREAM"}],
    )
    equal(updated["allowedRepositoryUpdates"], {"INTERNAL_UPSTREAM": {"REMOVED": ["other"]}})

    publishing(admin)
    associations(admin)

    # A repository that is deleted is on no list any more.
    admin.delete_package(domain="grouped", repository="repo", format="npm", package="lib-ui")
    admin.delete_repository(domain="grouped", repository="repo")
    group = admin.describe_package_group(domain="grouped", packageGroup="/npm/*")["packageGroup"]
    equal(restriction(group, "PUBLISH")["repositoriesCount"], 0)
    equal(admin.delete_package_group(domain="grouped", packageGroup="/npm/*")["packageGroup"]["pattern"], "/npm/*")
    child = admin.describe_package_group(domain="grouped", packageGroup="/npm//lib-ui$")["packageGroup"]
    equal(child["parent"]["pattern"], "/*")
    equal(restriction(child, "PUBLISH")["effectiveMode"], "ALLOW")
    admin.delete_repository(domain="grouped", repository="other")
    admin.delete_domain(domain="grouped")


def publishing(admin):
    """Only the listed repository takes it, under exactly its name."""
    token = admin.get_authorization_token(domain="grouped")["authorizationToken"]

    def publish(repository, name):
        where = {"domain": "grouped", "repository": repository, "format": "npm"}
        endpoint = admin.get_repository_endpoint(**where)["repositoryEndpoint"]
        try:
            publish_npm(endpoint, token, name, "1.0.0")
        except urllib.error.HTTPError as error:
            return f"{error.code} {json.loads(error.read())['error']}"
        return "published"

    equal(publish("repo", "lib-ui"), "published")
    answer = publish("other", "lib-ui")
    wanted = "package group '/npm//lib-ui$' (PUBLISH=ALLOW_SPECIFIC_REPOSITORIES, inherited from '/npm/*')"
    assert answer.startswith("403 ") and wanted in answer, answer
    admin.create_package_group(domain="grouped", packageGroup="/npm//team-kit$")
    answer = publish("repo", "team_kit")
    assert answer.startswith("403 ") and "is a variant of what package group '/npm//team-kit$' stands for" in answer, answer
    admin.delete_package_group(domain="grouped", packageGroup="/npm//team-kit$")


def associations(admin):
    def associated(package):
        found = admin.get_associated_package_group(domain="grouped", format="npm", package=package)
        return found["packageGroup"]["pattern"], found["associationType"]

    equal(associated("lib-ui"), ("/npm//lib-ui$", "STRONG"))
    equal(associated("LIB.UI"), ("/npm//lib-ui$", "WEAK"))
    equal(associated("libui"), ("/npm/*", "STRONG"))
    wanted = [{"format": "npm", "package": "lib-ui", "associationType": "STRONG"}]
    listed = admin.list_associated_packages(domain="grouped", packageGroup="/npm//lib-ui$")
    equal(listed["packages"], wanted)
    equal(admin.list_associated_packages(domain="grouped", packageGroup="/npm/*")["packages"], [])
    refused("ResourceNotFoundException", admin.list_associated_packages, domain="grouped", packageGroup="/npm//lib~")
    preview = admin.list_associated_packages(domain="grouped", packageGroup="/npm//lib-ui~", preview=True)
    equal(preview["packages"], [])
    subs = admin.list_sub_package_groups(domain="grouped", packageGroup="/npm/*")["packageGroups"]
    equal([group["pattern"] for group in subs], ["/npm//lib-ui$"])
    prefixed = admin.list_package_groups(domain="grouped", prefix="/npm")["packageGroups"]
    equal([group["pattern"] for group in prefixed], ["/npm/*", "/npm//lib-ui$"])


ALL = [package_groups]
