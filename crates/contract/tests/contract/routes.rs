//! Routes to test with, and the way through all steps.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::{
    Failure, Fault, IDEMPOTENCY_KEY, Input, JsonShape, Kind, Param, Request, Route, Shape, TOKEN,
    status,
};

const SLUG: Kind = Kind::String {
    chars_min: 1,
    chars_max: 20,
};

const FILTERS: &[Param] = &[
    Param::array("status", &SLUG)
        .at(100)
        .items(1, 5)
        .about("Wanted statuses."),
    Param::time("after").at(200).about("Only later ones."),
    Param::integer("size")
        .at(300)
        .range(1, 200)
        .about("How many."),
];

const HEADER: &[Param] = &[
    Param::string("name")
        .at(100)
        .required()
        .chars(1, 10)
        .about("Its name."),
    Param::string("value").at(200).about("Its value."),
];

/// Has a parameter of every kind.
pub const EVERYTHING: Route = Route::post("things", "create")
    .about("Things Create", "Makes a thing.")
    .data(&Shape::Null)
    .params(&[
        TOKEN,
        Param::integer("integration_id")
            .at(100)
            .required()
            .about("Whose it is."),
        Param::string("key")
            .at(200)
            .required()
            .chars(1, 10)
            .about("Key."),
        Param::string("version")
            .at(300)
            .one_of(&["v2", "v3"])
            .about("Version."),
        Param::number("rate")
            .at(400)
            .number_range(0.1, 10_000.0)
            .about("Rate."),
        Param::boolean("active").at(500).about("Whether it is on."),
        Param::time("stage_at").at(600).about("When."),
        Param::array("statuses", &SLUG)
            .at(700)
            .items(0, 3)
            .about("Statuses."),
        Param::array("ids", &Kind::INTEGER).at(800).about("Ids."),
        Param::hash("filters", FILTERS).at(900).about("Filters."),
        Param::array("headers", &Kind::Hash { children: HEADER })
            .at(1000)
            .about("Headers."),
        Param::json("order", JsonShape::Object)
            .at(1100)
            .bytes(40)
            .about("Fields."),
        Param::json("notes", JsonShape::Array)
            .at(1200)
            .about("Notes."),
        Param::json("any", JsonShape::Any)
            .at(1300)
            .about("Anything."),
        IDEMPOTENCY_KEY.at(1400),
    ])
    .body_bytes_max(4_096)
    .example(r#"{"token": "t", "integration_id": 1, "key": "k"}"#);

/// Takes passwords, and no token.
pub const SENSITIVE: Route = Route::post("sessions", "create")
    .about("Sessions Create", "Signs in.")
    .data(&Shape::Null)
    .sensitive()
    .params(&[
        Param::string("email")
            .at(100)
            .required()
            .about("E-mail address."),
        Param::string("password")
            .at(200)
            .required()
            .about("Password."),
    ])
    .answers(&[&status::INVALID_CREDENTIALS])
    .example(r#"{"email": "a@example.com", "password": "secret"}"#);

const STAGE: &[Param] = &[
    Param::string("stage")
        .at(100)
        .required()
        .chars(1, 20)
        .about("The status."),
    Param::integer("order_id").at(200).about("The order."),
    Param::json("order", JsonShape::Object)
        .at(300)
        .about("Changes."),
];

/// Takes many at once.
pub const MANY: Route = Route::post("order_stages", "create_many")
    .about("Order Stages Create Many", "Reports many.")
    .data(&Shape::Null)
    .params(&[
        TOKEN,
        Param::batch("stages", STAGE)
            .at(200)
            .required()
            .items(1, 4)
            .about("The stages."),
    ])
    .example(r#"{"token": "t", "stages": [{"stage": "received"}]}"#);

/// A request with the route's own content type.
pub fn request<'a>(route: &Route, body: &'a [u8]) -> Request<'a> {
    Request {
        content_type: Some(route.content_type()),
        authorization: None,
        idempotency_key: None,
        body,
    }
}

/// All steps up to what `handle` makes of the input.
pub fn run<T>(
    route: &'static Route,
    request: &Request<'_>,
    handle: impl FnOnce(&Input<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let text = route.read(request)?;
    let decoded = text.decode()?;
    if route.token().is_some() {
        decoded.token()?;
    }
    handle(&decoded.into_input()?)
}

/// Runs `EVERYTHING` with the members given, and with good required ones where they are not among
/// them.
pub fn with<T>(
    members: &str,
    handle: impl FnOnce(&Input<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut body = format!(r#"{{"token":"t",{members}"#);
    for (name, member) in [
        ("integration_id", r#","integration_id":1"#),
        ("key", r#","key":"k""#),
    ] {
        if !members.starts_with(&format!("\"{name}\":")) {
            body.push_str(member);
        }
    }
    body.push('}');
    run(&EVERYTHING, &request(&EVERYTHING, body.as_bytes()), handle)
}

/// The failure of a request whose handler asks for nothing.
pub fn refusal(route: &'static Route, request: &Request<'_>) -> Failure {
    run(route, request, |input| input.finish(|| Some(()))).expect_err("should be refused")
}

/// The places that a failure names.
pub fn attrs(failure: &Failure) -> Vec<&str> {
    failure
        .errors
        .iter()
        .map(|fault: &Fault| fault.attr.as_str())
        .collect()
}

pub fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

#[test]
fn the_routes_are_sound() {
    for route in [EVERYTHING, SENSITIVE, MANY] {
        assert_eq!(route.flaws(), Vec::<String>::new(), "{}", route.path());
    }
}
