//! What a parameter's value can be, with its limits.

use crate::param::Param;

/// Longest string of a parameter that states no limit of its own: room for a sentence or two.
pub(crate) const STRING_CHARS_MAX: usize = 1_000;
/// Most items of an array that states no limit of its own.
pub(crate) const ARRAY_ITEMS_MAX: usize = 1_000;
/// Longest free JSON of a parameter that states no limit of its own.
pub(crate) const JSON_BYTES_MAX: usize = 64 * 1024;

/// The type of a value. All bounds are inclusive.
///
/// Types are strict: nothing is converted, trimmed or rounded, so that what is stored is what was
/// sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// The caller's token: a string, or the `Authorization` header in its place. Not checked with
    /// the others but before them, by [`Decoded::token`](crate::Decoded::token).
    Token,
    /// A string, measured in Unicode characters, without U+0000 (which not every store can keep).
    String {
        /// Fewest characters.
        chars_min: usize,
        /// Most characters.
        chars_max: usize,
    },
    /// A number written without fraction and exponent.
    Integer {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// Any number.
    Number {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// `true` or `false`.
    Boolean,
    /// A moment in UTC, written as RFC 3339 section 5.6 has it; read as microseconds since 1970.
    Time,
    /// A list whose every item is of one kind.
    Array {
        /// The kind of each item.
        items: &'static Kind,
        /// Fewest items.
        items_min: usize,
        /// Most items.
        items_max: usize,
    },
    /// An object whose members are declared like a route's parameters.
    Hash {
        /// The members it may have.
        children: &'static [Param],
    },
    /// An array of hashes, each taken or refused on its own: what is wrong in one is that one's
    /// fault only.
    Batch {
        /// The members each hash may have.
        children: &'static [Param],
        /// Fewest hashes.
        items_min: usize,
        /// Most hashes.
        items_max: usize,
    },
    /// JSON whose inside is the caller's own affair, kept as it was written.
    Json {
        /// What it must be on the outside.
        shape: JsonShape,
        /// Longest text in bytes, white space included.
        bytes_max: usize,
    },
}

/// What free JSON must be on the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonShape {
    /// An object.
    Object,
    /// An array.
    Array,
    /// Any value but null, which means absent.
    Any,
}

impl Kind {
    /// A string within the ordinary limits.
    pub const STRING: Kind = Kind::String {
        chars_min: 0,
        chars_max: STRING_CHARS_MAX,
    };
    /// Any integer that 64 bits hold.
    pub const INTEGER: Kind = Kind::Integer {
        min: i64::MIN,
        max: i64::MAX,
    };
    /// Any finite number.
    pub const NUMBER: Kind = Kind::Number {
        min: f64::MIN,
        max: f64::MAX,
    };

    /// The word that the reference page uses for it.
    pub const fn name(&self) -> &'static str {
        match self {
            Kind::Token | Kind::String { .. } => "string",
            Kind::Integer { .. } => "integer",
            Kind::Number { .. } => "number",
            Kind::Boolean => "boolean",
            Kind::Time => "time",
            Kind::Array { .. }
            | Kind::Batch { .. }
            | Kind::Json {
                shape: JsonShape::Array,
                ..
            } => "array",
            Kind::Hash { .. }
            | Kind::Json {
                shape: JsonShape::Object,
                ..
            } => "hash",
            Kind::Json {
                shape: JsonShape::Any,
                ..
            } => "json",
        }
    }

    /// The declared members of a hash, or of the hashes in an array; empty for all else.
    pub const fn children(&self) -> &'static [Param] {
        match self {
            Kind::Hash { children } | Kind::Batch { children, .. } => children,
            Kind::Array { items, .. } => items.children(),
            _ => &[],
        }
    }
}
