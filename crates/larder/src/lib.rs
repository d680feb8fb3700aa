//! Larder's binary: command line, configuration, wiring, bootstrap. Everything else is in the other crates.

mod audit;
mod aws_files;
mod bootstrap;
pub mod cli;
mod config;
mod connect;
mod data_dir;
mod detect;
mod external_file;
mod journal;
mod logging;
mod serve;
mod tls;
mod wiring;
