//! Names that a template uses and nothing has: misspelt ones would silently be null.

use minijinja::Environment;

use super::context::{NAMES, ORDER_NAMES};
use super::{NAME, TemplateFault};
use crate::order::OrderField;

/// How alike two names must be for one to be suggested for the other, from 0 to 1.
const LIKENESS_MIN: f64 = 0.7;

/// Looks through the names that a template neither makes itself nor has from the engine.
pub(super) fn check(environment: &Environment<'_>) -> Result<(), TemplateFault> {
    let template = environment.get_template(NAME);
    let template = template.map_err(|error| TemplateFault::of(&error))?;
    let mut used: Vec<String> = template.undeclared_variables(true).into_iter().collect();
    used.sort_unstable();
    for path in used {
        let mut parts = path.split('.');
        let first = parts.next().unwrap_or_default();
        let is_global = environment.globals().any(|(name, _)| name == first);
        if !is_global && !NAMES.contains(&first) {
            return Err(unknown(first, &NAMES));
        }
        if first == "order"
            && let Some(field) = parts.next()
        {
            let fields: Vec<&str> = order_names().collect();
            if !fields.contains(&field) {
                let fault = unknown(field, &fields);
                return Err(fault.with("`order`: "));
            }
        }
    }
    Ok(())
}

fn order_names() -> impl Iterator<Item = &'static str> {
    let fields = OrderField::ALL.into_iter().map(OrderField::name);
    ORDER_NAMES.into_iter().chain(fields)
}

fn unknown(name: &str, known: &[&str]) -> TemplateFault {
    let likeness = |other: &str| strsim::jaro_winkler(name, other);
    let nearest = known
        .iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .filter(|nearest| likeness(nearest) >= LIKENESS_MIN);
    TemplateFault::new(match nearest {
        Some(nearest) => format!("there is no `{name}`; did you mean `{nearest}`?"),
        None => format!("there is no `{name}`; there are {}", known.join(", ")),
    })
}
