//! What the API refused, and the page that says so.

use std::ops::Deref;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use contract::status;
use http::StatusCode;
use maud::html;
use serde::Deserialize;
use serde_json::Value;

use crate::respond;
use crate::shell::Page;
use crate::text::text;

/// A refusal in the words of the API. Boxed: results are handed on more often than refused.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Told>);

/// What is told of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Told {
    pub(crate) code: u16,
    pub(crate) status: String,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) errors: Vec<Fault>,
    /// What a user without a role goes on with.
    session: Option<Value>,
    #[serde(skip)]
    request_id: String,
}

/// One thing that is wrong, and where.
#[derive(Debug, Deserialize)]
pub(crate) struct Fault {
    pub(crate) attr: String,
    pub(crate) message: String,
}

impl Deref for Refusal {
    type Target = Told;

    fn deref(&self) -> &Told {
        &self.0
    }
}

impl Refusal {
    /// Reads the answer of a route.
    pub(crate) fn of(answer: &http::Response<Bytes>) -> Refusal {
        let told = serde_json::from_slice(answer.body());
        let mut refusal = told.map_or_else(|_| Refusal::crash(), |told| Refusal(Box::new(told)));
        if let Some(id) = answer.headers().get("x-request-id") {
            refusal.0.request_id = id.to_str().unwrap_or_default().to_owned();
        }
        refusal
    }

    /// A fault of the page itself.
    pub(crate) fn crash() -> Refusal {
        Refusal::new(&status::APPLICATION_CRASH)
    }

    /// The record that the address names is missing.
    pub(crate) fn missing() -> Refusal {
        let mut refusal = Refusal::new(&status::INVALID_PARAM);
        refusal.0.errors.push(Fault {
            attr: "id".to_owned(),
            message: app::DOES_NOT_EXIST.to_owned(),
        });
        refusal
    }

    /// A refusal with the status's own words.
    pub(crate) fn new(status: &contract::Status) -> Refusal {
        Refusal(Box::new(Told {
            code: status.code,
            status: status.slug.to_owned(),
            message: status.description.to_owned(),
            errors: Vec::new(),
            session: None,
            request_id: String::new(),
        }))
    }

    /// The token to register with, where the user has no role yet.
    pub(crate) fn token_to_register_with(&self) -> Option<&str> {
        let session = self.session.as_ref()?;
        Some(text(session, "token")).filter(|token| !token.is_empty())
    }

    /// Whether something in a form is to be mended, so that the form should be shown again.
    pub(crate) fn is_of_form(&self) -> bool {
        matches!(self.code, 400 | 429)
            || self.status == status::MANDRILL_EMAIL_FAILED.slug
            || self.status == status::INVALID_CREDENTIALS.slug
    }

    /// Whether the record that the address names is missing, or out of reach.
    fn is_of_address(&self) -> bool {
        let named = |fault: &Fault| matches!(fault.attr.as_str(), "id" | "integration_id");
        self.status == status::INVALID_PARAM.slug && self.errors.iter().any(named)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if self.code == 401 {
            let path = match self.status == status::CLIENT_REQUIRED.slug {
                true => "/register",
                false => "/sign_in",
            };
            return respond::see_other(path);
        }
        if self.is_of_address() {
            return crate::page_not_found().map(axum::body::Body::from);
        }
        let (code, title) = match self.code {
            403 => (403, "Not for your role"),
            400 => (400, "That cannot be shown"),
            429 => (429, "Too many requests"),
            503 => (503, "Not available just now"),
            _ => (500, "Something went wrong"),
        };
        let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        respond::failure(
            code,
            &Page {
                title,
                aside: None,
                main: html! {
                    h1 { (title) }
                    p { (crate::prose::prose(&self.message)) }
                    @if !self.errors.is_empty() {
                        ul { @for fault in &self.errors {
                            li { code { (fault.attr) } " " (fault.message) }
                        } }
                    }
                    @if !self.request_id.is_empty() {
                        p.quiet { "Request " code { (self.request_id) } }
                    }
                    p { a href="/" { "Back to the overview" } }
                },
            },
        )
    }
}
