#!/bin/sh
# Gets RubyGems and Bundler of other years than the machine's. JRuby's jars carry them, and those are where this machine's
# Maven finds everything else:
#
#   FOLDER/bin/gem36, bundle26   RubyGems 3.6 and Bundler 2.6, run by the machine's Ruby, which has to be 3.1 or newer
#   FOLDER/bin/gem40, bundle40   RubyGems and Bundler 4.0, likewise
#   FOLDER/bin/gem27             RubyGems 2.7, run by JRuby 9.2 on the machine's Java
#
#   ruby.sh FOLDER
set -eu

folder=$1
work=$folder/work
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.6.1
mkdir -p "$work" "$folder/bin"

run() {
    mvn -B -q -ntp "-Dmaven.repo.local=$work/repository" "$@"
}

# newer NAME BUNDLER JRUBY
newer() {
    run "$plugin:unpack" "-Dartifact=org.jruby:jruby-stdlib:$3" "-DoutputDirectory=$work/$1" "-Dproject.basedir=$work"
    ruby=$work/$1/META-INF/jruby.home/lib/ruby
    mkdir -p "$folder/$1"
    mkdir "$folder/$1/lib"
    for part in rubygems rubygems.rb bundler bundler.rb; do
        mv "$ruby/stdlib/$part" "$folder/$1/lib/"
    done
    # JRuby's own settings.
    rm -rf "$folder/$1/lib/rubygems/defaults"
    mv "$ruby"/gems/shared/gems/bundler-*/exe "$folder/$1/exe"
    cat > "$folder/$1/exe/gem" <<'GEM'
require "rubygems/gem_runner"
Gem::GemRunner.new.run ARGV.clone
GEM
    for program in "gem:gem$1" "bundle:bundle$2"; do
        script=$folder/bin/${program#*:}
        cat > "$script" <<SCRIPT
#!/bin/sh
here=\$(cd "\$(dirname "\$0")/../$1" && pwd)
exec ruby --disable-gems -I "\$here/lib" -r rubygems "\$here/exe/${program%:*}" "\$@"
SCRIPT
        chmod +x "$script"
    done
}

newer 36 26 10.0.2.0
newer 40 40 10.1.0.0

run "$plugin:copy" -Dartifact=org.jruby:jruby-complete:9.2.0.0 "-DoutputDirectory=$work" "-Dproject.basedir=$work"
mv "$work/jruby-complete-9.2.0.0.jar" "$folder/jruby.jar"
cat > "$folder/bin/gem27" <<'SCRIPT'
#!/bin/sh
exec java -Xshare:auto -XX:TieredStopAtLevel=1 --add-opens java.base/java.io=ALL-UNNAMED \
    --add-opens java.base/java.nio.channels=ALL-UNNAMED --add-opens java.base/sun.nio.ch=ALL-UNNAMED \
    -jar "$(dirname "$0")/../jruby.jar" -S gem "$@"
SCRIPT
chmod +x "$folder/bin/gem27"

rm -rf "$work"
touch "$folder/complete"
