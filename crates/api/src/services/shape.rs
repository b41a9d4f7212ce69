//! A service of the API, as it is answered.

use contract::{Field, Record, Shape};

pub(crate) const SERVICE: Shape = Shape::Record(&Record {
    name: "service",
    parts: &[&[
        Field::new("id", Shape::Integer, "Its identity."),
        Field::new("key", Shape::String, "The noun in the path.").such_as(r#""orders""#),
        Field::new("deployed", Shape::Boolean, "Whether its routes answer."),
        Field::new("created_at", Shape::Time, "When it was first declared."),
        Field::new("updated_at", Shape::Time, "When it was last switched."),
    ]],
});

pub(crate) const SERVICES: Shape = Shape::List(&SERVICE);
