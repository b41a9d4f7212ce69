//! The steps from bytes to [`Input`], in the order in which their faults are reported.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_PAD_INDIFFERENT as BASE64;
use http::{HeaderMap, HeaderName, header};
use serde_json::value::{RawValue, to_raw_value};

use crate::check;
use crate::failure::Failure;
use crate::fault::Faults;
use crate::input::Input;
use crate::json::{self, Member};
use crate::param::IDEMPOTENCY_KEY;
use crate::path::Path;
use crate::route::Route;
use crate::status;

/// What a route reads of a request.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `Idempotency-Key`.
    pub idempotency_key: Option<&'a str>,
    /// The whole body.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Takes what a route reads; a header that is no text counts as absent, but for an idempotency key, which
    /// nobody may believe to count when it does not: one that is no text is as if empty, and refused.
    pub fn new(headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        Request {
            content_type: text(header::CONTENT_TYPE),
            authorization: text(header::AUTHORIZATION),
            idempotency_key: headers
                .get(HeaderName::from_static("idempotency-key"))
                .map(|value| str::from_utf8(value.as_bytes()).unwrap_or_default()),
            body,
        }
    }
}

/// A body that could be read as text; it holds what the later steps borrow from.
pub struct Text<'a> {
    route: &'static Route,
    json: Cow<'a, str>,
    bearer: Option<&'a str>,
    /// The header's value written as JSON, to stand in for the parameter.
    idempotency_key: Option<Box<RawValue>>,
}

/// A body that could be read as an object, from a caller who gives some token if the route wants
/// one.
pub struct Decoded<'t> {
    route: &'static Route,
    /// Without the token.
    members: Vec<Member<'t>>,
    token: Token<'t>,
}

enum Token<'t> {
    Absent,
    NotText,
    Text(Cow<'t, str>),
}

impl Route {
    /// Checks size and content type, and takes off the base64 of a sensitive route.
    ///
    /// # Errors
    /// `body-too-large`, `invalid-content-type`, `invalid-encoded-params`.
    pub fn read<'a>(&'static self, request: &Request<'a>) -> Result<Text<'a>, Failure> {
        if request.body.len() > self.body_bytes_max {
            return Err(Failure::body_too_large(self.body_bytes_max));
        }
        let bearer = request.authorization.and_then(bearer);
        // A token in the header needs no body, and no body needs no type.
        if request.content_type.is_some() || !request.body.is_empty() || bearer.is_none() {
            self.check_content_type(request.content_type)?;
        }
        let bytes = if self.sensitive {
            from_base64(request.body)?.into()
        } else {
            request.body.into()
        };
        let idempotency_key = request
            .idempotency_key
            .filter(|_| {
                self.params
                    .iter()
                    .any(|param| param.name == IDEMPOTENCY_KEY.name)
            })
            .and_then(|key| to_raw_value(key).ok());
        Ok(Text {
            route: self,
            json: utf8(bytes)?,
            bearer,
            idempotency_key,
        })
    }

    fn check_content_type(&self, given: Option<&str>) -> Result<(), Failure> {
        let wanted = self.content_type();
        let media_type = given.map(|given| given.split(';').next().unwrap_or(given).trim());
        if media_type.is_some_and(|media_type| media_type.eq_ignore_ascii_case(wanted)) {
            return Ok(());
        }
        let sent_as = if self.sensitive {
            "the JSON object encoded in base64, and Content-Type text/plain"
        } else {
            "a JSON object, and Content-Type application/json"
        };
        let message = format!("{} takes {sent_as}.", self.path());
        Err(Failure::new(&status::INVALID_CONTENT_TYPE, message))
    }
}

