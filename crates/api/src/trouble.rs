//! Why a request was not done, from where it is noticed to the one place where it is logged.

use app::Denied;
use contract::{Failure, Input, Route, status};
use store::StoreError;

/// After how many seconds a caller should try again when the store takes no work: it mostly recovers in
/// less.
const RETRY_AFTER_SECONDS: u32 = 1;

/// Why a request was not done.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// As the caller is told it.
    Failure(Failure),
    /// As the use case says it.
    Denied(Denied),
}

impl Trouble {
    /// Makes what the store refuses into faults of the parameters, in their order.
    pub(crate) fn of_parameters(self, input: &Input<'_>) -> Trouble {
        let Trouble::Denied(Denied::Refused(refusals)) = self else {
            return self;
        };
        for refusal in refusals {
            input.fault(&refusal.attr, refusal.message);
        }
        match input.finish(|| None::<()>) {
            Ok(()) => Failure::crash().into(),
            Err(failure) => failure.into(),
        }
    }

    /// The answer, logged once: with the request and the route, without parameters.
    pub(crate) fn told(self, request_id: &str, client_request_id: &str, route: &Route) -> Failure {
        let (service, action) = (route.service, route.action);
        match self {
            Trouble::Denied(Denied::Store(error)) if !is_passing(&error) => {
                tracing::error!(request_id, client_request_id, service, action, %error, "the store failed");
                Failure::crash()
            }
            trouble => {
                let failure = trouble.failure();
                let status = failure.status.slug;
                if !route.permits(failure.status) {
                    tracing::error!(
                        request_id,
                        service,
                        action,
                        status,
                        "the route does not declare its answer"
                    );
                    return Failure::crash();
                }
                if failure.status == &status::APPLICATION_CRASH {
                    tracing::error!(
                        request_id,
                        client_request_id,
                        service,
                        action,
                        "the request crashed"
                    );
                } else {
                    tracing::info!(
                        request_id,
                        client_request_id,
                        service,
                        action,
                        status,
                        "refused"
                    );
                }
                failure
            }
        }
    }

    fn failure(self) -> Failure {
        match self {
            Trouble::Failure(failure) => failure,
            Trouble::Denied(denied) => failure_of(denied),
        }
    }
}

/// What a caller is told of a denial that concerns no parameter of the body as a whole.
pub(crate) fn failure_of(denied: Denied) -> Failure {
    match denied {
        Denied::InvalidToken => Failure::invalid_token(),
        Denied::SessionExpired => Failure::of(&status::SESSION_EXPIRED),
        Denied::ClientRequired => Failure::of(&status::CLIENT_REQUIRED),
        Denied::Forbidden => Failure::of(&status::PERMISSION_DENIED),
        Denied::InvalidCredentials => Failure::of(&status::INVALID_CREDENTIALS),
        Denied::TooMany {
            retry_after_seconds,
        } => Failure::rate_limit_exceeded(retry_after_seconds),
        Denied::MailFailed(failed) => {
            tracing::error!(%failed, "a mail that a request had to send was not sent");
            Failure::of(&status::MANDRILL_EMAIL_FAILED)
        }
        Denied::Store(error) if is_passing(&error) => {
            Failure::store_unavailable(RETRY_AFTER_SECONDS)
        }
        Denied::Store(_) | Denied::Refused(_) => Failure::crash(),
    }
}

fn is_passing(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_))
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Failure(failure)
    }
}

impl From<Denied> for Trouble {
    fn from(denied: Denied) -> Trouble {
        Trouble::Denied(denied)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Trouble {
        Trouble::Denied(error.into())
    }
}
