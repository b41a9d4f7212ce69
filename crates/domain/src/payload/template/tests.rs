//! What templates render, what they are refused for, and that no template can do harm.

mod hostile;
mod property;
mod rendering;

use super::*;
use crate::payload::Sample;

const AT: Moment = Moment::from_microseconds(1_769_862_600_250_000);

fn order() -> Sample {
    sample(IntegrationId(3), AT)
}

/// What a template renders of the sample order.
fn rendered(text: &str) -> Result<String, TemplateFault> {
    let bytes = Template::compile(text)?.render(&order().facts())?;
    Ok(String::from_utf8(bytes).expect("UTF-8"))
}

/// What an expression comes to.
fn value(expression: &str) -> String {
    let object = rendered(&format!("{{\"v\":{{{{ {expression} }}}}}}"));
    let object = object.unwrap_or_else(|fault| panic!("{expression}: {fault}"));
    let value = object
        .strip_prefix("{\"v\":")
        .and_then(|text| text.strip_suffix('}'));
    value.expect("an object").to_owned()
}

fn fault(text: &str) -> String {
    match rendered(text) {
        Ok(payload) => panic!("{text} renders {} bytes", payload.len()),
        Err(fault) => fault.to_string(),
    }
}
