//! A route with what answers it.

use app::Access;
use contract::{Reply, Route};
use futures_util::future::BoxFuture;

use crate::call::Call;
use crate::trouble::Trouble;

/// What a handler comes to.
pub(crate) type Answer = Result<Reply, Trouble>;

/// A route's declaration, who may use it, and its handler.
pub(crate) struct Endpoint {
    /// The declaration.
    pub(crate) route: &'static Route,
    /// Who may.
    pub(crate) access: Access,
    /// The handler: called when the token is good and nothing required is missing.
    pub(crate) handle: for<'c> fn(Call<'c>) -> BoxFuture<'c, Answer>,
}
