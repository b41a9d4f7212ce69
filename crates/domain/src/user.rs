//! Users: people, and the records that give them a role.

use serde::{Deserialize, Serialize};

use crate::id::{ClientId, IntegrationId, UserId};
use crate::time::Moment;

/// What a person may be here. One without any role may register as a client, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Manages the integrations that the user is scoped to.
    Client,
    /// Does everything.
    Employee,
    /// Reads the integrations that the user is scoped to, and may send jobs again.
    Liaison,
}

impl Role {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Role; 3] = [Role::Client, Role::Employee, Role::Liaison];
    /// Their names.
    pub const NAMES: [&'static str; 3] = ["client", "employee", "liaison"];

    /// The name.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The role of this name.
    pub fn parse(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A person, as they are kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its identity.
    pub id: UserId,
    /// Where mail reaches them; unique, whatever the case of its letters.
    pub email: String,
    /// What they are called; absent until they say.
    pub name: Option<String>,
    /// What they may be here.
    pub roles: Vec<Role>,
    /// The integrations that clients and liaisons may use; employees may use all.
    pub scoped_integrations: Vec<IntegrationId>,
    /// Whether their sessions last until they sign out.
    pub remember_me: bool,
    /// Whether they can sign in by a password.
    pub has_password: bool,
    /// When they were first known.
    pub created_at: Moment,
    /// When they were last changed.
    pub updated_at: Moment,
}

/// The record that makes a user a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its identity.
    pub id: ClientId,
    /// The user.
    pub user_id: UserId,
    /// When it was made.
    pub created_at: Moment,
}

impl User {
    /// Whether the user has this role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_its_own_name() {
        for (role, name) in Role::ALL.into_iter().zip(Role::NAMES) {
            assert_eq!((role.name(), Role::parse(name)), (name, Some(role)));
            assert_eq!(serde_json::to_value(role).expect("JSON"), name);
        }
        assert_eq!(Role::parse("admin"), None);
    }
}
