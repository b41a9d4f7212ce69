//! Who may use a route or a page at all. Which records they then see is the [`Scope`](crate::Scope)'s affair.

use domain::user::Role;

use crate::caller::Principal;
use crate::denied::Denied;

/// Who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a token.
    Open,
    /// Everybody with a token, users without a role too: who they are is theirs to know.
    Tokens,
    /// Everybody with a session, users without a role too; no applications.
    Sessions,
    /// Whoever has a role, applications, and who came by a link into the portal: reading, and sending jobs again.
    Readers,
    /// Clients, employees, applications, and who came by a link into the portal: subscriptions and their jobs.
    Menders,
    /// Clients, employees and applications: changing what else an integration has.
    Managers,
    /// Employees, and applications that are not narrowed to one integration: what concerns all.
    Operators,
}

impl Access {
    /// Lets the principal pass.
    ///
    /// # Errors
    /// [`Denied::ClientRequired`] for users without a role, [`Denied::Forbidden`] for all others.
    pub fn check(self, principal: &Principal) -> Result<(), Denied> {
        let signed_in = match principal {
            Principal::Visitor if self == Access::Open => return Ok(()),
            Principal::Visitor => return Err(Denied::InvalidToken),
            Principal::Application { only, .. } => {
                return allow(match self {
                    Access::Open
                    | Access::Tokens
                    | Access::Readers
                    | Access::Menders
                    | Access::Managers => true,
                    Access::Sessions => false,
                    Access::Operators => only.is_none(),
                });
            }
            Principal::Portal(_) => {
                return allow(matches!(
                    self,
                    Access::Open | Access::Readers | Access::Menders
                ));
            }
            Principal::User(signed_in) => signed_in,
        };
        let user = &signed_in.user;
        match self {
            Access::Open | Access::Tokens | Access::Sessions => Ok(()),
            _ if user.roles.is_empty() => Err(Denied::ClientRequired),
            Access::Readers => Ok(()),
            Access::Menders | Access::Managers => {
                allow(user.is(Role::Client) || user.is(Role::Employee))
            }
            Access::Operators => allow(user.is(Role::Employee)),
        }
    }
}

fn allow(may: bool) -> Result<(), Denied> {
    if may { Ok(()) } else { Err(Denied::Forbidden) }
}
