//! A form that was sent, looked at before a handler sees it: from our own pages, and with the session's token.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::IntoResponse;
use http::StatusCode;
use maud::html;

use crate::Dashboard;
use crate::api_call::Client;
use crate::cookies;
use crate::forgery;
use crate::respond::{self, Answer};
use crate::shell::Page;
use crate::visit::Visit;

/// Largest form, in bytes: a payload template of the largest size, percent-encoded.
const FORM_BYTES_MAX: usize = 1024 * 1024;

/// Names and values in the order in which they were sent; a name may come several times.
#[derive(Default)]
pub(crate) struct Fields(pub(crate) Vec<(String, String)>);

impl Fields {
    /// Of a query string, or the body of a form.
    pub(crate) fn parse(encoded: &[u8]) -> Fields {
        Fields(url::form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The first value of that name; empty where there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// All values of that name.
    pub(crate) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        let of_name =
            move |(known, value): &'f (String, String)| (known == name).then_some(value.as_str());
        self.0.iter().filter_map(of_name)
    }
}

/// A form of somebody who is signed in.
pub(crate) struct Posted {
    pub(crate) visit: Visit,
    pub(crate) fields: Fields,
}

/// A form of somebody who need not be.
pub(crate) struct PostedByVisitor {
    /// With the session's token, where there is one.
    pub(crate) client: Client,
    pub(crate) fields: Fields,
}

impl FromRequest<Arc<Dashboard>> for Posted {
    type Rejection = Answer;

    async fn from_request(request: Request, dashboard: &Arc<Dashboard>) -> Result<Posted, Answer> {
        let (mut parts, body) = request.into_parts();
        if forgery::is_from_elsewhere(&parts.headers) {
            return Err(refused());
        }
        let visit =
            <Visit as FromRequestParts<_>>::from_request_parts(&mut parts, dashboard).await?;
        let fields = read(body).await?;
        let token = visit.client.token.as_deref().unwrap_or_default();
        if !forgery::is_token(fields.get(forgery::FIELD), token) {
            return Err(refused());
        }
        Ok(Posted { visit, fields })
    }
}

impl FromRequest<Arc<Dashboard>> for PostedByVisitor {
    type Rejection = Answer;

    async fn from_request(
        request: Request,
        dashboard: &Arc<Dashboard>,
    ) -> Result<PostedByVisitor, Answer> {
        let (parts, body) = request.into_parts();
        if forgery::is_from_elsewhere(&parts.headers) {
            return Err(refused());
        }
        let token = cookies::get(&parts.headers, cookies::SESSION).map(str::to_owned);
        Ok(PostedByVisitor {
            client: Client::of(&parts, dashboard, token),
            fields: read(body).await?,
        })
    }
}

async fn read(body: Body) -> Result<Fields, Answer> {
    let bytes: Result<Bytes, _> = axum::body::to_bytes(body, FORM_BYTES_MAX).await;
    let bytes = bytes.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
    Ok(Fields::parse(&bytes))
}

fn refused() -> Answer {
    respond::failure(
        StatusCode::FORBIDDEN,
        &Page {
            title: "The form was not accepted",
            aside: None,
            main: html! {
                h1 { "The form was not accepted" }
                p { "It did not come from a page of this session: you may have signed in anew since, or another site sent it. \
                     Nothing was changed." }
                p { a href="/" { "Back to the overview" } }
            },
        },
    )
}
