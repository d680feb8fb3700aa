#!/bin/sh
# Records real Maven artifacts into FOLDER/repository, laid out as Maven's local repository: everything that the builds in
# FIXTURES and the tests' own commands need, from whatever repositories this machine's Maven is configured for. Also unpacks
# a newer Maven (FOLDER/maven) and gets Ivy (FOLDER/ivy.jar) from there.
#
#   maven.sh FOLDER FIXTURES
set -eu

folder=$1
fixtures=$2
work=$folder/work
plugins=org.apache.maven.plugins
rm -rf "$work"
mkdir -p "$work"
cp -r "$fixtures/." "$work/"

run() {
    mvn -B -q -ntp "-Dmaven.repo.local=$folder/repository" "$@"
}

deploy="-DaltDeploymentRepository=recorder::default::file://$work/deployed"
run -f "$work/app/pom.xml" clean deploy "$deploy"
run -f "$work/app/pom.xml" deploy "$deploy" -DdeployAtEnd=true
run -f "$work/plugin/pom.xml" deploy "$deploy"
run com.acme.build:acme-maven-plugin:1.0:greet
run -f "$work/consumer/pom.xml" package
run "$plugins:maven-dependency-plugin:3.6.1:get" -Dartifact=junit:junit:4.13.2
run "$plugins:maven-dependency-plugin:3.6.1:copy" -Dartifact=org.apache.ivy:ivy:2.5.2 "-DoutputDirectory=$work"
mv "$work/ivy-2.5.2.jar" "$folder/ivy.jar"
run "$plugins:maven-dependency-plugin:3.6.1:unpack" -Dartifact=org.apache.maven:apache-maven:3.9.9:zip:bin \
    "-DoutputDirectory=$work/unpacked" "-Dproject.basedir=$work"
mv "$work/unpacked/apache-maven-3.9.9" "$folder/maven"
for version in 2.8.2 3.1.1; do
    run "$plugins:maven-deploy-plugin:$version:deploy-file" "-Dfile=$folder/ivy.jar" -DgroupId=com.acme -DartifactId=x \
        -Dversion=1 -Dpackaging=jar -DrepositoryId=recorder "-Durl=file://$work/deployed"
done
"$folder/maven/bin/mvn" -B -q -ntp "-Dmaven.repo.local=$folder/repository" -f "$work/app/pom.xml" clean deploy \
    "-DaltDeploymentRepository=recorder::file://$work/deployed"

# What the builds themselves made, and what says from which address each artifact came.
rm -rf "$work" "$folder/repository/com/acme" "$folder/repository/org/apache/maven/apache-maven/3.9.9/"*.zip
find "$folder/repository" \( -name _remote.repositories -o -name resolver-status.properties -o -name 'maven-metadata-*' \
    -o -name '*.lastUpdated' \) -delete
touch "$folder/complete"
