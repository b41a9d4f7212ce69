//! Vocabularies: the words for order statuses and order events.

use serde_json::{Value, json};

use crate::list;
use crate::refusal::Refusal;
use crate::text::text;
use crate::visit::Visit;

/// What a subscription lists where it wants every word.
pub(crate) const ALL: &str = "*";

/// The words of a vocabulary that can be used, as choices of a form; beside them those of `chosen` that can be used no more.
///
/// # Errors
/// Whatever the API refuses.
pub(crate) async fn options(
    visit: &Visit,
    key: &str,
    chosen: &[&str],
) -> Result<Vec<(String, String)>, Refusal> {
    let asked = json!({ "key": key, "filters": { "active": true } });
    let words = list::all(visit, "list_items/index", &asked).await?;
    let mut options: Vec<(String, String)> = words.iter().map(option).collect();
    for slug in chosen.iter().filter(|slug| **slug != ALL) {
        if options.iter().all(|(known, _)| known != slug) {
            options.push(((*slug).to_owned(), format!("{slug} (switched off)")));
        }
    }
    Ok(options)
}

fn option(word: &Value) -> (String, String) {
    let (slug, name) = (text(word, "slug"), text(word, "name"));
    let words = match name == slug {
        true => slug.to_owned(),
        false => format!("{name} ({slug})"),
    };
    (slug.to_owned(), words)
}
