import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletionException;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.codeartifact.CodeartifactAsyncClient;
import software.amazon.awssdk.services.codeartifact.CodeartifactClient;
import software.amazon.awssdk.services.codeartifact.model.AccessDeniedException;
import software.amazon.awssdk.services.codeartifact.model.ConflictException;
import software.amazon.awssdk.services.codeartifact.model.PackageFormat;
import software.amazon.awssdk.services.codeartifact.model.PackageVersionErrorCode;
import software.amazon.awssdk.services.codeartifact.model.PackageVersionStatus;
import software.amazon.awssdk.services.codeartifact.model.PackageVersionSummary;
import software.amazon.awssdk.services.codeartifact.model.PublishPackageVersionRequest;
import software.amazon.awssdk.services.codeartifact.model.ResourceNotFoundException;
import software.amazon.awssdk.services.codeartifact.model.ResourceType;
import software.amazon.awssdk.services.codeartifact.model.Tag;
import software.amazon.awssdk.services.codeartifact.model.ValidationException;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.auth.StsAssumeRoleCredentialsProvider;

/** Larder as the AWS SDK for Java sees it, configured by AWS_ENDPOINT_URL and credentials in the environment. */
public final class Sdk {
    private static final String DOMAIN = "from-java";
    private static final String REPOSITORY = "files";
    private static final Region REGION = Region.US_EAST_1;

    public static void main(String[] arguments) throws Exception {
        try (CodeartifactClient client = CodeartifactClient.builder().region(REGION).build()) {
            administers(client);
            publishes(client);
            refuses(client);
        }
        publishesAsynchronously();
        assumesARole();
        System.out.println("all seen");
        System.exit(0);
    }

    private static void administers(CodeartifactClient client) throws Exception {
        Tag tag = Tag.builder().key("team").value("server").build();
        var made = client.createDomain(r -> r.domain(DOMAIN).tags(tag)).domain();
        check(made.name().equals(DOMAIN) && made.createdTime() != null, made);
        client.createRepository(r -> r.domain(DOMAIN).repository(REPOSITORY).description("of the SDK"));
        var described = client.describeRepository(r -> r.domain(DOMAIN).repository(REPOSITORY)).repository();
        check(described.domainOwner().equals(System.getenv("OWNER")), described);
        check(client.listTagsForResource(r -> r.resourceArn(made.arn())).tags().equals(List.of(tag)), made.arn());
        String endpoint = client
            .getRepositoryEndpoint(r -> r.domain(DOMAIN).repository(REPOSITORY).format(PackageFormat.MAVEN))
            .repositoryEndpoint();
        String token = client.getAuthorizationToken(r -> r.domain(DOMAIN).durationSeconds(900L)).authorizationToken();
        var request = HttpRequest.newBuilder(URI.create(endpoint + "org/nothing/maven-metadata.xml"))
            .header("Authorization", "Bearer " + token)
            .build();
        var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        check(answer.statusCode() == 404, answer);
    }

    private static PublishPackageVersionRequest publication(String version, byte[] content) throws Exception {
        String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        return PublishPackageVersionRequest.builder()
            .domain(DOMAIN)
            .repository(REPOSITORY)
            .format(PackageFormat.GENERIC)
            .namespace("tools")
            .packageValue("tool")
            .packageVersion(version)
            .assetName("tool.bin")
            .assetSHA256(digest)
            .build();
    }

    private static byte[] content() {
        return "bytes of an asset\n".repeat(1000).getBytes(StandardCharsets.UTF_8);
    }

    private static void publishes(CodeartifactClient client) throws Exception {
        for (String version : List.of("1.0.0", "1.1.0", "2.0.0")) {
            var published = client.publishPackageVersion(publication(version, content()), RequestBody.fromBytes(content()));
            check(published.status() == PackageVersionStatus.PUBLISHED, published);
        }
        var asset = client.getPackageVersionAssetAsBytes(r -> r.domain(DOMAIN).repository(REPOSITORY)
            .format(PackageFormat.GENERIC).namespace("tools").packageValue("tool").packageVersion("1.1.0").asset("tool.bin"));
        check(Arrays.equals(asset.asByteArray(), content()), asset.response());
        List<String> seen = client.listPackageVersionsPaginator(r -> r.domain(DOMAIN).repository(REPOSITORY)
                .format(PackageFormat.GENERIC).namespace("tools").packageValue("tool").maxResults(2))
            .versions().stream().map(PackageVersionSummary::version).sorted().toList();
        check(seen.equals(List.of("1.0.0", "1.1.0", "2.0.0")), seen);
        var failed = client.disposePackageVersions(r -> r.domain(DOMAIN).repository(REPOSITORY)
            .format(PackageFormat.GENERIC).namespace("tools").packageValue("tool").versions("2.0.0", "3.0.0"))
            .failedVersions();
        check(failed.get("3.0.0").errorCode() == PackageVersionErrorCode.NOT_FOUND, failed);
        check(failed.get("2.0.0").errorCode() == PackageVersionErrorCode.SKIPPED, failed);
    }

    private static void refuses(CodeartifactClient client) {
        var missing = refused(ResourceNotFoundException.class, () -> client.describeDomain(r -> r.domain("not-there")));
        check(missing.resourceType() == ResourceType.DOMAIN && missing.requestId() != null, missing);
        refused(ConflictException.class, () -> client.createRepository(r -> r.domain(DOMAIN).repository(REPOSITORY)));
        refused(ValidationException.class, () -> client.createDomain(r -> r.domain("X")));
    }

    /** The asynchronous client signs and sends bodies in its own way. */
    private static void publishesAsynchronously() throws Exception {
        try (CodeartifactAsyncClient client = CodeartifactAsyncClient.builder().region(REGION).build()) {
            var request = publication("3.1.0", content());
            var published = client.publishPackageVersion(request, AsyncRequestBody.fromBytes(content())).join();
            check(published.status() == PackageVersionStatus.PUBLISHED, published);
            try {
                client.describeDomain(r -> r.domain("not-there")).join();
                throw new AssertionError("a domain that is not there was described");
            } catch (CompletionException error) {
                check(error.getCause() instanceof ResourceNotFoundException, error);
            }
        }
    }

    private static void assumesARole() {
        try (StsClient sts = StsClient.builder().region(REGION).build();
            var credentials = StsAssumeRoleCredentialsProvider.builder().stsClient(sts)
                .refreshRequest(r -> r.roleArn(System.getenv("ROLE")).roleSessionName("sdk").durationSeconds(900)).build();
            CodeartifactClient reader =
                CodeartifactClient.builder().region(REGION).credentialsProvider(credentials).build()) {
            var domains = reader.listDomainsPaginator(r -> {}).domains().stream().map(each -> each.name()).toList();
            check(domains.contains(DOMAIN), domains);
            refused(AccessDeniedException.class,
                () -> reader.deleteRepository(r -> r.domain(DOMAIN).repository(REPOSITORY)));
        }
    }

    private static <E extends Exception> E refused(Class<E> expected, Runnable call) {
        try {
            call.run();
        } catch (Exception error) {
            check(expected.isInstance(error), error);
            return expected.cast(error);
        }
        throw new AssertionError("expected " + expected.getName());
    }

    private static void check(boolean holds, Object seen) {
        if (!holds) {
            throw new AssertionError(String.valueOf(seen));
        }
    }
}
