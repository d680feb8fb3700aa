//! `bench/RESULTS.md`.

use std::fmt::Write as _;
use std::process::Command;

use crate::measure::Measured;

/// One row of the table of reads.
struct Row {
    what: &'static str,
    connections: u32,
    servers: Vec<(&'static str, Measured)>,
}

/// What was measured, in the order of the file.
pub(crate) struct Report {
    rows: Vec<Row>,
    sections: Vec<(String, String)>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new(), sections: Vec::new() }
    }

    pub(crate) fn read(&mut self, what: &'static str, connections: u32, server: &'static str, measured: Measured) {
        let position = self.rows.iter().position(|row| row.what == what && row.connections == connections);
        let row = match position {
            Some(position) => &mut self.rows[position],
            None => {
                self.rows.push(Row { what, connections, servers: Vec::new() });
                self.rows.last_mut().expect("just pushed")
            }
        };
        row.servers.push((server, measured));
    }

    pub(crate) fn section(&mut self, title: &str, text: &str) {
        self.sections.push((title.to_owned(), text.to_owned()));
    }

    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "# Measured\n\n`cargo xtask bench` wrote this. One run on one machine; the server on core 0, the client on core 1. Token check \
             and authorization are included for Larder; the others serve anonymously. Ratios are to be read, not digits: \
             CPU per request is the steadier figure on a shared machine.\n\n{}",
            machine()
        );
        if !self.rows.is_empty() {
            text += &self.reads();
        }
        for (title, section) in &self.sections {
            let _ = write!(text, "\n## {title}\n\n{section}");
        }
        text
    }

    fn reads(&self) -> String {
        let servers = ["nginx", "Larder", "verdaccio", "devpi"];
        let mut text =
            String::from("\n## Reading, requests per second and (server CPU ms per request)\n\n| what | connections |");
        for server in servers {
            let _ = write!(text, " {server} |");
        }
        text += " Larder to nginx, rate | CPU |\n|---|---:|---:|---:|---:|---:|---:|---:|\n";
        for row in &self.rows {
            let _ = write!(text, "| {} | {} |", row.what, row.connections);
            let find =
                |name: &str| row.servers.iter().find(|(server, _)| *server == name).map(|(_, measured)| *measured);
            for server in servers {
                match find(server) {
                    Some(measured) => {
                        let _ = write!(text, " {:.0} ({:.3}) |", measured.rate, measured.cpu_ms);
                    }
                    None => text += " – |",
                }
            }
            let ratio = |of: fn(&Measured) -> f64| match (find("Larder"), find("nginx")) {
                (Some(ours), Some(limit)) => format!("{:.2}", of(&ours) / of(&limit)),
                _ => "–".to_owned(),
            };
            let _ = writeln!(text, " {} | {} |", ratio(|measured| measured.rate), ratio(|measured| measured.cpu_ms));
        }
        text + "\nLatency with one connection, p50 / p99 ms\n\n" + &self.latencies()
    }

    fn latencies(&self) -> String {
        let mut text = String::from("| what | server | p50 | p99 |\n|---|---|---:|---:|\n");
        for row in self.rows.iter().filter(|row| row.connections == 1) {
            for (server, measured) in &row.servers {
                let _ = writeln!(text, "| {} | {server} | {:.3} | {:.3} |", row.what, measured.p50_ms, measured.p99_ms);
            }
        }
        text
    }
}

/// What it ran on.
fn machine() -> String {
    let first = |path: &str, name: &str| {
        let file = std::fs::read_to_string(path).unwrap_or_default();
        let line = file.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let version = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output();
        output.map_or_else(
            |_| "not there".to_owned(),
            |output| {
                let all = [output.stdout, output.stderr].concat();
                String::from_utf8_lossy(&all).lines().next().unwrap_or_default().trim().to_owned()
            },
        )
    };
    let tool = |name: &str| larder_testkit::tools::folder().join("bin").join(name).to_string_lossy().into_owned();
    format!(
        "| | |\n|---|---|\n| processor | {}, {cores} cores |\n| memory | {} |\n| kernel | {} |\n| Larder | {} |\n| nginx | {} |\n\
         | verdaccio | {} |\n| devpi-server | {} |\n| load | `taskset -c 1 wrk -t 1 -c N -d 4s` after one second of warming |\n",
        first("/proc/cpuinfo", "model name"),
        first("/proc/meminfo", "MemTotal"),
        version("uname", "-sr"),
        version(&larder_testkit::server::program().to_string_lossy(), "version"),
        version("/usr/sbin/nginx", "-v"),
        version(&tool("verdaccio"), "--version"),
        version(&tool("devpi-server"), "--version"),
    )
}
