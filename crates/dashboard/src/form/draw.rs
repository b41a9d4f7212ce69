//! The markup of a form.

use contract::{Kind, Param};
use maud::{Markup, html};
use serde_json::Value;

use super::{Field, Form, Values, param};
use crate::forgery;
use crate::prose::prose;
use crate::refusal::Fault;

/// From so many characters on, a string is written in a field of several lines.
const LONG_STRING_CHARS: usize = 2_100;
/// From more options on, they are searched and grouped: what two columns show at a glance.
const LONG_LIST: usize = 12;

pub(super) fn form(form: &Form<'_>, token: Option<&str>) -> Markup {
    let drawn: Vec<(&Field, &Param)> = form
        .fields
        .iter()
        .filter_map(|field| Some((field, param(form.route.params, field.name)?)))
        .collect();
    html! {
        (summary(form))
        form.stack method="post" action=(form.action) {
            @if let Some(token) = token { input type="hidden" name=(forgery::FIELD) value=(token); }
            @for (name, value) in &form.hidden { input type="hidden" name=(name) value=(value); }
            @for (field, param) in drawn { (row(form, field, param)) }
            p.buttons { button.primary type="submit" { (form.submit) } }
        }
    }
}

/// What was refused, before everything else: with links to the fields that are to be mended.
fn summary(form: &Form<'_>) -> Markup {
    let Some(refusal) = form.refusal else {
        return html! {};
    };
    html! {
        div.notice.bad role="alert" {
            p { (prose(&refusal.message)) }
            @if !refusal.errors.is_empty() {
                ul { @for fault in &refusal.errors {
                    li {
                        @match form.fields.iter().find(|field| concerns(fault, field.name)) {
                            Some(field) => a href={ "#" (field.input_id()) } { (words(field)) },
                            None => code { (fault.attr) },
                        }
                        " " (fault.message)
                    }
                } }
            }
        }
    }
}

/// Whether the fault is one of this parameter, or of something within it.
fn concerns(fault: &Fault, name: &str) -> bool {
    fault
        .attr
        .strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
}

/// The id of a field's input.
pub(crate) fn input_id(name: &str) -> String {
    format!("field-{}", name.replace('.', "-"))
}

fn words(field: &Field) -> String {
    field.label.map_or_else(|| label(field.name), str::to_owned)
}

/// The words for a parameter's name.
pub(crate) fn label(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let words: Vec<String> = last
        .split('_')
        .map(|word| match word {
            "url" | "id" | "sms" | "http" => word.to_uppercase(),
            word => word.to_owned(),
        })
        .collect();
    let text = words.join(" ");
    let mut signs = text.chars();
    match signs.next() {
        Some(first) => first.to_uppercase().chain(signs).collect(),
        None => text,
    }
}

fn row(form: &Form<'_>, field: &Field, param: &'static Param) -> Markup {
    let id = field.input_id();
    let errors = form.refusal.map_or(&[][..], |refusal| &refusal.errors);
    let faults: Vec<&Fault> = errors
        .iter()
        .filter(|fault| concerns(fault, field.name))
        .collect();
    let help = field.hint.unwrap_or(param.description);
    let described = described(&id, !help.is_empty(), !faults.is_empty());
    let control = Control {
        id: &id,
        field,
        param,
        described: &described,
        is_bad: !faults.is_empty(),
    };
    let chosen = values(form, field.name);
    let notes = html! {
        @if !help.is_empty() { p.help id={ (id) "-help" } { (prose(help)) } }
        @if !faults.is_empty() {
            div.fault id={ (id) "-fault" } { @for fault in faults { p { (fault_text(field.name, fault)) } } }
        }
    };
    match &param.kind {
        Kind::Boolean => html! {
            div.field.tick {
                label for=(id) {
                    input type="checkbox" id=(id) name=(field.name) value="true" aria-describedby=[control.described()]
                        checked[chosen.first().is_some_and(|value| value == "true")];
                    " " (words(field))
                }
                (notes)
            }
        },
        Kind::Array { .. } if !control.options().is_empty() => html! {
            fieldset.field id=(id) tabindex="-1" aria-describedby=[control.described()] {
                legend { (words(field)) (mark(field, param)) }
                (notes)
                (ticks(field.name, &words(field), &control.options(), &chosen))
            }
        },
        _ => html! {
            div.field {
                label for=(id) { (words(field)) (mark(field, param)) }
                (notes)
                (control.draw(&chosen))
            }
        },
    }
}

/// Boxes to tick. Many are searched, and stand under the word before their dot where they have one.
fn ticks(name: &str, label: &str, options: &[(String, String)], chosen: &[String]) -> Markup {
    let is_long = options.len() > LONG_LIST;
    let groups = match is_long {
        true => grouped(options),
        false => vec![("", options.iter().collect())],
    };
    let tick = |value: &String, text: &String| {
        let words = is_long.then(|| text.to_lowercase());
        html! { label data-words=[words] {
            input type="checkbox" name=(name) value=(value) checked[chosen.contains(value)]; " "
            @match text.strip_suffix(')').and_then(|rest| rest.strip_suffix(value)?.strip_suffix(" (")) {
                Some(words) => span { (words) " " code { (value) } },
                None => span { (text) },
            }
        } }
    };
    html! {
        div data-ticks[is_long] {
            @if is_long {
                p.find hidden { input type="search" placeholder="Search" aria-label={ "Search in " (label) } autocomplete="off";
                    " " span.quiet role="status" {} }
            }
            @for (group, options) in groups {
                div data-group[is_long] {
                    @if !group.is_empty() { p.group { (super::label(group)) } }
                    div.ticks { @for (value, text) in options { (tick(value, text)) } }
                }
            }
        }
    }
}

