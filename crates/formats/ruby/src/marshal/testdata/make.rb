# Writes the files beside it with Ruby's own Marshal, as RubyGems' indexer makes its files: `ruby make.rb`.
# The tests read both these and what Larder writes of the same input, and compare.
require "rubygems"
require "stringio"

Dir.chdir(__dir__)

spec = Gem::Specification.new do |s|
  s.name = "foo-bar"
  s.version = "1.2.0.rc1"
  s.platform = "java"
  s.summary = "A gem"
  s.description = "Gr\u00fc\u00dfe: " + "long " * 60
  s.authors = ["Ann", "Bob"]
  s.email = ["ann@example.test"]
  s.licenses = ["MIT", "Apache-2.0"]
  s.homepage = "https://example.test/foo"
  s.date = Time.utc(2026, 1, 2)
  s.required_ruby_version = [">= 2.7", "< 4"]
  s.metadata = { "source_code_uri" => "https://example.test/foo.git", "rubygems_mfa_required" => "true" }
  s.add_runtime_dependency "rake", "~> 13.0"
  s.add_runtime_dependency "json", ">= 2", "< 3"
  s.add_development_dependency "minitest"
end
plain = Gem::Specification.new do |s|
  s.name = "bar"
  s.version = "0.1"
  s.summary = "Another"
  s.authors = ["Ann"]
  s.date = Time.utc(1999, 12, 31)
end

[spec, plain].each do |one|
  File.binwrite("#{one.name}.yaml", one.to_yaml)
  indexed = Gem::Specification.from_yaml(one.to_yaml)
  indexed.abbreviate
  indexed.sanitize
  File.binwrite("#{one.name}.gemspec.rz", Gem.deflate(Marshal.dump(indexed)))
end

# Name, number, platform: `*specs.4.8`.
tuples = {
  "specs" => [["a", "1.0", "ruby"], ["a", "1.1", "ruby"], ["a", "1.1", "java"], ["b", "1", "ruby"]],
  "latest" => [["a", "1.1", "java"], ["a", "1.1", "ruby"], ["b", "1", "ruby"]],
  "prereleases" => [["a", "2.0.rc1", "ruby"]],
}
tuples.each do |name, list|
  File.binwrite("#{name}.4.8", Marshal.dump(list.map { |n, v, p| [n, Gem::Version.new(v), p] }))
end

counts = [0, 1, 122, 123, 255, 256, 65_535, 65_536, 70_000, 16_777_215, 16_777_216, 1_073_741_823]
File.write("counts", counts.map { |count| "#{count} #{Marshal.dump(count).byteslice(3..).unpack1("H*")}\n" }.join)
