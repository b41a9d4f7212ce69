//! A route of the API, as it is answered.

use contract::{Field, Record, Shape};

pub(crate) const ROUTE: Shape = Shape::Record(&Record {
    name: "route",
    parts: &[&[
        Field::new("id", Shape::Integer, "Its identity."),
        Field::new("service", Shape::String, "The noun in the path.").such_as(r#""orders""#),
        Field::new("action", Shape::String, "The verb in the path.").such_as(r#""show""#),
        Field::new("method", Shape::String, "The HTTP method.").such_as(r#""POST""#),
        Field::new(
            "deployed",
            Shape::Boolean,
            "Whether it answers, if its service does.",
        ),
        Field::new("created_at", Shape::Time, "When it was first declared."),
        Field::new("updated_at", Shape::Time, "When it was last switched."),
    ]],
});

pub(crate) const ROUTES: Shape = Shape::List(&ROUTE);