/// The options by the word before the dot of their value, in the order in which these come; those without one first.
fn grouped(options: &[(String, String)]) -> Vec<(&str, Vec<&(String, String)>)> {
    let mut groups: Vec<(&str, Vec<&(String, String)>)> = vec![("", Vec::new())];
    for option in options {
        let group = option.0.split_once('.').map_or("", |(group, _)| group);
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, options)) => options.push(option),
            None => groups.push((group, vec![option])),
        }
    }
    groups.retain(|(_, options)| !options.is_empty());
    groups
}

fn mark(field: &Field, param: &Param) -> Markup {
    html! { @if !param.required && !field.demanded { " " span.quiet { "(optional)" } } }
}

/// What is wrong, with the place within the field where it is not the field as a whole.
fn fault_text(name: &str, fault: &Fault) -> Markup {
    let within = fault.attr.strip_prefix(name).unwrap_or_default();
    html! { @if !within.is_empty() { code { (within) } " " } (fault.message) }
}

fn described(id: &str, has_help: bool, is_bad: bool) -> String {
    let mut ids = Vec::new();
    if is_bad {
        ids.push(format!("{id}-fault"));
    }
    if has_help {
        ids.push(format!("{id}-help"));
    }
    ids.join(" ")
}

/// The values that a field begins with, as text.
fn values(form: &Form<'_>, name: &str) -> Vec<String> {
    match form.values {
        Values::None => Vec::new(),
        Values::Sent(fields) => fields.all(name).map(str::to_owned).collect(),
        Values::Record(record) => {
            let value = name.split('.').fold(record, |value, name| &value[name]);
            match value {
                Value::Array(items) if items.iter().all(|item| !item.is_object()) => {
                    items.iter().map(shown).collect()
                }
                Value::Null => Vec::new(),
                value => vec![shown(value)],
            }
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => crate::text::pretty(&value.to_string()),
    }
}

struct Control<'f> {
    id: &'f str,
    field: &'f Field,
    param: &'static Param,
    described: &'f str,
    is_bad: bool,
}

impl Control<'_> {
    fn described(&self) -> Option<&str> {
        Some(self.described).filter(|ids| !ids.is_empty())
    }

    fn options(&self) -> Vec<(String, String)> {
        if self.field.options.is_empty() {
            let values = self.param.possible_values.iter();
            return values
                .map(|value| ((*value).to_owned(), label(value)))
                .collect();
        }
        self.field.options.clone()
    }

    fn draw(&self, chosen: &[String]) -> Markup {
        let (name, invalid) = (self.field.name, self.is_bad.then_some("true"));
        let value = chosen.join("\n");
        if !self.options().is_empty() {
            return html! {
                select id=(self.id) name=(name) aria-describedby=[self.described()] aria-invalid=[invalid] {
                    @if !self.param.required { option value="" { "–" } }
                    @for (option, text) in self.options() { option value=(option) selected[option == value] { (text) } }
                }
            };
        }
        match &self.param.kind {
            Kind::String { chars_max, .. }
                if *chars_max <= LONG_STRING_CHARS || self.field.input_type.is_some() =>
            {
                self.input(&value, "text")
            }
            Kind::Integer { .. } => self.input(&value, "number"),
            Kind::Number { .. } => self.input(&value, "number"),
            Kind::Time => self.input(value.trim_end_matches('Z'), "datetime-local"),
            kind => html! {
                textarea id=(self.id) name=(name) rows=(rows(kind)) spellcheck="false" aria-describedby=[self.described()]
                    aria-invalid=[invalid] { (value) }
            },
        }
    }

    fn input(&self, value: &str, usual_type: &str) -> Markup {
        let input_type = self.field.input_type.unwrap_or(usual_type);
        // A password is never sent back.
        let value = Some(value).filter(|value| !value.is_empty() && input_type != "password");
        let invalid = self.is_bad.then_some("true");
        let step = match self.param.kind {
            Kind::Number { .. } => Some("any"),
            Kind::Time => Some("1"),
            _ => None,
        };
        html! {
            input id=(self.id) name=(self.field.name) type=(input_type) value=[value] step=[step]
                autocomplete=[self.field.autocomplete] aria-describedby=[self.described()] aria-invalid=[invalid];
        }
    }
}

fn rows(kind: &Kind) -> u32 {
    match kind {
        Kind::Array { .. } => 3,
        _ => 8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_grouped_by_the_word_before_their_dot() {
        let option = |value: &str| (value.to_owned(), value.to_owned());
        let options = ["order.a", "*", "visit.b", "order.c.d", "plain"].map(option);
        let groups: Vec<(&str, Vec<&str>)> = grouped(&options)
            .into_iter()
            .map(|(group, options)| {
                (
                    group,
                    options.iter().map(|(value, _)| value.as_str()).collect(),
                )
            })
            .collect();
        let expected = [
            ("", vec!["*", "plain"]),
            ("order", vec!["order.a", "order.c.d"]),
            ("visit", vec!["visit.b"]),
        ];
        assert_eq!(groups, expected);
        assert!(grouped(&[]).is_empty());
    }
}
