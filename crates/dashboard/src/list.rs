//! Lists: what is in the address is what is shown, so that it can be passed on; pages follow by cursor.
//!
//! The query's names are those of the route's `filters`, `q` for the search, and `after` for the cursor.

mod bar;

pub(crate) use bar::bar;

use contract::Route;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use crate::api_call::Reply;
use crate::form::{param, value};
use crate::posted::Fields;
use crate::refusal::Refusal;
use crate::text::grouped;
use crate::visit::Visit;

/// Rows of a page: few enough for 100 kB, enough to read on.
const ROWS: u32 = 50;
/// Records that are read at once where all of a short list are wanted, and how often: 2,000 in all.
const RECORDS_AT_ONCE: u32 = 200;
const READS_MAX: u32 = 10;
/// The name of the search in addresses.
pub(crate) const SEARCH: &str = "q";
/// The name of the cursor in addresses.
const AFTER: &str = "after";

/// The parameters of a list from the query of its page. What the route does not declare is passed over.
pub(crate) fn parameters(route: &'static Route, query: &Fields) -> Value {
    let mut parameters = json!({ "page": { "size": ROWS } });
    if let Some(filters) = filters(route, query) {
        parameters["filters"] = filters;
    }
    let term = query.get(SEARCH).trim();
    if !term.is_empty() && param(route.params, "search").is_some() {
        parameters["search"] = json!({ "term": term });
    }
    if !query.get(AFTER).is_empty() {
        parameters["page"]["after"] = json!(query.get(AFTER));
    }
    parameters
}

/// The filters that the query sets; nothing where it sets none.
pub(crate) fn filters(route: &'static Route, query: &Fields) -> Option<Value> {
    let mut filters = Map::new();
    for child in param(route.params, "filters")?.kind.children() {
        let given: Vec<&str> = query
            .all(child.name)
            .filter(|text| !text.trim().is_empty())
            .collect();
        if given.is_empty() {
            continue;
        }
        if let Some(value) = value(child, &given) {
            filters.insert(child.name.to_owned(), value);
        }
    }
    (!filters.is_empty()).then_some(Value::Object(filters))
}

/// The address of the same list with other values of these names; an empty value takes the name out. It begins at the first page.
pub(crate) fn address(path: &str, query: &Fields, changes: &[(&str, &str)]) -> String {
    let mut encoded = url::form_urlencoded::Serializer::new(String::new());
    let is_kept = |name: &str| name != AFTER && changes.iter().all(|(changed, _)| *changed != name);
    for (name, value) in query
        .0
        .iter()
        .filter(|(name, value)| is_kept(name) && !value.is_empty())
    {
        encoded.append_pair(name, value);
    }
    for (name, value) in changes.iter().filter(|(_, value)| !value.is_empty()) {
        encoded.append_pair(name, value);
    }
    let encoded = encoded.finish();
    if encoded.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{encoded}")
    }
}

/// All records of a list that is short by its nature, such as a vocabulary; the first 2,000 of one that is not.
///
/// # Errors
/// Whatever the API refuses.
pub(crate) async fn all(visit: &Visit, route: &str, asked: &Value) -> Result<Vec<Value>, Refusal> {
    let mut records = Vec::new();
    let mut page = json!({ "size": RECORDS_AT_ONCE });
    for _ in 0..READS_MAX {
        let mut asked = asked.clone();
        asked["page"] = page;
        let reply = visit.call(route, asked).await?;
        records.extend(reply.items());
        match reply.next {
            Some(next) => page = json!({ "size": RECORDS_AT_ONCE, "after": next }),
            None => break,
        }
    }
    Ok(records)
}

/// How many there are, and the way to the next page.
pub(crate) fn pager(path: &str, query: &Fields, reply: &Reply, rows: usize) -> Markup {
    let is_later = !query.get(AFTER).is_empty();
    html! {
        nav.pager aria-label="Pages" {
            p.quiet {
                @match reply.count {
                    Some((count, is_capped)) => {
                        @if is_capped { "more than " } (grouped(count.try_into().unwrap_or(i64::MAX))) @if !is_capped { " in all" }
                    },
                    None => { (rows) " on this page" },
                }
            }
            @if is_later { a.button href=(address(path, query, &[])) { "First page" } }
            @if let Some(next) = &reply.next { a.button rel="next" href=(address(path, query, &[(AFTER, next)])) { "Next page" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::{JsonShape, Kind, Param};

    const FILTERS: &[Param] = &[
        Param::array("state", &Kind::STRING),
        Param::array("order_id", &Kind::INTEGER),
        Param::json("subscribers", JsonShape::Array),
        Param::time("date_range_start"),
    ];
    const SEARCHED: &[Param] = &[Param::string("term")];
    const ROUTE: Route = Route::post("things", "index").params(&[
        Param::hash("search", SEARCHED),
        Param::hash("filters", FILTERS),
    ]);

    #[test]
    fn the_address_is_what_is_asked_for() {
        let query = Fields::parse(
            b"state=exhausted&state=dead&order_id=7&q=+A-1+&after=abc&other=1&date_range_start=",
        );
        assert_eq!(
            parameters(&ROUTE, &query),
            json!({
                "page": { "size": ROWS, "after": "abc" }, "search": { "term": "A-1" },
                "filters": { "state": ["exhausted", "dead"], "order_id": [7] }
            })
        );
        assert_eq!(
            parameters(&ROUTE, &Fields::default()),
            json!({ "page": { "size": ROWS } })
        );
    }

    #[test]
    fn other_values_keep_the_rest_and_begin_anew() {
        let query = Fields::parse(b"state=dead&q=a+b&after=abc");
        assert_eq!(address("/x", &query, &[("state", "")]), "/x?q=a+b");
        assert_eq!(
            address("/x", &query, &[("after", "n&")]),
            "/x?state=dead&q=a+b&after=n%26"
        );
        assert_eq!(address("/x", &Fields::default(), &[]), "/x");
    }
}
