// Larder as the AWS SDK for JavaScript sees it. It is configured by AWS_ENDPOINT_URL and credentials in the environment.
const assert = require("node:assert/strict");
const { createHash } = require("node:crypto");
const { Readable } = require("node:stream");
const codeartifact = require("@aws-sdk/client-codeartifact");
const { fromTemporaryCredentials, fromWebToken } = require("@aws-sdk/credential-providers");
const { GetCallerIdentityCommand, STSClient } = require("@aws-sdk/client-sts");

const { OWNER, ROLE, WEB_ROLE, WEB_TOKEN } = process.env;
const region = "us-east-1";
const client = new codeartifact.CodeartifactClient({ region });
const send = (operation, input) => client.send(new codeartifact[`${operation}Command`](input));
const domain = "from-javascript";
const repository = "files";

async function administers() {
  const made = await send("CreateDomain", { domain, tags: [{ key: "team", value: "web" }] });
  assert.equal(made.domain.name, domain);
  assert.ok(made.domain.createdTime instanceof Date);
  await send("CreateRepository", { domain, repository, description: "of the SDK" });
  const described = await send("DescribeRepository", { domain, repository });
  assert.equal(described.repository.domainOwner, OWNER);
  const tags = await send("ListTagsForResource", { resourceArn: made.domain.arn });
  assert.deepEqual(tags.tags, [{ key: "team", value: "web" }]);
  const { repositoryEndpoint } = await send("GetRepositoryEndpoint", { domain, repository, format: "npm" });
  const { authorizationToken, expiration } = await send("GetAuthorizationToken", { domain, durationSeconds: 900 });
  assert.ok(expiration > new Date());
  const answer = await fetch(`${repositoryEndpoint}nothing`, {
    headers: { authorization: `Bearer ${authorizationToken}` },
  });
  assert.equal(answer.status, 404);
}

async function publishes() {
  const content = Buffer.from("bytes of an asset\n".repeat(1000));
  const version = { domain, repository, format: "generic", namespace: "tools", package: "tool" };
  for (const packageVersion of ["1.0.0", "1.1.0", "2.0.0"]) {
    const published = await send("PublishPackageVersion", {
      ...version,
      packageVersion,
      assetName: "tool.bin",
      assetContent: content,
      assetSHA256: createHash("sha256").update(content).digest("hex"),
    });
    assert.equal(published.status, "Published");
  }
  // A stream, of which the SDK is told neither length nor digest beforehand.
  const streamed = await send("PublishPackageVersion", {
    ...version,
    package: "streamed",
    packageVersion: "1.0.0",
    assetName: "tool.bin",
    assetContent: Readable.from([content.subarray(0, 5000), content.subarray(5000)]),
    assetSHA256: createHash("sha256").update(content).digest("hex"),
  });
  assert.equal(streamed.asset.size, content.length);
  const asset = await send("GetPackageVersionAsset", { ...version, packageVersion: "1.1.0", asset: "tool.bin" });
  assert.deepEqual(Buffer.from(await asset.asset.transformToByteArray()), content);
  const seen = [];
  for await (const page of codeartifact.paginateListPackageVersions({ client, pageSize: 2 }, version)) {
    seen.push(...page.versions.map((each) => each.version));
  }
  assert.deepEqual(seen.sort(), ["1.0.0", "1.1.0", "2.0.0"]);
  const packages = [];
  for await (const page of codeartifact.paginateListPackages({ client, pageSize: 1 }, { domain, repository })) {
    packages.push(page.packages.map((each) => each.package));
  }
  assert.deepEqual(packages.flat(), ["streamed", "tool"]);
  assert.ok(packages.every((page) => page.length <= 1));
  const { failedVersions } = await send("DisposePackageVersions", { ...version, versions: ["2.0.0", "3.0.0"] });
  assert.equal(failedVersions["3.0.0"].errorCode, "NOT_FOUND");
}

async function refuses() {
  await assert.rejects(send("DescribeDomain", { domain: "not-there" }), (error) => {
    assert.ok(error instanceof codeartifact.ResourceNotFoundException, error);
    assert.equal(error.resourceType, "domain");
    assert.ok(error.$metadata.requestId);
    return true;
  });
  await assert.rejects(send("CreateRepository", { domain, repository }), codeartifact.ConflictException);
  await assert.rejects(send("CreateDomain", { domain: "X" }), codeartifact.ValidationException);
}

async function assumesARole() {
  const credentials = fromTemporaryCredentials({
    params: { RoleArn: ROLE, RoleSessionName: "sdk", DurationSeconds: 900 },
    clientConfig: { region },
  });
  const who = await new STSClient({ region, credentials }).send(new GetCallerIdentityCommand({}));
  assert.match(who.Arn, /assumed-role\/reader\/sdk$/);
  const reader = new codeartifact.CodeartifactClient({ region, credentials });
  const { domains } = await reader.send(new codeartifact.ListDomainsCommand({}));
  assert.ok(domains.some((each) => each.name === domain));
  await assert.rejects(
    reader.send(new codeartifact.DeleteRepositoryCommand({ domain, repository })),
    codeartifact.AccessDeniedException,
  );
}

async function assumesARoleWithAToken() {
  const credentials = fromWebToken({
    webIdentityToken: WEB_TOKEN,
    roleArn: WEB_ROLE,
    roleSessionName: "job",
    clientConfig: { region },
  });
  const who = await new STSClient({ region, credentials }).send(new GetCallerIdentityCommand({}));
  assert.match(who.Arn, /assumed-role\/job\/job$/);
}

(async () => {
  await administers();
  await publishes();
  await refuses();
  await assumesARole();
  await assumesARoleWithAToken();
  console.log("all seen");
})();
