//! What is known of an order besides its ids and its status: declared once for creating it, updating it,
//! and reporting changes of it.

use std::borrow::Cow;
use std::fmt;

use contract::{Given, Input, JsonShape, Param};
use domain::order::{OrderChanges, OrderField};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::params::FOREIGN_ID_CHARS_MAX;

/// Most bytes of the fields that are free JSON, together: an order is read and written at each change.
const FREE_JSON_BYTES_MAX: usize = 64 * 1024;
/// The fields that this concerns.
const FREE_JSON: [OrderField; 7] = [
    OrderField::Property,
    OrderField::Client,
    OrderField::PropertyAccess,
    OrderField::Services,
    OrderField::Appointments,
    OrderField::Links,
    OrderField::Assets,
];
/// Most services: each is written out with all its members in payloads of version v2.
const SERVICES_MAX: usize = 200;
/// Most bytes of the address as it is written: its parts are bounded, the white space between them is not.
const ADDRESS_BYTES_MAX: usize = 16 * 1024;
/// Most characters of a part of the address.
const ADDRESS_PART_CHARS_MAX: usize = 255;
/// Most entries of the metadata, and most characters of their keys and values.
const METADATA_ENTRIES_MAX: usize = 50;
const METADATA_KEY_CHARS_MAX: usize = 60;
const METADATA_VALUE_CHARS_MAX: usize = 500;
/// Most bytes of the metadata: the largest that the limits above allow.
const METADATA_BYTES_MAX: usize = 128 * 1024;
/// Most characters of a remark.
const ORDER_NOTES_CHARS_MAX: usize = 1_000;

/// The parameters, at the positions that they have on every route.
pub(crate) const PARAMS: [Param; 12] = [
    Param::string("external_property_id")
        .at(500)
        .chars(1, FOREIGN_ID_CHARS_MAX)
        .about("The property's id at the order system."),
    Param::string("billing_entity_slug")
        .at(600)
        .chars(1, FOREIGN_ID_CHARS_MAX)
        .about("Who pays."),
    Param::hash("address", ADDRESS)
        .at(700)
        .about("Where the property is."),
    free("property", JsonShape::Object)
        .at(800)
        .about("Facts of the property, such as `sqft`, `bedrooms` and `bathrooms`."),
    free("client", JsonShape::Object)
        .at(900)
        .about("Who ordered: `first_name`, `last_name`, `email`, `phone`."),
    free("property_access", JsonShape::Object).at(1000).about(
        "How to get in. Its `access_code` is shown to callers of this API and never sent in a payload.",
    ),
    free("services", JsonShape::Array)
        .at(1100)
        .about("What was ordered, up to 200 items; the first one is the primary service."),
    free("appointments", JsonShape::Array)
        .at(1200)
        .about("When somebody comes."),
    free("links", JsonShape::Object)
        .at(1300)
        .about("Where tours and the like are, such as `tour_link`."),
    free("assets", JsonShape::Object)
        .at(1400)
        .about("Photos, floor plans and the like."),
    Param::json("metadata", JsonShape::Object)
        .at(1500)
        .bytes(METADATA_BYTES_MAX)
        .about(
            "Entries of your own: up to 50, keys of up to 60 letters, digits and underscores, values \
             strings of up to 500 characters.",
        ),
    Param::string("order_notes")
        .at(1600)
        .chars(0, ORDER_NOTES_CHARS_MAX)
        .about("A remark."),
];

const ADDRESS: &[Param] = &[
    part("street", "Street and number.").at(100),
    part("street2", "Unit, floor or the like.").at(200),
    part("city", "City.").at(300),
    part("state", "State or province.").at(400),
    part("postal_code", "Postal code.").at(500),
    Param::number("latitude")
        .at(600)
        .number_range(-90.0, 90.0)
        .about("Degrees north."),
    Param::number("longitude")
        .at(700)
        .number_range(-180.0, 180.0)
        .about("Degrees east."),
];

const fn part(name: &'static str, description: &'static str) -> Param {
    Param::string(name)
        .chars(0, ADDRESS_PART_CHARS_MAX)
        .about(description)
}

const fn free(name: &'static str, shape: JsonShape) -> Param {
    Param::json(name, shape).bytes(FREE_JSON_BYTES_MAX)
}

/// What the input says about the fields: absent ones stay, null clears. Faults are noted.
pub(crate) fn changes(input: &Input<'_>) -> OrderChanges {
    let mut changes = Vec::new();
    for field in OrderField::ALL {
        match input.given(field.name(), Input::raw) {
            Given::Absent => {}
            Given::Null => changes.push((field, None)),
            Given::Value(json) => changes.push((field, Some(json))),
        }
    }
    check(input, &changes);
    OrderChanges { changes }
}

fn check(input: &Input<'_>, changes: &[(OrderField, Option<Box<RawValue>>)]) {
    let mut free_bytes = 0;
    for (field, json) in changes {
        let Some(json) = json else {
            continue;
        };
        let bytes = json.get().len();
        match field {
            OrderField::Metadata => check_metadata(input, json),
            OrderField::Address if bytes > ADDRESS_BYTES_MAX => input.fault(
                field.name(),
                format!("must be at most {ADDRESS_BYTES_MAX} bytes of JSON, not {bytes}"),
            ),
            field if FREE_JSON.contains(field) => {
                free_bytes += bytes;
                if free_bytes > FREE_JSON_BYTES_MAX {
                    input.fault(field.name(), too_much_free_json());
                }
                if *field == OrderField::Services {
                    check_services(input, json);
                }
            }
            _ => {}
        }
    }
}

fn check_services(input: &Input<'_>, json: &RawValue) {
    let services: Result<Vec<IgnoredAny>, _> = serde_json::from_str(json.get());
    let count = services.map_or(0, |services| services.len());
    if count > SERVICES_MAX {
        let message = format!("must have at most {SERVICES_MAX} items, not {count}");
        input.fault(OrderField::Services.name(), message);
    }
}

fn too_much_free_json() -> String {
    let names = FREE_JSON.map(OrderField::name).join(", ");
    format!("{names} must be at most {FREE_JSON_BYTES_MAX} bytes of JSON together")
}

fn check_metadata(input: &Input<'_>, json: &RawValue) {
    let Ok(Entries(entries)) = serde_json::from_str(json.get()) else {
        return;
    };
    if entries.len() > METADATA_ENTRIES_MAX {
        let count = entries.len();
        input.fault(
            "metadata",
            format!("must have at most {METADATA_ENTRIES_MAX} entries, not {count}"),
        );
        return;
    }
    for (key, value) in entries {
        let attr = || format!("metadata.{key}");
        if !is_metadata_key(&key) {
            input.fault(
                &attr(),
                format!(
                    "its name must be 1 to {METADATA_KEY_CHARS_MAX} letters, digits and underscores"
                ),
            );
        }
        if !is_metadata_value(value) {
            input.fault(
                &attr(),
                format!("must be a string of at most {METADATA_VALUE_CHARS_MAX} characters"),
            );
        }
    }
}

fn is_metadata_key(key: &str) -> bool {
    (1..=METADATA_KEY_CHARS_MAX).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_metadata_value(json: &RawValue) -> bool {
    serde_json::from_str::<Text<'_>>(json.get())
        .is_ok_and(|Text(text)| text.chars().count() <= METADATA_VALUE_CHARS_MAX)
}

/// A string that borrows from the text wherever it was written without escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object, as they were written.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor).map(Entries)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((Text(key), value)) = map.next_entry()? {
            entries.push((key, value));
        }
        Ok(entries)
    }
}
