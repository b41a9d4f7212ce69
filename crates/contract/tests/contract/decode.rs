//! Everything that is refused before the parameters are looked at, in its order.

use http::HeaderMap;

use contract::Request;

use crate::routes::{EVERYTHING, MANY, SENSITIVE, attrs, base64, refusal, request, run};

#[test]
fn content_type_is_checked_first() {
    let good = br#"{"token":"t","integration_id":1,"key":"k"}"#;
    let cases = [
        (Some("application/json"), true),
        (Some("application/json; charset=utf-8"), true),
        (Some("Application/JSON ;x=y"), true),
        (Some("application/jsonp"), false),
        (Some("application/problem+json"), false),
        (Some("text/plain"), false),
        (Some("application/x-www-form-urlencoded"), false),
        (Some(""), false),
        (None, false),
    ];
    for (content_type, accepted) in cases {
        let good = Request {
            content_type,
            ..request(&EVERYTHING, good)
        };
        assert_eq!(EVERYTHING.read(&good).is_ok(), accepted, "{content_type:?}");
        let garbage = Request {
            content_type,
            ..request(&EVERYTHING, b"\xff")
        };
        let slug = if accepted {
            "invalid-encoded-params"
        } else {
            "invalid-content-type"
        };
        assert_eq!(
            refusal(&EVERYTHING, &garbage).status.slug,
            slug,
            "{content_type:?}"
        );
    }
    let json = Request {
        content_type: Some("application/json"),
        ..request(&SENSITIVE, b"{}")
    };
    let failure = refusal(&SENSITIVE, &json);
    assert_eq!(failure.status.slug, "invalid-content-type");
    assert!(failure.message.contains("base64") && failure.message.contains("text/plain"));
}

