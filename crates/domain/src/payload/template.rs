//! Views of one's own: a MiniJinja template over the facts of a stage, which renders a JSON object.
//!
//! Templates are written by people whom nobody here knows, and are rendered by the thread that accepts changes. So each is
//! bounded in its length, its steps and its output; it is compiled and rendered on a stack of its own, and a
//! panic of the engine is a fault like any other. `namespace` is switched off: values that hold themselves
//! would never be freed.
//!
//! What is printed is written as JSON (`{{ order.order_notes }}` with its quotes and escapes), and what is not
//! known is `null`, as in the built-in views. That hides misspelt names, so a template that is saved is first
//! looked through for names that nothing has (`names`), and tried with samples.

mod allowed;
mod checks;
mod context;
pub mod filter;
mod filters;
mod names;
mod output;
mod weight;

#[cfg(test)]
mod tests;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;

use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use serde::de::IgnoredAny;

use super::{StageFacts, sample};
use crate::id::IntegrationId;
use crate::order::OrderFields;
use crate::time::Moment;

/// Longest template in bytes: a payload of every field takes a tenth.
pub const TEMPLATE_BYTES_MAX: usize = 64 * 1024;
/// Largest payload in bytes: what an order may hold (64 KiB of free JSON) four times over.
pub const PAYLOAD_BYTES_MAX: usize = 256 * 1024;
/// Steps of one rendering, as MiniJinja counts them: one for an instruction, one for 64 bytes that are made.
/// A payload of every field takes about a thousand; this many take some milliseconds, and 6.4 MB.
pub const STEPS_MAX: u64 = 100_000;
/// Longest sentence about a fault in characters: it is kept with each job and notification.
const MESSAGE_CHARS_MAX: usize = 300;
/// Stack of a rendering in bytes: enough for values as deep as a template of full length can nest them. Only what is
/// touched takes memory.
const STACK_BYTES: usize = 128 * 1024 * 1024;
/// The only template of an environment.
const NAME: &str = "template";

/// A template that is compiled.
pub struct Template {
    environment: Environment<'static>,
    /// The names of the context that its text holds.
    wanted: Vec<&'static str>,
}

/// The text of a template that compiles, knows only names that there are, and renders samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateText(String);

/// What is wrong with a template, or why it does not render.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    /// The line of the template, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong; may quote the template, and a value of the order.
    pub message: String,
}

impl Template {
    /// Compiles a template.
    ///
    /// # Errors
    /// [`TemplateFault`] where it is too long or no template.
    pub fn compile(text: &str) -> Result<Template, TemplateFault> {
        if text.len() > TEMPLATE_BYTES_MAX {
            let message = format!("has more than {TEMPLATE_BYTES_MAX} bytes");
            return Err(TemplateFault::new(message));
        }
        Template::compile_within(text, STEPS_MAX)
    }

    /// Compiles what may take so many steps.
    fn compile_within(text: &str, steps_max: u64) -> Result<Template, TemplateFault> {
        guarded(|| {
            allowed::check(text)?;
            let mut environment = environment();
            environment.set_fuel(Some(steps_max));
            let added = environment.add_template_owned(NAME, text.to_owned());
            added.map_err(|error| TemplateFault::of(&error))?;
            Ok(Template {
                environment,
                wanted: context::names_within(text),
            })
        })
    }

    /// Renders the payload: a JSON object, the same bytes for the same facts.
    ///
    /// # Errors
    /// [`TemplateFault`] where it takes too many steps, renders too much, or no JSON object.
    pub fn render(&self, facts: &StageFacts<'_>) -> Result<Vec<u8>, TemplateFault> {
        guarded(|| object(self.write(facts)?))
    }

    /// What it writes, JSON or not.
    fn write(&self, facts: &StageFacts<'_>) -> Result<Vec<u8>, TemplateFault> {
        let template = self.environment.get_template(NAME);
        let template = template.map_err(|error| TemplateFault::of(&error))?;
        let mut out = output::Limited::new(PAYLOAD_BYTES_MAX);
        let context = context::context(&self.wanted, facts);
        let rendered = template.render_captured_to(context, &mut out).map(drop);
        rendered.map_err(|error| TemplateFault::of(&error))?;
        Ok(out.into_bytes())
    }
}

