//! The report: tables in Markdown and the list of what is to be reached.

use std::fmt::Write as _;

/// A table and what is said above it.
pub(crate) struct Section {
    title: String,
    notes: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Section {
    pub(crate) fn new(title: &str, notes: &str, columns: &[&'static str]) -> Self {
        Self { title: title.to_owned(), notes: notes.to_owned(), columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row and shows it.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        println!("  {}", cells.join("  "));
        self.rows.push(cells);
    }

    fn markdown(&self, out: &mut String) {
        let _ = write!(out, "\n## {}\n\n{}\n\n", self.title, self.notes);
        let _ = writeln!(out, "| {} |", self.columns.join(" | "));
        let alignment: Vec<&str> =
            (0..self.columns.len()).map(|column| if column < 2 { "---" } else { "---:" }).collect();
        let _ = writeln!(out, "| {} |", alignment.join(" | "));
        for row in &self.rows {
            let _ = writeln!(out, "| {} |", row.join(" | "));
        }
    }
}

/// Something to be reached: a figure and its bound.
pub(crate) struct Goal {
    /// What is asked for.
    pub(crate) what: String,
    /// What was measured, with units.
    pub(crate) measured: String,
    pub(crate) reached: bool,
}

/// Everything that was measured.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) head: String,
    pub(crate) sections: Vec<Section>,
    pub(crate) goals: Vec<Goal>,
}

impl Report {
    pub(crate) fn goal(&mut self, what: impl Into<String>, measured: impl Into<String>, reached: bool) {
        self.goals.push(Goal { what: what.into(), measured: measured.into(), reached });
    }

    /// The whole as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut out = format!("# Benchmark\n\n{}\n\n## Goals\n\n", self.head);
        out.push_str("| goal | measured | reached |\n| --- | --- | --- |\n");
        for goal in &self.goals {
            let reached = if goal.reached { "yes" } else { "**no**" };
            let _ = writeln!(out, "| {} | {} | {reached} |", goal.what, goal.measured);
        }
        for section in &self.sections {
            section.markdown(&mut out);
        }
        out
    }
}

/// A rate without decimals nobody can rely on.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second >= 100.0 { format!("{per_second:.0}") } else { format!("{per_second:.1}") }
}

/// Milliseconds with three digits that count.
pub(crate) fn ms(milliseconds: f64) -> String {
    if milliseconds.is_nan() {
        "-".to_owned()
    } else if milliseconds >= 100.0 {
        format!("{milliseconds:.0}")
    } else if milliseconds >= 1.0 {
        format!("{milliseconds:.2}")
    } else {
        format!("{milliseconds:.4}")
    }
}

/// A ratio.
pub(crate) fn ratio(value: f64) -> String {
    if value.is_finite() { format!("{value:.2}") } else { "-".to_owned() }
}
