"""Every paginator, walked with one item per page: the same items as in one call, no more and no fewer."""

import hashlib

from packages import publish_npm

# Operation and the member that holds the items.
PAGINATED = {
    "ListDomains": "domains",
    "ListRepositories": "repositories",
    "ListRepositoriesInDomain": "repositories",
    "ListPackages": "packages",
    "ListPackageVersions": "versions",
    "ListPackageVersionAssets": "assets",
    "ListPackageGroups": "packageGroups",
    "ListSubPackageGroups": "packageGroups",
    "ListAllowedRepositoriesForGroup": "allowedRepositories",
    "ListAssociatedPackages": "packages",
}


def pages(recorder, admin, _):
    admin.create_domain(domain="paged")
    admin.create_domain(domain="paged-too")
    for name in ["one", "two", "three"]:
        admin.create_repository(domain="paged", repository=name)
    token = admin.get_authorization_token(domain="paged")["authorizationToken"]
    endpoint = admin.get_repository_endpoint(domain="paged", repository="one", format="npm")["repositoryEndpoint"]
    for name, version in [("a", "1.0.0"), ("a", "1.1.0"), ("a", "1.2.0"), ("b", "1.0.0"), ("@s/a", "1.0.0")]:
        publish_npm(endpoint, token, name, version)
    generic = {"domain": "paged", "repository": "one", "format": "generic", "namespace": "n", "package": "g"}
    for asset in ["x", "y", "z"]:
        admin.publish_package_version(
            **generic,
            packageVersion="1",
            assetName=asset,
            assetContent=asset.encode(),
            assetSHA256=hashlib.sha256(asset.encode()).hexdigest(),
            unfinished=True,
        )
    for pattern in ["/npm/*", "/npm//a$", "/npm//b$"]:
        admin.create_package_group(domain="paged", packageGroup=pattern)
    admin.update_package_group_origin_configuration(
        domain="paged",
        packageGroup="/*",
        addAllowedRepositories=[
            {"repositoryName": name, "originRestrictionType": "PUBLISH"} for name in ["one", "two", "three"]
        ],
    )
    publish_npm(endpoint, token, "@s/b", "1.0.0")
    repository = {"domain": "paged", "repository": "one"}
    parameters = {
        "ListDomains": {},
        "ListRepositories": {},
        "ListRepositoriesInDomain": {"domain": "paged"},
        "ListPackages": repository,
        "ListPackageVersions": {**repository, "format": "npm", "package": "a"},
        "ListPackageVersionAssets": {**generic, "packageVersion": "1"},
        "ListPackageGroups": {"domain": "paged"},
        "ListSubPackageGroups": {"domain": "paged", "packageGroup": "/npm/*"},
        "ListAllowedRepositoriesForGroup": {
            "domain": "paged",
            "packageGroup": "/*",
            "originRestrictionType": "PUBLISH",
        },
        "ListAssociatedPackages": {"domain": "paged", "packageGroup": "/npm/*"},
    }
    for operation, member in PAGINATED.items():
        walk(recorder, admin, operation, member, parameters[operation])
    newest = {**parameters["ListPackageVersions"], "sortBy": "PUBLISHED_TIME"}
    walk(recorder, admin, "ListPackageVersions", "versions", newest)
    for name in ["one", "two", "three"]:
        admin.delete_repository(domain="paged", repository=name)
    for domain in ["paged", "paged-too"]:
        admin.delete_domain(domain=domain)


def walk(recorder, admin, operation, member, parameters):
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_")
    whole = getattr(admin, snake)(**parameters)[member]
    walked, count = [], 0
    for page in admin.get_paginator(snake).paginate(**parameters, PaginationConfig={"PageSize": 1}):
        assert len(page[member]) <= 1, f"{operation}: {len(page[member])} items on a page of one"
        walked += page[member]
        count += 1
        assert count < 100, f"{operation} does not end"
    assert walked == whole, f"{operation}: {walked} is not {whole}"
    assert len(whole) >= 2 and count >= len(whole), f"{operation}: {count} pages for {len(whole)} items"
    recorder.paginated.add(operation)


ALL = [pages]
