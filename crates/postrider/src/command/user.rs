//! `postrider user`: the first employees, and links for people whom no mail reaches.

use std::time::Duration;

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use domain::email_address::EmailAddress;
use domain::time::Clock;
use domain::token::Token;
use domain::user::{Role, User};
use serde_json::json;
use store::{NewSignInLink, NewUser, Store, UserQuery};

use super::{all, change, integration_of, on_store, print, random};
use crate::clock::SystemClock;
use crate::config::ConfigArgs;

/// How long a link that is printed is good: long enough to be handed on.
const LINK_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// What can be done with users.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Makes a user, and prints the token of a link that signs them in once.
    Create {
        /// Their e-mail address.
        #[arg(long)]
        email: EmailAddress,
        /// What they are called.
        #[arg(long)]
        name: Option<String>,
        /// What they may be; may be given several times.
        #[arg(long = "role", value_enum)]
        roles: Vec<RoleArg>,
        /// Key of an integration that they may use as client or liaison; may be given several times.
        #[arg(long = "integration", value_name = "KEY")]
        integrations: Vec<String>,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Prints the token of a link that signs a user in once, within a day.
    Link {
        /// Their e-mail address.
        #[arg(long)]
        email: EmailAddress,
        /// Print as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Lists the users.
    List {
        /// Print as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// A role, as it is written at the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleArg {
    /// Manages the integrations that the user is scoped to.
    Client,
    /// Does everything.
    Employee,
    /// Reads the integrations that the user is scoped to, and may send jobs again.
    Liaison,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Role {
        match role {
            RoleArg::Client => Role::Client,
            RoleArg::Employee => Role::Employee,
            RoleArg::Liaison => Role::Liaison,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// The store cannot be used, or refuses.
pub fn run(command: UserCommand) -> anyhow::Result<()> {
    match command {
        UserCommand::Create {
            email,
            name,
            roles,
            integrations,
            json,
            config,
        } => {
            let (user, link) = on_store(config, async |store| {
                let mut scoped_integrations = Vec::new();
                for key in &integrations {
                    scoped_integrations.push(integration_of(store, key).await?);
                }
                let new = NewUser {
                    email: email.clone(),
                    name,
                    roles: roles.into_iter().map(Role::from).collect(),
                    scoped_integrations,
                    idempotency: None,
                };
                let made = store.create_user(new, change()).await;
                let user = made.context("no user was made")?.record;
                Ok((user, link(store, email).await?))
            })?;
            print_link(&user, &link, json)
        }
        UserCommand::Link {
            email,
            json,
            config,
        } => {
            let (user, link) = on_store(config, async |store| {
                let known = store.credentials(email.clone()).await?;
                let id = known
                    .with_context(|| format!("there is no user {email}"))?
                    .user_id;
                let user = store.user(id).await?.context("the user is gone")?;
                Ok((user, link(store, email).await?))
            })?;
            print_link(&user, &link, json)
        }
        UserCommand::List { json, config } => {
            let users = on_store(config, async |store| {
                let query = |list| UserQuery {
                    roles: Vec::new(),
                    integration_id: None,
                    list,
                };
                all("email", |list| store.users(query(list))).await
            })?;
            print_list(&users, json)
        }
    }
}

async fn link(store: &dyn Store, email: EmailAddress) -> anyhow::Result<Token> {
    let token = Token::of_link(random()?);
    let new = NewSignInLink {
        token: token.hash(),
        email,
        integration_id: None,
        expires_at: SystemClock.now() + LINK_LIFE,
    };
    store.create_sign_in_link(new, change()).await?;
    Ok(token)
}

fn print_link(user: &User, link: &Token, as_json: bool) -> anyhow::Result<()> {
    let (id, email, roles, link) = (user.id, &user.email, &user.roles, link.text());
    if as_json {
        let made = json!({ "id": id, "email": email, "roles": roles, "link_token": link });
        return print(&made.to_string());
    }
    print(&format!(
        "user {email}, id {id}\nlink_token {link}\nsessions/create takes it once, within 24 hours; it is not \
         shown again."
    ))
}

fn print_list(users: &[User], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return print(&serde_json::to_string(users)?);
    }
    for user in users {
        let roles: Vec<&str> = user.roles.iter().map(|role| role.name()).collect();
        let integrations: Vec<String> = user
            .scoped_integrations
            .iter()
            .map(|id| id.to_string())
            .collect();
        print(&format!(
            "{}\t{}\t{}\tintegrations {}",
            user.id,
            user.email,
            roles.join(","),
            integrations.join(",")
        ))?;
    }
    Ok(())
}
