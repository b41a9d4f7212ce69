//! One declared parameter, and the builder that declares it.

use crate::kind::{ARRAY_ITEMS_MAX, JSON_BYTES_MAX, JsonShape, Kind};

/// Longest idempotency key, in characters, whether parameter or header.
const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// The parameter that every authenticated route begins with.
pub const TOKEN: Param = Param::new("token", Kind::Token).at(100).required().about(
    "The token of an application or of a session. `Authorization: Bearer …` is accepted in its \
     place.",
);

/// The parameter by which a create can be repeated without doing its work twice; on routes that
/// declare it, the header `Idempotency-Key` is accepted in its place. Declare it with a position of
/// the route's own.
pub const IDEMPOTENCY_KEY: Param = Param::string("idempotency_key")
    .chars(1, IDEMPOTENCY_KEY_CHARS_MAX)
    .about(
        "Makes it safe to send the request again: the same key is answered as the first time and \
         changes nothing. The header `Idempotency-Key` is accepted in its place.",
    );

/// A parameter as it is parsed, checked and documented.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Param {
    /// Its name in the body.
    pub name: &'static str,
    /// Its type and limits.
    pub kind: Kind,
    /// Where documentation and faults list it: ascending, ties in the order of declaration.
    pub position: u32,
    /// Whether absence, or null, is a fault.
    pub required: bool,
    /// What it means, for the reference page.
    pub description: &'static str,
    /// The only strings accepted (for an array: in each item); empty when any string within the
    /// limits is.
    pub possible_values: &'static [&'static str],
}

impl Param {
    /// An optional parameter of any kind; the functions below are shorter for the usual ones.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Param {
            name,
            kind,
            position: 0,
            required: false,
            description: "",
            possible_values: &[],
        }
    }

    /// A string.
    pub const fn string(name: &'static str) -> Self {
        Param::new(name, Kind::STRING)
    }

    /// An integer.
    pub const fn integer(name: &'static str) -> Self {
        Param::new(name, Kind::INTEGER)
    }

    /// A number that need not be whole.
    pub const fn number(name: &'static str) -> Self {
        Param::new(name, Kind::NUMBER)
    }

    /// A boolean.
    pub const fn boolean(name: &'static str) -> Self {
        Param::new(name, Kind::Boolean)
    }

    /// A moment in UTC.
    pub const fn time(name: &'static str) -> Self {
        Param::new(name, Kind::Time)
    }

    /// A list of one kind, such as `&Kind::STRING`.
    pub const fn array(name: &'static str, items: &'static Kind) -> Self {
        Param::new(
            name,
            Kind::Array {
                items,
                items_min: 0,
                items_max: ARRAY_ITEMS_MAX,
            },
        )
    }

    /// An object with declared members.
    pub const fn hash(name: &'static str, children: &'static [Param]) -> Self {
        Param::new(name, Kind::Hash { children })
    }

    /// A list of objects that are taken or refused one by one.
    pub const fn batch(name: &'static str, children: &'static [Param]) -> Self {
        Param::new(
            name,
            Kind::Batch {
                children,
                items_min: 0,
                items_max: ARRAY_ITEMS_MAX,
            },
        )
    }

    /// Free JSON.
    pub const fn json(name: &'static str, shape: JsonShape) -> Self {
        Param::new(
            name,
            Kind::Json {
                shape,
                bytes_max: JSON_BYTES_MAX,
            },
        )
    }

    /// Sets the position.
    pub const fn at(mut self, position: u32) -> Self {
        self.position = position;
        self
    }

    /// Makes it required.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Says what it means.
    pub const fn about(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Closes the list of accepted strings.
    pub const fn one_of(mut self, values: &'static [&'static str]) -> Self {
        self.possible_values = values;
        self
    }

    /// Bounds a string, in characters, both inclusive.
    pub const fn chars(mut self, chars_min: usize, chars_max: usize) -> Self {
        self.kind = match self.kind {
            Kind::String { .. } => Kind::String {
                chars_min,
                chars_max,
            },
            _ => misdeclared("chars() is for strings"),
        };
        self
    }

    /// Bounds an integer, both inclusive.
    pub const fn range(mut self, min: i64, max: i64) -> Self {
        self.kind = match self.kind {
            Kind::Integer { .. } => Kind::Integer { min, max },
            _ => misdeclared("range() is for integers; numbers have number_range()"),
        };
        self
    }

    /// Bounds a number, both inclusive.
    pub const fn number_range(mut self, min: f64, max: f64) -> Self {
        self.kind = match self.kind {
            Kind::Number { .. } => Kind::Number { min, max },
            _ => misdeclared("number_range() is for numbers; integers have range()"),
        };
        self
    }

    /// Bounds an array, in items, both inclusive.
    pub const fn items(mut self, items_min: usize, items_max: usize) -> Self {
        self.kind = match self.kind {
            Kind::Array { items, .. } => Kind::Array {
                items,
                items_min,
                items_max,
            },
            Kind::Batch { children, .. } => Kind::Batch {
                children,
                items_min,
                items_max,
            },
            _ => misdeclared("items() is for arrays and batches"),
        };
        self
    }

    /// Bounds free JSON, in bytes as it was written.
    pub const fn bytes(mut self, bytes_max: usize) -> Self {
        self.kind = match self.kind {
            Kind::Json { shape, .. } => Kind::Json { shape, bytes_max },
            _ => misdeclared("bytes() is for free JSON"),
        };
        self
    }
}

/// The parameters in the order in which documentation lists them.
pub fn by_position(params: &'static [Param]) -> Vec<&'static Param> {
    let mut sorted: Vec<&Param> = params.iter().collect();
    sorted.sort_by_key(|param| param.position);
    sorted
}

#[expect(
    clippy::panic,
    reason = "declarations are constants: this stops the build, never a running server"
)]
const fn misdeclared(reason: &'static str) -> Kind {
    panic!("{}", reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_sort_and_ties_keep_the_order_of_declaration() {
        const PARAMS: &[Param] = &[
            Param::string("last").at(900),
            Param::string("tie_a").at(100),
            Param::string("tie_b").at(100),
            Param::string("first").at(50),
        ];
        let names: Vec<&str> = by_position(PARAMS).iter().map(|param| param.name).collect();
        assert_eq!(names, ["first", "tie_a", "tie_b", "last"]);
    }

    #[test]
    fn children_are_found_through_arrays() {
        const CHILD: &[Param] = &[Param::string("name")];
        let cases = [
            (Param::hash("a", CHILD), 1),
            (Param::batch("a", CHILD), 1),
            (Param::array("a", &Kind::Hash { children: CHILD }), 1),
            (Param::array("a", &Kind::STRING), 0),
            (Param::boolean("a"), 0),
        ];
        for (param, count) in cases {
            assert_eq!(param.kind.children().len(), count, "{param:?}");
        }
    }
}