/// Tries what every template may meet: an order with and without an event, and one of which nothing is known.
fn try_samples<T>(
    verb: &str,
    run: impl Fn(&StageFacts<'_>) -> Result<T, TemplateFault>,
) -> Result<(), TemplateFault> {
    let sample = sample(IntegrationId(0), Moment::EPOCH);
    let fields = OrderFields::default();
    let whole = sample.facts();
    let without_event = StageFacts {
        event_slug: None,
        ..whole
    };
    let empty = StageFacts {
        external_order_id: None,
        fields: &fields,
        ..without_event
    };
    for (name, facts) in [
        ("a sample order", whole),
        ("a sample order without an event", without_event),
        ("an order of which nothing is known", empty),
    ] {
        run(&facts).map_err(|fault| fault.with(&format!("does not {verb} {name}: ")))?;
    }
    Ok(())
}

impl TemplateText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TemplateText {
    type Err = TemplateFault;

    fn from_str(text: &str) -> Result<TemplateText, TemplateFault> {
        let template = Template::compile(text)?;
        guarded(|| names::check(&template.environment))?;
        try_samples("render", |facts| template.render(facts))?;
        Ok(TemplateText(text.to_owned()))
    }
}

impl TemplateFault {
    fn new(message: impl Into<String>) -> TemplateFault {
        TemplateFault {
            line: None,
            message: message.into(),
        }
    }

    /// In our words, without the engine's own name for the template.
    fn of(error: &Error) -> TemplateFault {
        let message = match error.kind() {
            ErrorKind::OutOfFuel => format!(
                "takes more than {STEPS_MAX} steps, or {} as a filter",
                filter::STEPS_MAX
            ),
            ErrorKind::WriteFailure => format!("renders more than {PAYLOAD_BYTES_MAX} bytes"),
            kind => match error.detail() {
                Some(detail) => format!("{kind}: {detail}"),
                None => kind.to_string(),
            },
        };
        TemplateFault {
            line: error.line(),
            message: message.chars().take(MESSAGE_CHARS_MAX).collect(),
        }
    }

    fn with(self, before: &str) -> TemplateFault {
        TemplateFault {
            message: format!("{before}{}", self.message),
            ..self
        }
    }
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(out, "line {line}: ")?;
        }
        out.write_str(&self.message)
    }
}

impl std::error::Error for TemplateFault {}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_auto_escape_callback(|_| AutoEscape::Json);
    environment.set_formatter(output::write);
    // The one would show the engine's inside, the other makes values that hold themselves.
    environment.remove_global("debug");
    environment.remove_global("namespace");
    checks::guard(&mut environment);
    filters::guard(&mut environment);
    environment
}

/// Runs the engine: deep values and sources have room, and a panic ends nobody else's work.
fn guarded<T>(run: impl FnOnce() -> Result<T, TemplateFault>) -> Result<T, TemplateFault> {
    let run = AssertUnwindSafe(|| stacker::grow(STACK_BYTES, run));
    catch_unwind(run).unwrap_or_else(|_| Err(TemplateFault::new("the template engine crashed")))
}

/// The bytes, if they are a JSON object; white space around it is left out.
fn object(bytes: Vec<u8>) -> Result<Vec<u8>, TemplateFault> {
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(&bytes) {
        return Err(TemplateFault::new(format!(
            "what it renders is no JSON: {error}, counted in what is rendered"
        )));
    }
    let trimmed = bytes.trim_ascii();
    if !trimmed.starts_with(b"{") {
        return Err(TemplateFault::new("what it renders is no JSON object"));
    }
    if trimmed.len() == bytes.len() {
        return Ok(bytes);
    }
    Ok(trimmed.to_vec())
}
