//! The parameters of a route: by position, those of hashes below them.

use contract::{Kind, Param, by_position};
use maud::{Markup, html};

use super::contents::anchor;
use crate::prose::prose;

/// All of them; `place` is what they lie in, empty for the body itself.
pub(super) fn list(params: &'static [Param], place: &str) -> Markup {
    html! {
        dl.params {
            @for param in by_position(params) {
                (row(param, place))
            }
        }
    }
}

fn row(param: &'static Param, place: &str) -> Markup {
    let path = format!("{place}{}", param.name);
    let limits = limits(&param.kind).filter(|_| param.possible_values.is_empty());
    let children = param.kind.children();
    html! {
        div.param id={ "param-" (path) } {
            dt {
                code.name { (path) } " "
                span.type { (type_name(&param.kind)) } " "
                span.position title="Position" { span.quiet { "position " } (param.position) } " "
                @if param.required { strong.required { "required" } }
                (anchor(&format!("param-{path}")))
            }
            dd {
                p { (prose(param.description)) }
                @if let Some(limits) = limits { p.limits { (limits) } }
                @if !param.possible_values.is_empty() {
                    p.values {
                        span.quiet { "Possible values: " }
                        @for value in param.possible_values { code { (value) } " " }
                    }
                }
                @if !children.is_empty() {
                    (list(children, &format!("{path}{}.", if is_list(&param.kind) { "[]" } else { "" })))
                }
            }
        }
    }
}

fn is_list(kind: &Kind) -> bool {
    matches!(kind, Kind::Array { .. } | Kind::Batch { .. })
}

fn type_name(kind: &Kind) -> String {
    match kind {
        Kind::Array { items, .. } => format!("array of {}", items.name()),
        Kind::Batch { .. } => "array of hash".to_owned(),
        kind => kind.name().to_owned(),
    }
}

/// A string that may be longer has a description that says what counts; its limit is only a guard.
const CHARS_SHOWN_MAX: usize = 10_000;

/// The bounds of a value in words; nothing where only the ordinary ones hold.
fn limits(kind: &Kind) -> Option<String> {
    match *kind {
        Kind::String {
            chars_min,
            chars_max,
        } if chars_max <= CHARS_SHOWN_MAX && *kind != Kind::STRING => {
            Some(counted(chars_min, chars_max, "character"))
        }
        Kind::Integer { min, max } if min > i64::MIN && max < i64::MAX => {
            Some(format!("{min} to {max}."))
        }
        Kind::Integer { min, .. } if min > i64::MIN => Some(format!("{min} or more.")),
        Kind::Number { min, max } if min > f64::MIN && max < f64::MAX => {
            Some(format!("{min} to {max}."))
        }
        Kind::Time => Some("RFC 3339, in UTC.".to_owned()),
        Kind::Array {
            items_min,
            items_max,
            ..
        }
        | Kind::Batch {
            items_min,
            items_max,
            ..
        } => Some(counted(items_min, items_max, "item")),
        Kind::Json { bytes_max, .. } => Some(format!("Up to {bytes_max} bytes of JSON.")),
        _ => None,
    }
}

fn counted(min: usize, max: usize, what: &str) -> String {
    let plural = if max == 1 { "" } else { "s" };
    match (min, max) {
        (min, max) if min == max => format!("Exactly {max} {what}{plural}."),
        (0, max) => format!("Up to {max} {what}{plural}."),
        (min, max) => format!("{min} to {max} {what}{plural}."),
    }
}
