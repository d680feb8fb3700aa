// Larder as the AWS SDK for Go sees it. It is configured by AWS_ENDPOINT_URL and credentials in the environment.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/codeartifact"
	"github.com/aws/aws-sdk-go-v2/service/codeartifact/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const (
	domain     = "from-go"
	repository = "files"
)

// seen stops at the first thing that is not as it should be.
func seen(holds bool, what string, values ...any) {
	if !holds {
		log.Panicf(what, values...)
	}
}

// must returns an answer that was no error.
func must[T any](answer T, err error) T {
	if err != nil {
		log.Panic(err)
	}
	return answer
}

func administers(ctx context.Context, client *codeartifact.Client) {
	made := must(client.CreateDomain(ctx, &codeartifact.CreateDomainInput{
		Domain: aws.String(domain),
		Tags:   []types.Tag{{Key: aws.String("team"), Value: aws.String("web")}},
	}))
	seen(made.Domain.Status == types.DomainStatusActive, "status %v", made.Domain.Status)
	seen(time.Since(*made.Domain.CreatedTime) < time.Minute, "created %v", made.Domain.CreatedTime)
	must(client.CreateRepository(ctx, &codeartifact.CreateRepositoryInput{
		Domain: aws.String(domain), Repository: aws.String(repository), Description: aws.String("of the SDK"),
	}))
	described := must(client.DescribeRepository(ctx, &codeartifact.DescribeRepositoryInput{
		Domain: aws.String(domain), Repository: aws.String(repository),
	}))
	seen(*described.Repository.DomainOwner == os.Getenv("OWNER"), "owner %v", *described.Repository.DomainOwner)
	tags := must(client.ListTagsForResource(ctx, &codeartifact.ListTagsForResourceInput{ResourceArn: made.Domain.Arn}))
	seen(len(tags.Tags) == 1 && *tags.Tags[0].Value == "web", "tags %v", tags.Tags)
	endpoint := must(client.GetRepositoryEndpoint(ctx, &codeartifact.GetRepositoryEndpointInput{
		Domain: aws.String(domain), Repository: aws.String(repository), Format: types.PackageFormatNpm,
	}))
	token := must(client.GetAuthorizationToken(ctx, &codeartifact.GetAuthorizationTokenInput{
		Domain: aws.String(domain), DurationSeconds: aws.Int64(900),
	}))
	seen(token.Expiration.After(time.Now()), "expires %v", token.Expiration)
	request := must(http.NewRequestWithContext(ctx, http.MethodGet, *endpoint.RepositoryEndpoint+"nothing", nil))
	request.Header.Set("Authorization", "Bearer "+*token.AuthorizationToken)
	answer := must(http.DefaultClient.Do(request))
	seen(answer.StatusCode == http.StatusNotFound, "status %v", answer.StatusCode)
}

func publishes(ctx context.Context, client *codeartifact.Client) {
	content := bytes.Repeat([]byte("bytes of an asset\n"), 1000)
	digest := sha256.Sum256(content)
	for _, version := range []string{"1.0.0", "1.1.0", "2.0.0"} {
		published := must(client.PublishPackageVersion(ctx, &codeartifact.PublishPackageVersionInput{
			Domain: aws.String(domain), Repository: aws.String(repository), Format: types.PackageFormatGeneric,
			Namespace: aws.String("tools"), Package: aws.String("tool"), PackageVersion: aws.String(version),
			AssetName: aws.String("tool.bin"), AssetContent: bytes.NewReader(content),
			AssetSHA256: aws.String(hex.EncodeToString(digest[:])),
		}))
		seen(published.Status == types.PackageVersionStatusPublished, "status %v", published.Status)
	}
	asset := must(client.GetPackageVersionAsset(ctx, &codeartifact.GetPackageVersionAssetInput{
		Domain: aws.String(domain), Repository: aws.String(repository), Format: types.PackageFormatGeneric,
		Namespace: aws.String("tools"), Package: aws.String("tool"), PackageVersion: aws.String("1.1.0"),
		Asset: aws.String("tool.bin"),
	}))
	seen(bytes.Equal(must(io.ReadAll(asset.Asset)), content), "other bytes")

	var versions []string
	pages := codeartifact.NewListPackageVersionsPaginator(client, &codeartifact.ListPackageVersionsInput{
		Domain: aws.String(domain), Repository: aws.String(repository), Format: types.PackageFormatGeneric,
		Namespace: aws.String("tools"), Package: aws.String("tool"), MaxResults: aws.Int32(2),
	})
	count := 0
	for ; pages.HasMorePages(); count++ {
		for _, version := range must(pages.NextPage(ctx)).Versions {
			versions = append(versions, *version.Version)
		}
	}
	slices.Sort(versions)
	seen(count == 2 && slices.Equal(versions, []string{"1.0.0", "1.1.0", "2.0.0"}), "%d pages of %v", count, versions)

	disposed := must(client.DisposePackageVersions(ctx, &codeartifact.DisposePackageVersionsInput{
		Domain: aws.String(domain), Repository: aws.String(repository), Format: types.PackageFormatGeneric,
		Namespace: aws.String("tools"), Package: aws.String("tool"), Versions: []string{"2.0.0", "3.0.0"},
	}))
	seen(disposed.FailedVersions["3.0.0"].ErrorCode == types.PackageVersionErrorCodeNotFound, "%v", disposed.FailedVersions)
}

func refuses(ctx context.Context, client *codeartifact.Client) {
	_, err := client.DescribeDomain(ctx, &codeartifact.DescribeDomainInput{Domain: aws.String("not-there")})
	var missing *types.ResourceNotFoundException
	seen(errors.As(err, &missing) && missing.ResourceType == types.ResourceTypeDomain, "%v", err)
	_, err = client.CreateRepository(ctx, &codeartifact.CreateRepositoryInput{
		Domain: aws.String(domain), Repository: aws.String(repository),
	})
	var conflict *types.ConflictException
	seen(errors.As(err, &conflict) && conflict.ResourceType == types.ResourceTypeRepository, "%v", err)
	_, err = client.CreateDomain(ctx, &codeartifact.CreateDomainInput{Domain: aws.String("X")})
	var invalid *types.ValidationException
	seen(errors.As(err, &invalid), "%v", err)
}

func assumesARole(ctx context.Context, settings aws.Config) {
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(settings), os.Getenv("ROLE"),
		func(options *stscreds.AssumeRoleOptions) { options.RoleSessionName = "sdk" })
	settings.Credentials = aws.NewCredentialsCache(provider)
	who := must(sts.NewFromConfig(settings).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	seen(strings.HasSuffix(*who.Arn, ":assumed-role/reader/sdk"), "%v", *who.Arn)
	reader := codeartifact.NewFromConfig(settings)
	domains := must(reader.ListDomains(ctx, &codeartifact.ListDomainsInput{}))
	seen(slices.ContainsFunc(domains.Domains, func(each types.DomainSummary) bool { return *each.Name == domain }), "none")
	_, err := reader.DeleteRepository(ctx, &codeartifact.DeleteRepositoryInput{
		Domain: aws.String(domain), Repository: aws.String(repository),
	})
	var failure smithy.APIError
	seen(errors.As(err, &failure) && failure.ErrorCode() == "AccessDeniedException", "%v", err)
}

func main() {
	ctx := context.Background()
	settings := must(config.LoadDefaultConfig(ctx))
	client := codeartifact.NewFromConfig(settings)
	administers(ctx, client)
	publishes(ctx, client)
	refuses(ctx, client)
	assumesARole(ctx, settings)
	fmt.Println("all seen")
}
