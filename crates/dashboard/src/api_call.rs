//! The API, called in process: a page reads and changes records through the same routes as any program, with the
//! token of the session. So there is one place that says what is allowed, what is valid, and how a refusal reads.

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use contract::Route;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response, header};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Dashboard;
use crate::form::label;
use crate::refusal::{Fault, Refusal};

/// What answers a request to the API.
pub type Api = Arc<dyn Fn(Request<Body>) -> BoxFuture<'static, Response<Bytes>> + Send + Sync>;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a successful call returned.
#[derive(Debug)]
pub(crate) struct Reply {
    data: Box<RawValue>,
    /// The cursor of the next page of a list.
    pub(crate) next: Option<String>,
    /// How many records there are, and whether counting stopped there.
    pub(crate) count: Option<(u64, bool)>,
    /// What was done, and yet should be looked at.
    pub(crate) warnings: Vec<Fault>,
}

#[derive(Deserialize)]
struct Envelope {
    data: Option<Box<RawValue>>,
    next: Option<String>,
    count: Option<u64>,
    #[serde(default)]
    count_capped: bool,
    #[serde(default)]
    warnings: Vec<Fault>,
}

impl Reply {
    /// The record, or the list of records.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(self.data.get()).unwrap_or_default()
    }

    /// The records of a list.
    pub(crate) fn items(&self) -> Vec<Value> {
        serde_json::from_str(self.data.get()).unwrap_or_default()
    }

    /// The warnings as a sentence; empty where there is none.
    pub(crate) fn warned(&self) -> String {
        let words = |fault: &Fault| {
            let message = fault.message.trim_end_matches('.');
            format!(" {}: {message}.", label(&fault.attr))
        };
        self.warnings.iter().map(words).collect()
    }

    /// The record read into a type, for members that must stay as they were written.
    ///
    /// # Errors
    /// The record is not of this type, which would be a defect.
    pub(crate) fn read<'r, T: Deserialize<'r>>(&'r self) -> Result<T, Refusal> {
        serde_json::from_str(self.data.get()).map_err(|error| {
            tracing::error!(%error, "an answer of the API has another shape than its page expects");
            Refusal::crash()
        })
    }
}

/// Somebody who may call the API: with a session's token or without one, from where they are.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) dashboard: Arc<Dashboard>,
    pub(crate) token: Option<String>,
    forwarded_for: Vec<HeaderValue>,
    extensions: http::Extensions,
}

impl Client {
    /// The client that made the request; limits on tries then count for its address.
    pub(crate) fn of(parts: &Parts, dashboard: &Arc<Dashboard>, token: Option<String>) -> Client {
        let forwarded_for = parts.headers.get_all(X_FORWARDED_FOR);
        Client {
            dashboard: dashboard.clone(),
            token,
            forwarded_for: forwarded_for.iter().cloned().collect(),
            extensions: parts.extensions.clone(),
        }
    }

    /// The declaration of a route, such as `webhook_jobs/index`.
    ///
    /// # Errors
    /// There is none, which would be a defect of the page.
    pub(crate) fn route(&self, name: &str) -> Result<&'static Route, Refusal> {
        self.dashboard.route(name)
    }

    /// The same client with a session that has just begun.
    pub(crate) fn with_token(&self, token: &str) -> Client {
        let mut client = self.clone();
        client.token = Some(token.to_owned());
        client
    }

    /// Calls a route. Parameters that are null or absent are the same to it on everything but updates.
    ///
    /// # Errors
    /// Whatever the API refuses.
    pub(crate) async fn call(&self, name: &str, parameters: Value) -> Result<Reply, Refusal> {
        let route = self.route(name)?;
        let request = self
            .request(route, &parameters)
            .map_err(|_| Refusal::crash())?;
        let answer = (self.dashboard.api)(request).await;
        if answer.status().is_success() {
            let envelope = serde_json::from_slice(answer.body());
            let envelope: Envelope = envelope.map_err(|_| Refusal::crash())?;
            return Ok(Reply {
                data: envelope.data.unwrap_or_default(),
                next: envelope.next,
                count: envelope.count.map(|count| (count, envelope.count_capped)),
                warnings: envelope.warnings,
            });
        }
        Err(Refusal::of(&answer))
    }

    fn request(&self, route: &Route, parameters: &Value) -> http::Result<Request<Body>> {
        let mut request = Request::builder()
            .method(route.method.http())
            .uri(route.path())
            .header(header::CONTENT_TYPE, route.content_type());
        for value in &self.forwarded_for {
            request = request.header(X_FORWARDED_FOR, value);
        }
        if let Some(token) = self.token.as_ref().filter(|_| route.token().is_some()) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let json = parameters.to_string();
        let body = match route.sensitive {
            true => BASE64.encode(json),
            false => json,
        };
        let mut request = request.body(Body::from(body))?;
        *request.extensions_mut() = self.extensions.clone();
        Ok(request)
    }
}

/// Looks at the parameters of a route that takes no token, as the route itself would, and does nothing else.
///
/// # Errors
/// What the declaration does not allow.
pub(crate) fn check(route: &'static Route, parameters: &Value) -> Result<(), Refusal> {
    let json = parameters.to_string();
    let body = match route.sensitive {
        true => BASE64.encode(json),
        false => json,
    };
    let request = contract::Request {
        content_type: Some(route.content_type()),
        authorization: None,
        idempotency_key: None,
        body: body.as_bytes(),
    };
    let judged = route.read(&request).and_then(|text| {
        let input = text.decode()?.into_input()?;
        input.finish(|| Some(()))
    });
    judged.map_err(|failure| Refusal::of(&failure.into_response()))
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Client")
    }
}
