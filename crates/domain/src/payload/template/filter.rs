//! A subscription's filter: an expression over the order, the stage and the event that a change must fulfil.
//!
//! It is a template in small, with the same names, the same limits in kind and the same checks when it is saved. A
//! filter that cannot be decided on a real order lets the change pass: better one too many than one lost.

use std::fmt;
use std::str::FromStr;

use minijinja::machinery::parse_expr;

use super::{Template, TemplateFault, guarded, names, try_samples};
use crate::payload::StageFacts;

/// Longest filter in bytes: a condition that takes more is a program.
pub const FILTER_BYTES_MAX: usize = 2 * 1024;
/// Steps of one decision, as MiniJinja counts them. A condition takes about ten; this many take some tenths of a
/// millisecond, and a change may have a thousand filters to pass.
pub const STEPS_MAX: u64 = 5_000;
/// What a fulfilled condition writes.
const FULFILLED: &str = "1";

/// A filter that is compiled.
pub struct Filter(Template);

/// The text of a filter that compiles, knows only names that there are, and decides on samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterText(String);

impl Filter {
    /// Compiles a filter.
    ///
    /// # Errors
    /// [`TemplateFault`] where it is too long or no expression.
    pub fn compile(text: &str) -> Result<Filter, TemplateFault> {
        if text.len() > FILTER_BYTES_MAX {
            let message = format!("has more than {FILTER_BYTES_MAX} bytes");
            return Err(TemplateFault::new(message));
        }
        // A whole expression cannot end the tag that it is put into.
        guarded(|| {
            let parsed = parse_expr(text).map(drop);
            parsed.map_err(|error| TemplateFault::of(&error))
        })?;
        let template = format!("{{% if ({text}) %}}{FULFILLED}{{% endif %}}");
        Template::compile_within(&template, STEPS_MAX).map(Filter)
    }

    /// Whether a change fulfils it.
    ///
    /// # Errors
    /// [`TemplateFault`] where that cannot be decided.
    pub fn passes(&self, facts: &StageFacts<'_>) -> Result<bool, TemplateFault> {
        guarded(|| Ok(self.0.write(facts)? == FULFILLED.as_bytes()))
    }
}

impl FilterText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FilterText {
    type Err = TemplateFault;

    fn from_str(text: &str) -> Result<FilterText, TemplateFault> {
        let filter = Filter::compile(text)?;
        guarded(|| names::check(&filter.0.environment))?;
        try_samples("decide on", |facts| filter.passes(facts))?;
        Ok(FilterText(text.to_owned()))
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Filter")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::IntegrationId;
    use crate::payload::sample;
    use crate::time::Moment;

    fn passes(text: &str) -> Result<bool, TemplateFault> {
        let sample = sample(IntegrationId(7), Moment::EPOCH);
        text.parse::<FilterText>()?;
        Filter::compile(text)?.passes(&sample.facts())
    }

    #[test]
    fn conditions_over_order_stage_and_event_decide() {
        let cases = [
            ("true", true),
            ("false", false),
            ("stage == 'scheduled'", true),
            ("stage in ['completed', 'hold']", false),
            ("event is none", false),
            (
                "event == 'appointment.scheduled' and order.property.bedrooms > 2",
                true,
            ),
            (
                "order.address.state == 'CO' or order.address.state == 'UT'",
                true,
            ),
            ("order.metadata.vip", false),
            ("order.metadata.vip == true", false),
            (
                "order.services | selectattr('group_slug', 'equalto', 'photos') | list | length > 0",
                true,
            ),
            ("not order.property_access.vacant", false),
            ("order.property_access.access_code is defined", false),
            ("'%}' == '%}'", true),
            ("'a' if stage == 'hold' else ''", false),
            ("sequence > 1", false),
            ("integration_id == 7", true),
        ];
        for (text, expected) in cases {
            assert_eq!(passes(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn the_examples_of_the_docs_can_be_decided() {
        let docs = include_str!("../../../../../docs/recover.md");
        let mut blocks = docs.split("```");
        let examples = blocks.nth(1).expect("a block").trim();
        assert_eq!(examples.lines().count(), 3);
        for example in examples.lines() {
            assert!(passes(example).is_ok(), "{example}: {:?}", passes(example));
        }
    }

    #[test]
    fn what_is_no_condition_is_refused_with_the_reason() {
        let long = format!("stage == '{}'", "x".repeat(FILTER_BYTES_MAX));
        let heavy = "range(20000) | list | length > 3 and ".repeat(40) + "true";
        let cases = [
            ("", "unexpected"),
            ("stage ==", "unexpected"),
            ("stage == 'a' %}{{ order }}{% if true", "unexpected"),
            ("stage == 'a') or (true", "unexpected"),
            ("{{ stage }}", "unexpected"),
            ("stage = 'a'", "unexpected"),
            ("stagee == 'a'", "did you mean `stage`"),
            ("order.propertie.bedrooms > 2", "there is no `propertie`"),
            (
                "order.order_notes + 1 > 2",
                "does not decide on a sample order: ",
            ),
            ("order.services == order.appointments", "compar"),
            (&heavy, "steps"),
            (&long, "more than 2048 bytes"),
        ];
        for (text, expected) in cases {
            let refused = passes(text).expect_err(text).to_string();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
    }
}
