//! `larder routes`: every address that the server answers.

use std::process::ExitCode;

use clap::Args;
use larder_api::codeartifact::operations::OPERATIONS;
use larder_http::{RouteTemplate, SegmentTemplate};
use serde::Serialize;

use super::{DataOptions, Failure, Outcome, ServeOptions, block_on};
use crate::config::Settings;
use crate::wiring::{routes, wire};

/// Options of `routes`.
#[derive(Debug, Args)]
pub(super) struct RoutesOptions {
    /// Print JSON: a list of objects with `service`, `route`, `method` and `path`.
    #[arg(long)]
    json: bool,
}

/// One address.
#[derive(Debug, Serialize)]
struct Route {
    /// A package format, or `codeartifact`.
    service: &'static str,
    /// The operation, or what the format calls the route.
    route: &'static str,
    /// GET stands for HEAD too.
    method: String,
    /// `{name}` is one segment, `{name...}` all that follow.
    path: String,
}

/// Prints the table.
pub(super) fn run(options: &RoutesOptions) -> Outcome {
    let all = block_on(async {
        // The routes are of the services, whatever these serve: nothing.
        let nothing = tempfile::tempdir()?;
        let data = DataOptions { data_dir: nothing.path().join("data"), ..DataOptions::default() };
        let settings = Settings::load(&ServeOptions::from(data))?;
        let services = wire(&settings).await?.services;
        let formats = routes(&services, &settings).into_iter().flat_map(|routes| {
            let format = routes.format().as_str();
            routes.table().iter().map(move |template| Route {
                service: format,
                route: template.name,
                method: template.method.to_owned(),
                path: format!("/d/{{domain}}-{{owner}}/{format}/{{repository}}{}", below(template)),
            })
        });
        let operations = OPERATIONS.iter().map(|operation| Route {
            service: "codeartifact",
            route: operation.name(),
            method: operation.method.to_string(),
            path: operation.path.to_owned(),
        });
        Ok(operations.chain(formats).collect::<Vec<_>>())
    })?;
    if options.json {
        let text = serde_json::to_string_pretty(&all).map_err(|error| Failure::new(error.to_string()))?;
        println!("{text}");
    } else {
        for Route { service, route, method, path } in &all {
            println!("{method:<7} {path}  ({service} {route})");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The path of a template below its repository.
fn below(template: &RouteTemplate) -> String {
    let segments = template.segments.iter().map(|segment| match segment {
        SegmentTemplate::Literal(text) => format!("/{text}"),
        SegmentTemplate::Parameter(name) => format!("/{{{name}}}"),
        SegmentTemplate::Rest(name) => format!("/{{{name}...}}"),
    });
    let path: String = segments.collect();
    if path.is_empty() { "/".to_owned() } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_shown_with_the_names_of_its_parameters() {
        const SEGMENTS: &[SegmentTemplate] =
            &[SegmentTemplate::Literal("v3"), SegmentTemplate::Parameter("id"), SegmentTemplate::Rest("page")];
        let shown = |segments| below(&RouteTemplate { method: "GET", segments, name: "Any" });
        assert_eq!(shown(SEGMENTS), "/v3/{id}/{page...}");
        assert_eq!(shown(&[]), "/");
    }
}
