#!/usr/bin/env bash
# The commands of checks S-01 to S-08, S-13 and S-15 with a real Swift toolchain (5.9 or newer), in the current folder,
# which is empty, against a registry over TLS that the machine trusts.
#
#     registry.sh ENDPOINT TOKEN
#
# ENDPOINT ends with a slash: …/swift/my-repo/
set -euo pipefail
endpoint=$1 token=$2
registry=${endpoint%/}

fails() { # TEXT COMMAND…: the command fails and says the text
    local text=$1 output
    shift
    if output=$("$@" 2>&1); then echo "succeeded: $*"; exit 1; fi
    grep -qi -- "$text" <<< "$output" || { echo "$* did not say '$text': $output"; exit 1; }
}

package() { # FOLDER VERSION
    mkdir -p "$1/Sources/Lib"
    cat > "$1/Package.swift" << 'MANIFEST'
// swift-tools-version:5.9
import PackageDescription
let package = Package(name: "Lib", products: [.library(name: "Lib", targets: ["Lib"])], targets: [.target(name: "Lib")])
MANIFEST
    cp "$1/Package.swift" "$1/Package@swift-5.9.swift"
    echo "public let version = \"$2\"" > "$1/Sources/Lib/Lib.swift"
}

mkdir -p lib app/Sources/App
package lib 1.0.0
cat > app/Package.swift << 'MANIFEST'
// swift-tools-version:5.9
import PackageDescription
let package = Package(
    name: "App", dependencies: [.package(id: "acme.Lib", from: "1.0.0")],
    targets: [.executableTarget(name: "App", dependencies: [.product(name: "Lib", package: "acme.Lib")])])
MANIFEST
echo 'import Lib; print("lib", version)' > app/Sources/App/main.swift

# S-01, S-15
for folder in lib app; do (cd "$folder" && swift package-registry set "$registry"); done
(cd lib && fails "401\|unauthorized\|invalid" swift package-registry login "${endpoint}login" --token wrong --no-confirm)
(cd lib && swift package-registry login "${endpoint}login" --token "$token" --no-confirm)
cp -r lib/.swiftpm app/ 2> /dev/null || true

# S-02, S-03
(cd lib && swift package-registry publish acme.Lib 1.0.0)
(cd lib && fails "409\|exists" swift package-registry publish acme.Lib 1.0.0)

# S-04, S-05
(cd app && [ "$(swift run App)" = "lib 1.0.0" ] && grep -q '"kind" : "registry"' Package.resolved)
(cd app && swift package purge-cache && rm -rf .build && [ "$(swift run App)" = "lib 1.0.0" ])

# S-06
for version in 1.1.0-rc.1 1.1.0+5; do
    package lib "$version"
    (cd lib && swift package-registry publish acme.Lib "$version")
    sed -i "s/from: \".*\"\|exact: \".*\"/exact: \"$version\"/" app/Package.swift
    (cd app && [ "$(swift run App)" = "lib $version" ])
done

# S-08
sed -i 's/id: "acme.Lib"/id: "ACME.lib"/; s/package: "acme.Lib"/package: "ACME.lib"/' app/Package.swift
(cd app && rm -rf .build Package.resolved && [ "$(swift run App)" = "lib 1.1.0+5" ])

# S-13
for patch in $(seq 1 120); do (cd lib && swift package-registry publish acme.Lib "2.0.$patch" > /dev/null); done
sed -i 's/exact: ".*"/exact: "2.0.1"/' app/Package.swift
(cd app && swift package resolve && grep -q '"2.0.1"' Package.resolved)

echo "all commands did what they should"
