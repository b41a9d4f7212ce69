//! What `postrider config print` shows: every setting, its value, and where that comes from.

use std::fmt::Write;

use serde_json::{Value, json};

use super::gather::Gathered;
use super::setting::{self, Setting};
use super::source::Source;

/// What is shown in place of a secret.
const MASK: &str = "(secret)";

/// A line per setting.
pub fn as_table(gathered: &Gathered) -> String {
    let rows: Vec<[String; 3]> = shown()
        .map(|setting| {
            let value = value(gathered, setting).unwrap_or("–".to_owned());
            [
                setting.key.to_owned(),
                value,
                place(gathered.source(setting), setting),
            ]
        })
        .collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let (keys, values) = (width(0), width(1));
    let mut table = String::new();
    for [key, value, place] in &rows {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{key:keys$}  {value:values$}  {place}");
    }
    table
}

/// The same as an object by setting.
pub fn as_json(gathered: &Gathered) -> Value {
    let entry = |setting: &'static Setting| {
        let source = gathered.source(setting);
        let value = json!({
            "value": value(gathered, setting),
            "source": source.name(),
            "place": place(source, setting),
        });
        (setting.key.to_owned(), value)
    };
    Value::Object(shown().map(entry).collect())
}

fn shown() -> impl Iterator<Item = &'static Setting> {
    setting::ALL.into_iter()
}

fn value(gathered: &Gathered, setting: &Setting) -> Option<String> {
    let text = gathered.text(setting)?;
    Some(match text {
        _ if setting.is_secret => MASK.to_owned(),
        "" => "none".to_owned(),
        text => text.to_owned(),
    })
}

fn place(source: Source, setting: &'static Setting) -> String {
    match source {
        Source::Default => "default".to_owned(),
        Source::Flag => setting.flag(),
        Source::Environment => setting.variable(),
        Source::File(file) => file.display().to_string(),
    }
}
