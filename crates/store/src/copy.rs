//! Moving house: all that is kept, table by table, from one engine to another.
//!
//! [`TABLES`] says what there is, as both engines have it. Rows travel in the order of their key, so the last row of a table in the target
//! says how far a copy has come: one that was cut off goes on from there. Nothing of this knows what a row means.

mod sum;
mod tables;

use async_trait::async_trait;

use crate::error::StoreError;

pub use self::sum::Sum;
pub use self::tables::TABLES;

/// A table. Names of columns stand in one text, separated by spaces.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its primary key.
    pub key: &'static str,
    /// Columns of whole numbers, times among them.
    pub integers: &'static str,
    /// Columns of yes and no.
    pub booleans: &'static str,
    /// Columns of texts, JSON among them.
    pub texts: &'static str,
    /// Columns of bytes.
    pub bytes: &'static str,
    /// Columns of UUIDs.
    pub uuids: &'static str,
    /// Columns of whole numbers that only PostgreSQL has, and that the embedded store finds out from other tables.
    pub beside: &'static str,
}

/// A table without columns, to be filled.
pub const NO_COLUMNS: Table = Table {
    name: "",
    key: "",
    integers: "",
    booleans: "",
    texts: "",
    bytes: "",
    uuids: "",
    beside: "",
};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number of 64 bits.
    Integer,
    /// Yes or no.
    Boolean,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A UUID.
    Uuid,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// None.
    Absent,
    /// Of [`Kind::Integer`].
    Integer(i64),
    /// Of [`Kind::Boolean`].
    Boolean(bool),
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Bytes`].
    Bytes(Vec<u8>),
    /// Of [`Kind::Uuid`].
    Uuid([u8; 16]),
}

/// The values of a row, in the order of the columns that were asked for.
pub type Row = Vec<Value>;

impl Table {
    /// The columns that every engine has.
    pub fn columns(&self) -> Vec<Column> {
        let of =
            |names: &'static str, kind| names.split(' ').map(move |name| Column { name, kind });
        [
            (self.integers, Kind::Integer),
            (self.booleans, Kind::Boolean),
            (self.texts, Kind::Text),
            (self.bytes, Kind::Bytes),
            (self.uuids, Kind::Uuid),
        ]
        .into_iter()
        .filter(|(names, _)| !names.is_empty())
        .flat_map(|(names, kind)| of(names, kind))
        .collect()
    }

    /// The same, followed by those that only PostgreSQL has.
    pub fn all_columns(&self) -> Vec<Column> {
        let beside = self.beside.split_whitespace().map(|name| Column {
            name,
            kind: Kind::Integer,
        });
        self.columns().into_iter().chain(beside).collect()
    }

    /// The columns of the primary key.
    pub fn key(&self) -> Vec<Column> {
        let columns = self.columns();
        let of = |name| columns.iter().find(|column| column.name == name).copied();
        self.key.split(' ').filter_map(of).collect()
    }

    /// The key of a row of [`Table::columns`], or of [`Table::all_columns`].
    pub fn key_of(&self, row: &[Value]) -> Row {
        let columns = self.columns();
        let at = |name| columns.iter().position(|column| column.name == name);
        let places = self.key.split(' ').filter_map(at);
        places.filter_map(|place| row.get(place).cloned()).collect()
    }
}

/// Why there is no copying.
#[derive(Debug, thiserror::Error)]
pub enum CopyFault {
    /// Somebody works on it.
    #[error(
        "a server runs on {place}, or did until a moment ago: stop it, and wait for as long as its lease"
    )]
    Served {
        /// What is served.
        place: String,
    },
    /// Another process copies to the same place.
    #[error("another copy to {place} is under way")]
    UnderWay {
        /// The target.
        place: String,
    },
    /// The target has something of its own.
    #[error("{place} is not empty ({table} has rows): name another target, or empty it")]
    Occupied {
        /// The target.
        place: String,
        /// The first table with rows.
        table: &'static str,
    },
    /// The target has half of another source.
    #[error("{place} holds half a copy of {of}: finish that one, or empty the target")]
    OfAnother {
        /// The target.
        place: String,
        /// What it was copied from.
        of: String,
    },
    /// The engine fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reading whole tables. Nobody else works on the store meanwhile.
#[async_trait]
pub trait CopySource: Send + Sync {
    /// What it is, without user and password.
    fn name(&self) -> &str;

    /// The next rows after a key, from the first where there is none; fewer than the limit only at the end.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn rows(
        &self,
        table: &'static Table,
        columns: &[Column],
        after: Option<&Row>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;

    /// The key of the last row, if there is one.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn last_key(&self, table: &'static Table) -> Result<Option<Row>, StoreError>;
}

/// Writing whole tables. Until the copy is complete, no server can be started on it.
#[async_trait]
pub trait CopyTarget: CopySource {
    /// Begins a copy, or goes on with one.
    ///
    /// # Errors
    /// [`CopyFault`]; where there is other data, nothing of it is touched.
    async fn begin(&self, source: &str) -> Result<(), CopyFault>;

    /// Makes room for the rows of a table up to this key.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn prepare(&self, table: &'static Table, last: &Row) -> Result<(), StoreError>;

    /// Adds rows of [`Table::all_columns`], all of them or none.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn add(&self, table: &'static Table, rows: Vec<Row>) -> Result<(), StoreError>;

    /// Makes it a store like any other: what is new gets higher ids, and a server can be started. Durable when this returns.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn complete(&self) -> Result<(), StoreError>;
}
