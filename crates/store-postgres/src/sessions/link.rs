//! Links that sign somebody in once.

use domain::email_address::EmailAddress;
use domain::id::{IntegrationId, UserId};
use domain::records::Actor;
use domain::time::Moment;
use domain::token::TokenHash;
use store::{Change, NewSignInLink};

use super::Invited;
use crate::audit::{self, AuditEvent};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::one;
use crate::users;
use crate::writing::Writing;

/// Expired links that are removed whenever one is made: more than come in, so that the table is bounded.
const REMOVED_PER_LINK: i64 = 2;

pub(crate) const INSERT: &str = "insert into sign_in_links (token_hash, email, integration_id, created_at, expires_at) \
     values ($1, $2, $3, $4, $5)";
// sign_in_links_by_expiry; what others remove at this moment is left to them
pub(crate) const REMOVE_EXPIRED: &str = "delete from sign_in_links where token_hash in (select token_hash from sign_in_links \
     where expires_at < $1 order by expires_at limit $2 for update skip locked)";
// primary key
pub(crate) const REDEEM: &str = "delete from sign_in_links where token_hash = $1 and expires_at >= $2 \
     and ($3::text is null or lower(email) = lower($3 collate \"C\")) returning email, integration_id";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[INSERT, REMOVE_EXPIRED, REDEEM];

/// Keeps a link.
pub(super) async fn create(
    writing: &Writing,
    new: &NewSignInLink,
    change: &Change,
) -> Result<(), Fault> {
    let connection = &writing.connection;
    remove_expired(connection, change.at, REMOVED_PER_LINK).await?;
    connection
        .execute(
            INSERT,
            &[
                &new.token.as_bytes().as_slice(),
                &new.email.as_str(),
                &new.integration_id.map(|id| id.0),
                &change.at.microseconds(),
                &new.expires_at.microseconds(),
            ],
        )
        .await?;
    // Who only asks for a link changes nothing; who invites somebody does.
    let Some(integration) = new.integration_id else {
        return Ok(());
    };
    let event = AuditEvent {
        integration_id: Some(integration),
        noun: "integration",
        record_id: integration.0,
        action: "invitation_email",
        before: None,
        after: audit::json(&serde_json::json!({ "email": new.email.as_str() }))?,
    };
    audit::write(connection, change, event).await
}

/// Uses a link up, and finds or makes the user whom it is for.
pub(super) async fn redeem(
    connection: &Connection,
    link: TokenHash,
    email: Option<&EmailAddress>,
    change: &Change,
) -> Result<Option<UserId>, Fault> {
    let Some((email, integration)) = take(connection, link, email, change.at).await? else {
        return Ok(None);
    };
    let before = users::by_email(connection, &email).await?;
    let id = match &before {
        Some(user) => user.id,
        None => users::insert(connection, &email, None, None, change).await?,
    };
    if let Some(integration) = integration {
        if before.as_ref().is_none_or(|user| user.roles.is_empty()) {
            users::roles::become_client(connection, id, change.at).await?;
        }
        users::roles::scope(connection, id, &[integration]).await?;
    }
    if before.is_none() || integration.is_some() {
        let change = Change {
            actor: Actor::User(id),
            ..change.clone()
        };
        let after = users::known(connection, id).await?;
        let action = match integration {
            Some(_) => "accept_invitation",
            None => "create",
        };
        users::write_event(connection, &change, action, before.as_ref(), &after).await?;
    }
    Ok(Some(id))
}

async fn take(
    connection: &Connection,
    link: TokenHash,
    email: Option<&EmailAddress>,
    now: Moment,
) -> Result<Option<Invited>, Fault> {
    let email = email.map(EmailAddress::as_str);
    let params: Params = &[&link.as_bytes().as_slice(), &now.microseconds(), &email];
    let taken = one(connection, REDEEM, params, |row| {
        let email: &str = row.try_get(0)?;
        let email = email.parse();
        let email = email.map_err(|reason| Fault::corrupt("sign_in_links", 0, reason))?;
        let integration: Option<i64> = row.try_get(1)?;
        Ok((email, integration.map(IntegrationId)))
    });
    taken.await
}

/// Removes links that nobody can use any more, the oldest first; returns how many.
pub(crate) async fn remove_expired(
    connection: &Connection,
    now: Moment,
    limit: i64,
) -> Result<u64, Fault> {
    let now = now.microseconds();
    connection.execute(REMOVE_EXPIRED, &[&now, &limit]).await
}