impl Text<'_> {
    /// Reads the JSON, and makes sure that there is something in it and a token with it.
    ///
    /// # Errors
    /// `invalid-encoded-params`, `no-params-decoded`; `missing-param` with all that is missing, if
    /// there is no token.
    pub fn decode(&self) -> Result<Decoded<'_>, Failure> {
        let mut members = self.members()?;
        if members.is_empty() && self.bearer.is_none() {
            return Err(Failure::of(&status::NO_PARAMS_DECODED));
        }
        let header_key = self.idempotency_key.as_deref();
        if let (Some(value), None) = (header_key, given(&members, IDEMPOTENCY_KEY.name)) {
            members.retain(|member| member.name != IDEMPOTENCY_KEY.name);
            members.push(Member {
                name: IDEMPOTENCY_KEY.name.into(),
                value,
            });
        }
        let Some(param) = self.route.token() else {
            return Ok(Decoded {
                route: self.route,
                members,
                token: Token::Absent,
            });
        };
        let token = match (given(&members, param.name), self.bearer) {
            (Some(raw), _) => json::string(raw).map_or(Token::NotText, Token::Text),
            (None, Some(bearer)) => Token::Text(bearer.into()),
            (None, None) => Token::Absent,
        };
        members.retain(|member| member.name != param.name);
        let decoded = Decoded {
            route: self.route,
            members,
            token,
        };
        match decoded.token {
            Token::Absent => Err(decoded.nothing_but_absences()),
            _ => Ok(decoded),
        }
    }

    fn members(&self) -> Result<Vec<Member<'_>>, Failure> {
        let json = self.json.trim_ascii();
        if json.is_empty() {
            return Ok(Vec::new());
        }
        json::verify(json)
            .map_err(|error| unreadable(format!("The body is not sound JSON: {error}.")))?;
        match json::members(json) {
            Some(members) => Ok(members),
            None if json == "null" => Ok(Vec::new()),
            None => Err(unreadable("The body is JSON, but not an object.")),
        }
    }
}

impl<'t> Decoded<'t> {
    /// The token that the caller must be recognised by. The body's token is taken before the
    /// header's.
    ///
    /// # Errors
    /// `invalid-token` if it is not a string. `missing-param` only on routes that take no token.
    pub fn token(&self) -> Result<&str, Failure> {
        match &self.token {
            Token::Text(token) => Ok(token),
            Token::NotText => Err(Failure::invalid_token()),
            Token::Absent => Err(self.nothing_but_absences()),
        }
    }

    /// Checks every parameter. Bad ones are noted in the input; missing ones end the request here.
    ///
    /// # Errors
    /// `missing-param` with all that is missing.
    pub fn into_input(self) -> Result<Input<'t>, Failure> {
        let faults = Faults::new(self.route.params);
        let input = check::object(self.route.params, &self.members, Path::Base(""), &faults);
        match input.missing_param() {
            Some(failure) => Err(failure),
            None => Ok(input.with_sent(self.members)),
        }
    }

    /// The failure of a request without a token: everything required that is absent, the token too.
    fn nothing_but_absences(&self) -> Failure {
        let faults = Faults::new(self.route.params);
        check::object(self.route.params, &self.members, Path::Base(""), &faults);
        let token = self.route.token().map_or("token", |param| param.name);
        faults.missing(token);
        faults.missing_param().unwrap_or_else(Failure::crash)
    }
}

/// Names the route only: bodies hold tokens and passwords.
impl fmt::Debug for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Text")
            .field("route", &self.route.path())
            .finish_non_exhaustive()
    }
}

/// Names the route only: bodies hold tokens and passwords.
impl fmt::Debug for Decoded<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Decoded")
            .field("route", &self.route.path())
            .finish_non_exhaustive()
    }
}

/// The value of a member that is there and not null.
fn given<'t>(members: &[Member<'t>], name: &str) -> Option<&'t RawValue> {
    let member = members.iter().find(|member| member.name == name)?;
    (!member.is_null()).then_some(member.value)
}

/// The token of `Authorization: Bearer …` (RFC 6750 section 2.1; the scheme in any case, RFC 9110
/// section 11.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    let token = token.trim_start();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Standard base64 (RFC 4648 section 4), with or without padding; line breaks are no fault, as many
/// encoders make them.
fn from_base64(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let packed: Vec<u8> = body
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    BASE64.decode(&packed).map_err(|_| {
        unreadable(if packed.first() == Some(&b'{') {
            "The body is plain JSON. Its parameters are sensitive: encode the JSON object in \
             base64 and send it again."
        } else {
            "The body is not base64. Its parameters are sensitive: send the JSON object encoded \
             in base64."
        })
    })
}

fn utf8(bytes: Cow<'_, [u8]>) -> Result<Cow<'_, str>, Failure> {
    let refused = || unreadable("The body is not UTF-8, as JSON must be.");
    match bytes {
        Cow::Borrowed(bytes) => str::from_utf8(bytes)
            .map(Cow::Borrowed)
            .map_err(|_| refused()),
        Cow::Owned(bytes) => String::from_utf8(bytes)
            .map(Cow::Owned)
            .map_err(|_| refused()),
    }
}

fn unreadable(message: impl Into<String>) -> Failure {
    Failure::new(&status::INVALID_ENCODED_PARAMS, message)
}
