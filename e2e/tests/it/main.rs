//! The end-to-end tests: real clients and raw requests against the real program. `cargo xtask e2e` runs them.

mod audit_checks;
mod boto3;
mod cargo_checks;
mod cargo_registry_checks;
mod ci;
mod cli;
mod cluster;
mod connect_checks;
mod connect_ruby;
mod cooldown_checks;
mod crash;
mod events_checks;
mod every_route;
mod explain_checks;
mod explain_principals;
mod faults;
mod generic_checks;
mod iam;
mod identities;
mod journal_checks;
mod maintenance;
mod maven_builds;
mod maven_checks;
mod maven_clients;
mod maven_wire;
mod npm_bad_input;
mod npm_checks;
mod npm_clients;
mod npm_registry_checks;
mod nuget_bad_input;
mod nuget_checks;
mod nuget_faults;
mod nuget_more_checks;
mod nuget_registry_checks;
mod others_python;
mod others_tools;
mod package_groups;
mod paths;
mod peers;
mod postgres;
mod pypi_bad_input;
mod pypi_checks;
mod pypi_clients;
mod pypi_registry_checks;
mod rates;
mod ruby_bad_input;
mod ruby_checks;
mod ruby_faults;
mod ruby_more_checks;
mod ruby_registry_checks;
mod ruby_scale;
mod ruby_years;
mod seed;
mod sharing;
mod sts;
mod swift_bad_input;
mod swift_checks;
mod swift_index_checks;
mod tls;
mod tls_server;

fn main() {
    larder_testkit::runner::main(&[
        seed::TESTS,
        npm_checks::TESTS,
        npm_registry_checks::TESTS,
        npm_clients::TESTS,
        pypi_checks::TESTS,
        pypi_registry_checks::TESTS,
        rates::TESTS,
        pypi_clients::TESTS,
        cargo_checks::TESTS,
        cooldown_checks::TESTS,
        explain_checks::TESTS,
        explain_principals::TESTS,
        peers::TESTS,
        cargo_registry_checks::TESTS,
        swift_checks::TESTS,
        swift_index_checks::TESTS,
        swift_bad_input::TESTS,
        ruby_checks::TESTS,
        ruby_more_checks::TESTS,
        ruby_registry_checks::TESTS,
        package_groups::TESTS,
        ruby_faults::TESTS,
        ruby_years::TESTS,
        ruby_scale::TESTS,
        ruby_bad_input::TESTS,
        paths::TESTS,
        npm_bad_input::TESTS,
        pypi_bad_input::TESTS,
        maven_checks::TESTS,
        maven_clients::TESTS,
        maven_wire::TESTS,
        maven_builds::TESTS,
        every_route::TESTS,
        faults::TESTS,
        tls::TESTS,
        tls_server::TESTS,
        crash::TESTS,
        identities::TESTS,
        sts::TESTS,
        ci::TESTS,
        cli::TESTS,
        iam::TESTS,
        sharing::TESTS,
        postgres::TESTS,
        cluster::TESTS,
        maintenance::TESTS,
        journal_checks::TESTS,
        events_checks::TESTS,
        audit_checks::TESTS,
        boto3::TESTS,
        others_python::TESTS,
        others_tools::TESTS,
        generic_checks::TESTS,
        connect_checks::TESTS,
        connect_ruby::TESTS,
        nuget_checks::TESTS,
        nuget_more_checks::TESTS,
        nuget_registry_checks::TESTS,
        nuget_faults::TESTS,
        nuget_bad_input::TESTS,
    ])
}
