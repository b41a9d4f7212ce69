//! Parameters that several routes declare.

use contract::{Given, Input, Kind, Param};

/// Most characters of the name that an order system gives to something of its own.
pub(crate) const FOREIGN_ID_CHARS_MAX: usize = 255;
/// Most values of a filter: enough for every status there is, few enough for one look at an index.
pub(crate) const FILTER_ITEMS_MAX: usize = 100;

/// A word of a vocabulary, or what stands for one.
pub(crate) const SLUG: Kind = Kind::String {
    chars_min: 1,
    chars_max: 100,
};
/// The name that an order system gives to something of its own.
pub(crate) const FOREIGN_ID: Kind = Kind::String {
    chars_min: 1,
    chars_max: FOREIGN_ID_CHARS_MAX,
};

pub(crate) const INTEGRATION_ID: Param = Param::integer("integration_id")
    .at(100)
    .required()
    .about("The id of the integration that the records belong to.");

pub(crate) const COUNT: Param = Param::boolean("count").at(300).about(
    "Whether the answer bears `count`, the number of all records that match: exact up to 10,000, beyond \
     that 10,000 with `count_capped`.",
);

pub(crate) const VIEW: Param = Param::string("view")
    .at(400)
    .one_of(&["default"])
    .about("The form in which records are answered.");

/// Declare with the children of the route's own list: `Listing::search_params`.
pub(crate) const fn search(children: &'static [Param]) -> Param {
    Param::hash("search", children)
        .at(500)
        .about("Keeps only records in which a text is found.")
}

/// Declare with the route's own filters.
pub(crate) const fn filters(children: &'static [Param]) -> Param {
    Param::hash("filters", children)
        .at(600)
        .about("Keeps only records that pass every filter given. An empty array filters nothing.")
}

pub(crate) const PAGE: Param = Param::hash("page", PAGE_CHILDREN)
    .at(700)
    .about("Which part of the list is answered.");

const PAGE_CHILDREN: &[Param] = &[
    Param::integer("size")
        .at(100)
        .range(1, store::PAGE_SIZE_MAX as i64)
        .about("Records on the page; 50 when absent."),
    Param::integer("number")
        .at(200)
        .range(1, i64::MAX)
        .about("The how-manieth page, from 1; for the first 10,000 records only."),
    Param::string("after")
        .at(300)
        .chars(1, CURSOR_CHARS_MAX)
        .about("The cursor `next` of the page before. Reaches the whole list, and stays in place while records are added."),
];

/// Longest cursor in characters: that of a name of 200 characters, in base64.
const CURSOR_CHARS_MAX: usize = 4_000;

/// Declare with the children of the route's own list: `Listing::sort_params`.
pub(crate) const fn sort(children: &'static [Param]) -> Param {
    Param::hash("sort", children)
        .at(1000)
        .about("The order of the list.")
}

pub(crate) const DATE_RANGE_START: Param =
    Param::time("date_range_start").about("Only records made at this moment or later.");

pub(crate) const DATE_RANGE_END: Param =
    Param::time("date_range_end").about("Only records made before this moment.");

/// A filter that keeps records whose value is one of those given.
pub(crate) const fn filter(name: &'static str, items: &'static Kind) -> Param {
    Param::array(name, items).items(0, FILTER_ITEMS_MAX)
}

/// Two declarations as one, where a route shares parameters with others.
pub(crate) const fn joined<const A: usize, const B: usize, const BOTH: usize>(
    own: [Param; A],
    shared: [Param; B],
) -> [Param; BOTH] {
    assert!(A + B == BOTH, "the length must be the sum of the parts");
    let mut params = [contract::TOKEN; BOTH];
    let mut index = 0;
    while index < A {
        params[index] = own[index];
        index += 1;
    }
    while index < BOTH {
        params[index] = shared[index - A];
        index += 1;
    }
    params
}

/// A field that must have a value: `null` is a fault.
pub(crate) fn kept<T>(
    input: &Input<'_>,
    name: &str,
    read: impl FnOnce(&Input<'_>, &str) -> Option<T>,
) -> Option<T> {
    match input.given(name, read) {
        Given::Value(value) => Some(value),
        Given::Null => {
            input.fault(name, "cannot be cleared; leave it out to keep it");
            None
        }
        Given::Absent => None,
    }
}

/// A filter that is a boolean.
pub(crate) fn filter_boolean(input: &Input<'_>, name: &str) -> Option<bool> {
    input.hash("filters")?.boolean(name)
}
