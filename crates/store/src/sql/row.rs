//! Rows.

use larder_core::{Error, Result};
use rusqlite::types::{FromSql, ValueRef};

/// A result row. Columns are read by position, in the order of the statement's select list.
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    fn get<'s, T>(&'s self, column: usize) -> Result<T>
    where
        T: FromColumn<'s>,
    {
        match self {
            Self::Sqlite(row) => row.get_ref(column).map_err(Error::internal).and_then(T::from_sqlite),
            Self::Postgres(row) => row.try_get(column).map_err(Error::internal),
        }
    }

    /// A 64-bit integer.
    pub(crate) fn integer(&self, column: usize) -> Result<i64> {
        self.get(column)
    }

    /// A 64-bit integer or NULL.
    pub(crate) fn optional_integer(&self, column: usize) -> Result<Option<i64>> {
        self.get(column)
    }

    /// A number that is never negative: a size or a count.
    pub(crate) fn unsigned(&self, column: usize) -> Result<u64> {
        let value = self.integer(column)?;
        u64::try_from(value).map_err(|_| Error::internal(format!("column {column} holds {value}, which is negative")))
    }

    /// 0 or 1.
    pub(crate) fn boolean(&self, column: usize) -> Result<bool> {
        Ok(self.integer(column)? != 0)
    }

    /// Text.
    pub(crate) fn text(&self, column: usize) -> Result<&str> {
        self.get(column)
    }

    /// Text or NULL.
    pub(crate) fn optional_text(&self, column: usize) -> Result<Option<&str>> {
        self.get(column)
    }

    /// Bytes.
    pub(crate) fn bytes(&self, column: usize) -> Result<&[u8]> {
        self.get(column)
    }

    /// Bytes or NULL.
    pub(crate) fn optional_bytes(&self, column: usize) -> Result<Option<&[u8]>> {
        self.get(column)
    }

    /// Bytes of a fixed number: a digest.
    pub(crate) fn array<const N: usize>(&self, column: usize) -> Result<[u8; N]> {
        let bytes = self.bytes(column)?;
        bytes
            .try_into()
            .map_err(|_| Error::internal(format!("column {column} holds {} bytes where {N} are expected", bytes.len())))
    }
}

/// What both drivers can hand out, borrowed from the row.
trait FromColumn<'a>: tokio_postgres::types::FromSql<'a> {
    fn from_sqlite(value: ValueRef<'a>) -> Result<Self>;
}

impl FromColumn<'_> for i64 {
    fn from_sqlite(value: ValueRef<'_>) -> Result<Self> {
        Self::column_result(value).map_err(Error::internal)
    }
}

impl<'a> FromColumn<'a> for &'a str {
    fn from_sqlite(value: ValueRef<'a>) -> Result<Self> {
        value.as_str().map_err(Error::internal)
    }
}

impl<'a> FromColumn<'a> for &'a [u8] {
    fn from_sqlite(value: ValueRef<'a>) -> Result<Self> {
        value.as_blob().map_err(Error::internal)
    }
}

impl<'a, T: FromColumn<'a>> FromColumn<'a> for Option<T> {
    fn from_sqlite(value: ValueRef<'a>) -> Result<Self> {
        match value {
            ValueRef::Null => Ok(None),
            value => T::from_sqlite(value).map(Some),
        }
    }
}

/// A row that holds what no version of Larder writes.
pub(crate) fn corrupt(table: &str, row: impl std::fmt::Display, what: impl std::fmt::Display) -> Error {
    Error::internal(format!("table {table}, row {row}: {what}"))
}