#[test]
fn bodies_that_cannot_be_read_say_why() {
    let deep = format!(r#"{{"any":{}{}}}"#, "[".repeat(100), "]".repeat(100));
    let cases: [(&[u8], &str); 11] = [
        (b"{", "EOF"),
        (b"nonsense", "expected"),
        (b"[1]", "not an object"),
        (b"7", "not an object"),
        (br#""text""#, "not an object"),
        (b"{\"key\":\"\xff\"}", "UTF-8"),
        (br#"{"key":"k"} x"#, "trailing characters"),
        (br#"{"key":"\ud800"}"#, "line 1"),
        (br#"{"any":{"deep":["\udead"]}}"#, "line 1"),
        (br#"{"key":"a","key":"b"}"#, "\"key\" stands twice"),
        (deep.as_bytes(), "levels deep"),
    ];
    for (body, reason) in cases {
        let failure = refusal(&EVERYTHING, &request(&EVERYTHING, body));
        let shown = String::from_utf8_lossy(body);
        assert_eq!(failure.status.slug, "invalid-encoded-params", "{shown}");
        assert!(
            failure.message.contains(reason),
            "{shown}: {}",
            failure.message
        );
        assert!(failure.errors.is_empty());
    }
}

#[test]
fn sensitive_bodies_are_base64() {
    let json = r#"{"email":"a@example.com","password":"secret?>"}"#;
    let packed = base64(json);
    let (first, second) = packed.split_at(20);
    let accepted = [
        packed.clone(),
        packed.trim_end_matches('=').to_owned(),
        format!("{first}\r\n{second}\n"),
    ];
    for body in accepted {
        let email = run(&SENSITIVE, &request(&SENSITIVE, body.as_bytes()), |input| {
            input.finish(|| input.string("email"))
        });
        assert_eq!(email.as_deref(), Ok("a@example.com"), "{body}");
    }
    let refused = [
        (json.to_owned(), "invalid-encoded-params", "plain JSON"),
        ("!!!!".to_owned(), "invalid-encoded-params", "not base64"),
        (base64("[]"), "invalid-encoded-params", "not an object"),
        (base64(""), "no-params-decoded", ""),
        (base64("{}"), "no-params-decoded", ""),
        (base64("null"), "no-params-decoded", ""),
    ];
    for (body, slug, reason) in refused {
        let failure = refusal(&SENSITIVE, &request(&SENSITIVE, body.as_bytes()));
        assert_eq!(failure.status.slug, slug, "{body}");
        assert!(
            failure.message.contains(reason),
            "{body}: {}",
            failure.message
        );
        assert!(!failure.message.contains("secret"), "a password shows");
    }
}

#[test]
fn an_empty_body_is_refused_unless_a_bearer_token_comes_with_it() {
    for body in ["", " \n", "{}", " { } ", "null", " null\n"] {
        let empty = request(&EVERYTHING, body.as_bytes());
        assert_eq!(
            refusal(&EVERYTHING, &empty).status.slug,
            "no-params-decoded",
            "{body:?}"
        );
        let failure = refusal(
            &EVERYTHING,
            &Request {
                authorization: Some("Bearer t"),
                ..empty
            },
        );
        assert_eq!(failure.status.slug, "missing-param", "{body:?}");
        assert_eq!(attrs(&failure), ["integration_id", "key"]);
        let failure = refusal(
            &EVERYTHING,
            &Request {
                authorization: Some("Basic dDp0"),
                ..empty
            },
        );
        assert_eq!(failure.status.slug, "no-params-decoded", "{body:?}");
    }
}

#[test]
fn without_a_token_everything_absent_is_named_the_token_too() {
    let cases: [(&str, &[&str]); 6] = [
        (r#"{"active":true}"#, &["token", "integration_id", "key"]),
        (r#"{"token":null,"key":"k"}"#, &["token", "integration_id"]),
        (
            r#"{"key":null,"integration_id":null}"#,
            &["token", "integration_id", "key"],
        ),
        (r#"{"key":"k","integration_id":1}"#, &["token"]),
        (r#"{"key":7,"integration_id":"1","nonsense":1}"#, &["token"]),
        (
            r#"{"key":"k","headers":[{"name":"n"},{"value":"v"}]}"#,
            &["token", "integration_id", "headers[1].name"],
        ),
    ];
    for (body, missing) in cases {
        let failure = refusal(&EVERYTHING, &request(&EVERYTHING, body.as_bytes()));
        assert_eq!(failure.status.slug, "missing-param", "{body}");
        assert_eq!(attrs(&failure), missing, "{body}");
        assert!(
            failure
                .errors
                .iter()
                .all(|fault| fault.message == "missing")
        );
    }
}

#[test]
fn the_token_is_judged_before_anything_else_is_missing() {
    let cases: [(&str, Option<&str>, Result<&str, &str>); 11] = [
        (r#"{"token":"t"}"#, None, Ok("t")),
        (r#"{"token":"\u0074"}"#, None, Ok("t")),
        (r#"{"token":""}"#, None, Ok("")),
        (r#"{"token":7}"#, None, Err("invalid-token")),
        (r#"{"token":["t"]}"#, None, Err("invalid-token")),
        (r#"{"token":false}"#, Some("Bearer b"), Err("invalid-token")),
        ("{}", Some("Bearer b"), Ok("b")),
        (r#"{"token":null}"#, Some("bearer  b"), Ok("b")),
        (r#"{"token":"t"}"#, Some("Bearer b"), Ok("t")),
        (r#"{"key":"k"}"#, Some("Bearer "), Err("missing-param")),
        (r#"{"key":"k"}"#, Some("b"), Err("missing-param")),
    ];
    for (body, authorization, expected) in cases {
        let request = Request {
            authorization,
            ..request(&EVERYTHING, body.as_bytes())
        };
        let text = EVERYTHING.read(&request).expect("readable");
        let decoded = text.decode();
        let token = match &decoded {
            Ok(decoded) => decoded.token().map_err(|failure| failure.status.slug),
            Err(failure) => Err(failure.status.slug),
        };
        assert_eq!(token, expected, "{body} {authorization:?}");
    }
}

#[test]
fn with_a_good_token_the_rest_that_is_missing_is_named() {
    let cases: [(&str, &[&str]); 3] = [
        (r#"{"token":"t"}"#, &["integration_id", "key"]),
        (
            r#"{"token":"t","integration_id":1,"key":null,"active":"no"}"#,
            &["key"],
        ),
        (
            r#"{"token":"t","integration_id":1,"key":"k","headers":[{}]}"#,
            &["headers[0].name"],
        ),
    ];
    for (body, missing) in cases {
        let failure = refusal(&EVERYTHING, &request(&EVERYTHING, body.as_bytes()));
        assert_eq!(failure.status.slug, "missing-param", "{body}");
        assert_eq!(attrs(&failure), missing, "{body}");
    }
}

#[test]
fn a_token_where_none_is_taken_is_an_unknown_parameter() {
    let body = base64(r#"{"email":"e","password":"p","token":"t"}"#);
    let failure = refusal(&SENSITIVE, &request(&SENSITIVE, body.as_bytes()));
    assert_eq!(
        (failure.status.slug, attrs(&failure)),
        ("invalid-param", vec!["token"])
    );
}

#[test]
fn bodies_above_the_limit_are_refused_unread() {
    let longest = vec![b'['; EVERYTHING.body_bytes_max];
    assert_eq!(
        refusal(&EVERYTHING, &request(&EVERYTHING, &longest))
            .status
            .code,
        400
    );
    let longer = vec![b'['; EVERYTHING.body_bytes_max + 1];
    assert_eq!(
        refusal(&EVERYTHING, &request(&EVERYTHING, &longer))
            .status
            .slug,
        "body-too-large"
    );
}

#[test]
fn the_idempotency_header_stands_in_for_the_parameter() {
    let cases = [
        (r#""active":true"#, Some("abc"), Ok(Some("abc"))),
        (r#""idempotency_key":null"#, Some("a\"b"), Ok(Some("a\"b"))),
        (
            r#""idempotency_key":"body""#,
            Some("header"),
            Ok(Some("body")),
        ),
        (r#""active":true"#, None, Ok(None)),
        (r#""active":true"#, Some(""), Err(vec!["idempotency_key"])),
    ];
    for (members, idempotency_key, expected) in cases {
        let body = format!(r#"{{"token":"t","integration_id":1,"key":"k",{members}}}"#);
        let request = Request {
            idempotency_key,
            ..request(&EVERYTHING, body.as_bytes())
        };
        let key = run(&EVERYTHING, &request, |input| {
            input.finish(|| Some(input.string("idempotency_key")))
        });
        match (&key, &expected) {
            (Ok(key), Ok(expected)) => assert_eq!(key.as_deref(), *expected, "{members}"),
            (Err(failure), Err(expected)) => assert_eq!(&attrs(failure), expected, "{members}"),
            _ => panic!("{members}: {key:?}"),
        }
    }
    let body = br#"{"token":"t","stages":[{"stage":"received"}]}"#;
    let elsewhere = Request {
        idempotency_key: Some("abc"),
        ..request(&MANY, body)
    };
    assert!(run(&MANY, &elsewhere, |input| input.finish(|| Some(()))).is_ok());
}

#[test]
fn headers_are_taken_from_a_real_request() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/json"),
        ("authorization", "Bearer t"),
        ("idempotency-key", "abc"),
    ] {
        headers.insert(name, value.parse().expect("a header"));
    }
    let request = Request::new(&headers, br#"{"integration_id":1,"key":"k"}"#);
    let key = run(&EVERYTHING, &request, |input| {
        input.finish(|| input.string("idempotency_key"))
    });
    assert_eq!(key.as_deref(), Ok("abc"));
}

#[test]
fn an_idempotency_key_that_is_no_text_is_refused_and_not_passed_over() {
    let cases = [
        ("clé".as_bytes(), Ok("clé")),
        (&b"cl\xe9"[..], Err(vec!["idempotency_key"])),
    ];
    for (bytes, expected) in cases {
        let mut headers = HeaderMap::new();
        let value = http::HeaderValue::from_bytes(bytes).expect("a header");
        headers.insert("idempotency-key", value);
        headers.insert("authorization", http::HeaderValue::from_static("Bearer t"));
        headers.insert(
            "content-type",
            http::HeaderValue::from_static("application/json"),
        );
        let request = Request::new(&headers, br#"{"integration_id":1,"key":"k"}"#);
        let key = run(&EVERYTHING, &request, |input| {
            input.finish(|| input.string("idempotency_key"))
        });
        let places = key.as_ref().map(String::as_str).map_err(|failure| {
            let errors = failure.errors.iter();
            errors.map(|fault| fault.attr.as_str()).collect::<Vec<_>>()
        });
        assert_eq!(places, expected);
    }
}

#[test]
fn nothing_of_the_body_shows_in_debug_output() {
    let body = br#"{"token":"hush","integration_id":1,"key":"k"}"#;
    let request = request(&EVERYTHING, body);
    let text = EVERYTHING.read(&request).expect("readable");
    let decoded = text.decode().expect("an object");
    let shown = format!(
        "{text:?} {decoded:?} {:?}",
        text.decode().and_then(contract::Decoded::into_input)
    );
    assert!(
        !shown.contains("hush") && !shown.contains("integration"),
        "{shown}"
    );
}
