//! From an HTTP request to its answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use app::{Caller, Denied, Principal, Use};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use contract::{Failure, Reply, Route, nearest, status};
use futures_util::FutureExt;
use http::request::Parts;
use http::{HeaderName, Method, Response};
use store::Deployment;

use crate::api::Api;
use crate::body::discard;
use crate::call::Call;
use crate::client_address::client_address;
use crate::endpoint::{Answer, Endpoint};
use crate::health;
use crate::request_id::RequestId;
use crate::sessions::ShownSession;
use crate::trouble::Trouble;

/// What the API's paths begin with; a path elsewhere is for people.
const API: &str = "/api/";
/// The name of a request, in both directions.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest name that a client gives to its request, in bytes, that is worth logging.
const CLIENT_REQUEST_ID_BYTES_MAX: usize = 100;

/// The API as a service. Other pages can be added to it; what nobody answers is this API's to refuse.
pub fn router(api: Arc<Api>) -> Router {
    Router::new().fallback(move |request: Request| {
        let api = api.clone();
        async move { api.answer(request).await.map(Body::from) }
    })
}

impl Api {
    /// Answers a request, whatever it is; every answer bears `x-request-id`.
    pub async fn answer(&self, request: http::Request<Body>) -> Response<Bytes> {
        let id = RequestId::new(self.app.now());
        let mut response = self.find(&id, request).await;
        response.headers_mut().insert(X_REQUEST_ID, id.header());
        response
    }

    async fn find(&self, id: &RequestId, request: http::Request<Body>) -> Response<Bytes> {
        let path = request.uri().path();
        match self.endpoints.get(path) {
            Some(endpoint) if endpoint.route.method.http() == *request.method() => {
                self.run(endpoint, id, request).await
            }
            _ if path.starts_with(API) => {
                let failure = self.no_such_route(path);
                discard(&mut request.into_body()).await;
                tracing::info!(
                    request_id = id.as_str(),
                    status = failure.status.slug,
                    "refused"
                );
                failure.into_response()
            }
            _ => match (request.method(), path) {
                (&Method::GET | &Method::HEAD, "/healthz") => health::alive(),
                (&Method::GET | &Method::HEAD, "/readyz") => health::ready(self).await,
                _ => {
                    discard(&mut request.into_body()).await;
                    (self.settings.page_not_found)()
                }
            },
        }
    }

    fn no_such_route(&self, path: &str) -> Failure {
        let message = match self.endpoints.get(path) {
            Some(endpoint) => format!("{path} takes {} only.", endpoint.route.method.http()),
            None => match nearest(path, self.endpoints.keys().map(String::as_str)) {
                Some(near) => format!("There is no such route; did you mean {near}?"),
                None => "There is no such route.".to_owned(),
            },
        };
        Failure::new(&status::ROUTE_NON_EXISTENT, message)
    }

    async fn run(
        &self,
        endpoint: &Endpoint,
        id: &RequestId,
        request: http::Request<Body>,
    ) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        let steps = AssertUnwindSafe(self.take_steps(endpoint, id, &head, body));
        // Nothing of ours is left half done by a panic: what a request shares with others is behind the
        // store's transactions and the caches' own locks.
        let answer = steps
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(Failure::crash().into()));
        answer.map(Reply::into_response).unwrap_or_else(|trouble| {
            let failure = trouble.told(id.as_str(), client_request_id(&head), endpoint.route);
            if failure.status == &status::APPLICATION_CRASH {
                self.notify_crash(endpoint.route, id);
            }
            failure.into_response()
        })
    }

    /// All steps in the order in which their faults are told.
    async fn take_steps(
        &self,
        endpoint: &Endpoint,
        id: &RequestId,
        head: &Parts,
        body: Body,
    ) -> Answer {
        let route = endpoint.route;
        self.check_deployed(route).await?;
        let body = self.bodies.read(body, route.body_bytes_max).await?;
        let request = contract::Request::new(&head.headers, &body.bytes);
        let text = route.read(&request)?;
        let decoded = text.decode()?;
        let (principal, token) = match route.token() {
            Some(_) => {
                let token = decoded.token()?;
                // Pages call in process: nobody else can say this.
                let is_use = head.extensions.get().copied().unwrap_or(Use::Made);
                let principal = self.app.recognise(token, is_use).await?;
                (principal, token.to_owned())
            }
            None => (Principal::Visitor, String::new()),
        };
        if let Err(denied) = endpoint.access.check(&principal) {
            return Err(self.refused(denied, &principal, &token));
        }
        let caller = Caller {
            principal: &principal,
            request_id: id.as_str(),
            address: client_address(head, &self.settings.trusted_proxies),
        };
        let input = decoded.into_input()?;
        let call = Call {
            api: self,
            route,
            caller,
            token: &token,
            input: &input,
        };
        let answer = (endpoint.handle)(call).await;
        answer.map_err(|trouble| trouble.of_parameters(&input))
    }
}

impl Api {
    /// A route whose record is not deployed answers nobody.
    async fn check_deployed(&self, route: &Route) -> Result<(), Trouble> {
        let failure = match self.app.deployment(route.service, route.action).await {
            Ok(Deployment::Deployed) => return Ok(()),
            Ok(Deployment::NoService) => Failure::of(&status::SERVICE_NOT_FOUND),
            Ok(Deployment::NoRoute) => Failure::of(&status::ROUTE_NOT_FOUND),
            Err(error) => {
                tracing::error!(%error, "the records of services and routes cannot be read");
                Failure::of(&status::IDENTIFY_REQUEST_ERROR)
            }
        };
        Err(failure.into())
    }

    /// Tells the operators, while the caller is answered.
    fn notify_crash(&self, route: &Route, id: &RequestId) {
        let (app, path) = (self.app.clone(), route.path());
        let request_id = id.as_str().to_owned();
        tokio::spawn(async move { app.notify_crash(&path, &request_id).await });
    }

    /// Why the principal may not use the route. A user without a role is told how to get one.
    fn refused(&self, denied: Denied, principal: &Principal, token: &str) -> Trouble {
        match (denied, principal.signed_in()) {
            (Denied::ClientRequired, Some(signed_in)) => {
                let session = ShownSession::with_token(signed_in, token);
                self.client_required(&session).into()
            }
            (denied, _) => denied.into(),
        }
    }
}

/// How the client calls the request, for finding its log beside ours; never taken for our own name.
fn client_request_id(head: &Parts) -> &str {
    let given = head.headers.get(X_REQUEST_ID);
    let text = given
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    text.get(..CLIENT_REQUEST_ID_BYTES_MAX).unwrap_or(text)
}
