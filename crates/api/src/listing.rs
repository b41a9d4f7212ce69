//! Lists: what can be searched and sorted, and how the answer is written.

use contract::{Failure, Input, Kind, Param, Reply};
use serde::Serialize;
use store::{
    Cursor, ListQuery, OFFSET_ROWS_MAX, PAGE_SIZE_DEFAULT, Page, PageRequest, Search, Sort, Start,
};

/// Longest search term in characters: that of the longest text that can be searched, a callback URL.
const TERM_CHARS_MAX: usize = 2_048;

/// What a list can be asked.
pub(crate) struct Listing {
    /// The attributes that can be searched; the route declares `search` unless there are none.
    pub(crate) searched: &'static [&'static str],
    /// The attributes that it can be sorted by; the first one is the default.
    pub(crate) sorted: &'static [&'static str],
    /// Whether the largest come first when the caller does not say.
    pub(crate) descending: bool,
}

impl Listing {
    /// The children of `search`.
    pub(crate) const fn search_params(&self) -> [Param; 2] {
        [
            Param::string("term")
                .at(100)
                .required()
                .chars(1, TERM_CHARS_MAX)
                .about("The text: a whole value, or how one begins."),
            Param::array("attributes", &Kind::STRING)
                .at(200)
                .items(1, 20)
                .one_of(self.searched)
                .about("Where it is looked for; everywhere when absent."),
        ]
    }

    /// The children of `sort`.
    pub(crate) const fn sort_params(&self) -> [Param; 2] {
        [
            Param::string("by")
                .at(100)
                .one_of(self.sorted)
                .about("The attribute; `id` when absent."),
            Param::string("order")
                .at(200)
                .one_of(&["asc", "desc"])
                .about(if self.descending {
                    "Ascending or descending; `desc` when absent."
                } else {
                    "Ascending or descending; `asc` when absent."
                }),
        ]
    }

    /// What the caller asks. What is at fault is noted, and stands as if absent.
    pub(crate) fn query(&self, input: &Input<'_>) -> ListQuery {
        let search = if self.searched.is_empty() {
            None
        } else {
            input.hash("search").and_then(|search| self.search(search))
        };
        let sort = self.sort(input.hash("sort"));
        ListQuery {
            search,
            sort,
            page: page(input.hash("page"), sort),
            count: input.boolean("count").unwrap_or(false),
        }
    }

    fn search(&self, search: &Input<'_>) -> Option<Search> {
        let attributes = match search.strings("attributes") {
            Some(names) => names
                .iter()
                .filter_map(|name| known(self.searched, name))
                .collect(),
            None => self.searched.to_vec(),
        };
        Some(Search {
            term: search.string("term")?,
            attributes,
        })
    }

    fn sort(&self, sort: Option<&Input<'_>>) -> Sort {
        let by = sort.and_then(|sort| known(self.sorted, &sort.string("by")?));
        let order = sort.and_then(|sort| sort.string("order"));
        Sort {
            by: by.or(self.sorted.first().copied()).unwrap_or("id"),
            descending: order.map_or(self.descending, |order| order == "desc"),
        }
    }
}

fn known(names: &'static [&'static str], name: &str) -> Option<&'static str> {
    names.iter().copied().find(|known| *known == name)
}

fn page(page: Option<&Input<'_>>, sort: Sort) -> PageRequest {
    let Some(page) = page else {
        return PageRequest {
            size: PAGE_SIZE_DEFAULT,
            start: Start::Offset(0),
        };
    };
    let size = page
        .integer("size")
        .and_then(|size| u32::try_from(size).ok());
    let size = size.unwrap_or(PAGE_SIZE_DEFAULT);
    let start = if page.is_given("after") {
        if page.is_given("number") {
            page.fault(
                "number",
                "cannot stand beside page.after; leave one of them out",
            );
        }
        after(page, sort)
    } else {
        offset(page, size)
    };
    PageRequest {
        size,
        start: start.unwrap_or(Start::Offset(0)),
    }
}

fn after(page: &Input<'_>, sort: Sort) -> Option<Start> {
    let cursor: Cursor = page.string_as("after", str::parse)?;
    if !cursor.is_of(sort) {
        page.fault(
            "after",
            "comes from a list that was sorted otherwise; begin at its first page",
        );
    }
    Some(Start::After(cursor))
}

fn offset(page: &Input<'_>, size: u32) -> Option<Start> {
    let number = page.integer("number")?;
    let rows = (number - 1).saturating_mul(size.into());
    match u32::try_from(rows) {
        Ok(rows) if rows <= OFFSET_ROWS_MAX => Some(Start::Offset(rows)),
        _ => {
            page.fault(
                "number",
                format!("skips more than {OFFSET_ROWS_MAX} records; follow `next` with page.after instead"),
            );
            None
        }
    }
}

/// The answer of a list: `items` are the page's own, in the form in which they are shown.
pub(crate) fn reply<T>(page: &Page<T>, items: &impl Serialize) -> Result<Reply, Failure> {
    let next = page.next.as_ref().map(Cursor::to_string);
    let reply = Reply::of(items)?.next(next);
    Ok(match page.count {
        Some(count) => reply.count(count.count, count.capped),
        None => reply,
    })
}
