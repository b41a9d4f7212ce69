//! The document of a few routes of every kind.

use super::*;
use crate::param::{Param, TOKEN};
use crate::shape::{Field, Record, Shape};
use crate::{JsonShape, status};

const SESSION: Record = Record {
    name: "session",
    parts: &[&[
        Field::new("token", Shape::String, "Its token."),
        Field::new("ends_at", Shape::Time, "Its end.").nullable(),
        Field::new("note", Shape::Json, "A note.").optional(),
    ]],
};
const CREATE: Route = Route::post("sessions", "create")
    .about("Sessions Create API", "Signs in.")
    .sensitive()
    .params(&[
        Param::string("email").at(200).required().about("Who."),
        Param::string("mode")
            .at(300)
            .one_of(&["a", "b"])
            .about("How."),
    ])
    .answers(&[&status::INVALID_CREDENTIALS])
    .data(&Shape::Record(&SESSION))
    .example(r#"{"email": "a@example.com"}"#);
const INDEX: Route = Route::post("sessions", "index")
    .about("Sessions Index API", "Lists.")
    .params(&[
        TOKEN,
        Param::integer("id").at(100).range(1, 9).about("Which."),
        Param::json("any", JsonShape::Any).at(200).about("Any."),
        Param::hash("page", &[]).at(300).about("Page."),
        IDEMPOTENCY_KEY.at(400),
    ])
    .data(&Shape::List(&Shape::Record(&SESSION)))
    .example(r#"{"token": "…"}"#);

fn documented() -> Value {
    let about = About {
        title: "T",
        version: "1",
        description: "D",
    };
    document(&about, &[&CREATE, &INDEX])
}

#[test]
fn parameters_are_described_as_they_are_checked() {
    let document = documented();
    let index = &document["paths"]["/api/v1/sessions/index"]["post"];
    assert_eq!(index["operationId"], "sessions_index");
    assert_eq!(index["requestBody"]["required"], false);
    assert_eq!(index["security"], json!([{ "bearer": [] }, {}]));
    assert_eq!(
        index["parameters"][0]["$ref"],
        "#/components/parameters/Idempotency-Key"
    );
    let schema = &index["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["additionalProperties"], false);
    assert!(schema.get("required").is_none());
    let properties = &schema["properties"];
    assert_eq!(properties["token"]["type"], json!(["string", "null"]));
    assert_eq!(properties["id"]["type"], json!(["integer", "null"]));
    assert_eq!(properties["id"]["maximum"], 9);
    assert!(properties["any"].get("type").is_none());
    assert!(properties["any"].get("not").is_none());
}

#[test]
fn sensitive_parameters_are_described_inside_their_encoding() {
    let document = documented();
    let create = &document["paths"]["/api/v1/sessions/create"]["post"];
    assert_eq!(create["security"], json!([]));
    assert_eq!(create["requestBody"]["required"], true);
    let media = &create["requestBody"]["content"]["text/plain"];
    assert_eq!(media["schema"]["contentEncoding"], "base64");
    let inner = &media["schema"]["contentSchema"];
    assert_eq!(inner["required"], json!(["email"]));
    assert_eq!(inner["properties"]["mode"]["enum"], json!(["a", "b", null]));
}

#[test]
fn answers_are_grouped_by_code_and_shared() {
    let document = documented();
    let paths = &document["paths"];
    let create = &paths["/api/v1/sessions/create"]["post"]["responses"];
    let index = &paths["/api/v1/sessions/index"]["post"]["responses"];
    assert_eq!(create["400"], index["400"]);
    assert_eq!(
        create["401"]["$ref"],
        "#/components/responses/401-invalid-credentials"
    );
    let shared = &document["components"]["responses"]["500"]["content"]["application/json"];
    assert_eq!(shared["schema"]["properties"]["code"]["const"], 500);
    assert_eq!(
        shared["examples"]["application-crash"]["value"]["code"],
        500
    );
    let next = &index["200"]["content"]["application/json"]["schema"]["properties"]["next"];
    assert_eq!(next["type"], json!(["string", "null"]));
    let session = &document["components"]["schemas"]["session"];
    assert_eq!(session["required"], json!(["token", "ends_at"]));
    assert_eq!(
        session["properties"]["ends_at"]["type"],
        json!(["string", "null"])
    );
}
