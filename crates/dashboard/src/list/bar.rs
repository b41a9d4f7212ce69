//! The bar above a list: the search, the filters of its route as fields, and those that are set, each with a way to take it out.

use contract::{Kind, Param, Route};
use maud::{Markup, html};

use super::{AFTER, SEARCH, address};
use crate::form::{input_id, label, param};
use crate::posted::Fields;

/// See the module. `searched` says what the search looks at.
pub(crate) fn bar(route: &'static Route, path: &str, query: &Fields, searched: &str) -> Markup {
    let filters = param(route.params, "filters").map_or(&[][..], |filters| filters.kind.children());
    let is_searched = param(route.params, "search").is_some();
    let set: Vec<(&Param, &str)> = filters
        .iter()
        .flat_map(|filter| query.all(filter.name).map(move |value| (filter, value)))
        .filter(|(_, value)| !value.trim().is_empty())
        .collect();
    html! {
        form.bar method="get" action=(path) role="search" {
            @if is_searched {
                label.find { span.unseen { "Search" }
                    input type="search" name=(SEARCH) value=(query.get(SEARCH)) placeholder={ "Search: " (searched) }; }
                button type="submit" { "Search" }
            }
            @if !filters.is_empty() {
                details.filters open[!is_searched] {
                    summary { "Filters" @if !set.is_empty() { " (" (set.len()) ")" } }
                    div.grid { @for filter in filters { (control(filter, query)) } }
                    p.buttons { button.primary type="submit" { "Apply" } " " a.button href=(path) { "Clear" } }
                }
            }
        }
        @if !set.is_empty() || !query.get(SEARCH).is_empty() || !query.get(AFTER).is_empty() {
            ul.chips aria-label="What is shown" {
                @if !query.get(SEARCH).is_empty() { (chip("Search", query.get(SEARCH), &address(path, query, &[(SEARCH, "")]))) }
                @for (filter, value) in &set { (chip(&label(filter.name), value, &without(path, query, filter.name, value))) }
            }
        }
    }
}

fn chip(name: &str, value: &str, path: &str) -> Markup {
    html! { li { a.chip href=(path) {
        (name) ": " strong { (value) } " " span aria-hidden="true" { "×" } span.unseen { " (take out)" }
    } } }
}

/// The address without one value of a filter.
fn without(path: &str, query: &Fields, name: &str, value: &str) -> String {
    let left = query
        .0
        .iter()
        .filter(|(known, given)| !(known == name && given == value));
    address(path, &Fields(left.cloned().collect()), &[])
}

fn control(filter: &Param, query: &Fields) -> Markup {
    let id = input_id(filter.name);
    let name = filter.name;
    let values: Vec<&str> = query.all(name).filter(|value| !value.is_empty()).collect();
    let value = values.first().copied().unwrap_or_default();
    html! {
        div.field {
            label for=(id) { (label(name)) @if matches!(filter.kind, Kind::Time) { " " span.quiet { "(UTC)" } } }
            @if !filter.possible_values.is_empty() {
                select id=(id) name=(name) {
                    option value="" { "Any" }
                    @for option in filter.possible_values { option value=(option) selected[*option == value] { (label(option)) } }
                }
            } @else if matches!(filter.kind, Kind::Boolean) {
                select id=(id) name=(name) {
                    option value="" { "Any" }
                    @for (option, words) in [("true", "Yes"), ("false", "No")] { option value=(option) selected[option == value] { (words) } }
                }
            } @else {
                input id=(id) name=(name) type=(input_type(&filter.kind)) value=(value.trim_end_matches('Z'))
                    step=[matches!(filter.kind, Kind::Time).then_some("1")];
            }
            // Further values of the same filter, which links can set.
            @for more in values.iter().skip(1) { input type="hidden" name=(name) value=(more); }
        }
    }
}

fn input_type(kind: &Kind) -> &'static str {
    match kind {
        Kind::Time => "datetime-local",
        Kind::Array {
            items: Kind::Integer { .. },
            ..
        } => "number",
        _ => "text",
    }
}
