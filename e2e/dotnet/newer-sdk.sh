#!/usr/bin/env bash
# What only newer .NET SDKs can do (8.0.2xx and later), run by the test `g_newer_dotnet` where the machine has one.
#
#   SOURCE   address of the service index, with the source `larder` in nuget.config beside this working folder
#   TOKEN    an authorization token
#   PUBLIC   a listed version and id that the gallery behind the server has: "Public.Lib 1.0.0"
set -euo pipefail

read -r id version <<< "$PUBLIC"

step() { printf '== %s\n' "$*"; }

step push, and once more
dotnet pack lib -o out --nologo
dotnet nuget push out/*.nupkg --source larder --api-key "$TOKEN"
if dotnet nuget push out/*.nupkg --source larder --api-key "$TOKEN"; then
    echo "a second push of the same version succeeded" >&2
    exit 1
fi
dotnet nuget push out/*.nupkg --source larder --api-key "$TOKEN" --skip-duplicate

step search
dotnet package search Newer.Lib --source larder --format json | tee search.json
grep -q '"Newer.Lib"' search.json

step add, with and without prerelease, and restore what is pinned
dotnet new console -o app --no-restore
dotnet add app package Newer.Lib
grep -q 'Include="Newer.Lib" Version="1.0.0"' app/app.csproj
dotnet add app package Newer.Lib --prerelease
grep -q 'Include="Newer.Lib" Version="2.0.0-beta.1"' app/app.csproj
dotnet add app package "$id" --version "$version"
dotnet restore app --use-lock-file
dotnet restore app --locked-mode

step what is outdated, deprecated and vulnerable
dotnet list app package --outdated
dotnet list app package --deprecated
dotnet list app package --vulnerable

step unlist
dotnet nuget delete Newer.Lib 1.0.0 --source larder --api-key "$TOKEN" --non-interactive
dotnet package search Newer.Lib --source larder --format json > search.json
if grep -q '"1.0.0"' search.json; then
    echo "an unlisted version was found" >&2
    exit 1
fi
echo "all done"
