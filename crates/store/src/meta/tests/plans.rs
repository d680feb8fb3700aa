//! No statement reads a whole table: each one's plan is printed and checked.

use rusqlite::Connection;

use super::{postgres, sqlite};
use crate::DatabaseUrl;
use crate::meta::statements;

/// Lines of a plan that read everything in a table. Subqueries are read whole, but they are what an index found.
fn is_scan(detail: &str, tables: &[String]) -> bool {
    detail.strip_prefix("SCAN ").is_some_and(|rest| {
        let name = rest.split(' ').next().unwrap_or_default();
        tables.iter().any(|table| table == name) || name.len() == 1
    })
}

#[tokio::test]
async fn no_statement_scans_on_sqlite() {
    let fixture = sqlite::fixture("").await.expect("a store");
    let DatabaseUrl::Sqlite(path) = &fixture.url else { panic!("not a file") };
    let connection = Connection::open(path).expect("opens");
    let names = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).expect("prepares");
        let rows = statement.query_map([], |row| row.get(0)).expect("runs");
        rows.map(|row| row.expect("a row")).collect()
    };
    let tables = names("SELECT name FROM sqlite_schema WHERE type = 'table'");
    assert!(tables.iter().any(|table| table == "package_version"));

    let mut bad = Vec::new();
    for sql in statements() {
        println!("{}", sql.name());
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {}", sql.sqlite()))
            .unwrap_or_else(|error| panic!("{}: {error}", sql.name()));
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().expect("a plan") {
            let detail: String = row.get("detail").expect("text");
            println!("    {detail}");
            // A page that is sorted after reading reads more than the page.
            let sorts_a_page = detail.contains("USE TEMP B-TREE FOR") && sql.sqlite().contains("LIMIT");
            // An index made for one run reads the whole table, or what it joins is read for every row of the other.
            if is_scan(&detail, &tables) || sorts_a_page || detail.contains("AUTOMATIC") {
                bad.push(format!("{}: {detail}", sql.name()));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[tokio::test]
async fn every_statement_is_valid_on_postgres() {
    let Some(client) = postgres::client("every_statement_is_valid_on_postgres").await else { return };
    for sql in statements() {
        if let Err(error) = client.prepare(sql.postgres()).await {
            panic!("{}: {error}: {:?}", sql.name(), error.as_db_error());
        }
    }
}

#[test]
fn scans_are_recognized() {
    let tables = ["package".to_owned()];
    assert!(is_scan("SCAN package", &tables));
    assert!(is_scan("SCAN package USING INDEX package_by_name", &tables));
    assert!(is_scan("SCAN p", &tables));
    assert!(!is_scan("SCAN gone", &tables));
    assert!(!is_scan("SEARCH package USING INDEX package_by_name (repository_id=?)", &tables));
}

#[test]
fn statements_have_names_of_their_own() {
    let mut names: Vec<_> = statements().map(crate::sql::Sql::name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
