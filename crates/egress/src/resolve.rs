//! From a URL to the addresses that may be connected to.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;

use domain::destination::{CallbackUrl, EgressPolicy};
use tokio::sync::Semaphore;
use url::Host;

use crate::fault::Fault;

/// The most look-ups at once. Each holds one of the runtime's 512 blocking threads, for as long as the
/// system's resolver likes; half of them stay free for other work whatever the name servers do.
const LOOKUPS_MAX: usize = 256;

/// The answer of a scripted look-up.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Where the addresses of a name come from.
#[derive(Clone)]
pub enum Resolver {
    /// The operating system's resolver (hosts file, name servers), not cached here.
    System(SystemResolver),
    /// A function of the name: tests and simulations script the answers.
    Scripted(Arc<dyn Fn(&str) -> Lookup + Send + Sync>),
}

/// The operating system's resolver, with a bound on concurrent look-ups.
#[derive(Clone, Debug)]
pub struct SystemResolver {
    permits: Arc<Semaphore>,
}

impl Resolver {
    /// The operating system's resolver.
    pub fn system() -> Resolver {
        Resolver::System(SystemResolver {
            permits: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        })
    }

    /// A function of the name.
    pub fn scripted(script: impl Fn(&str) -> Lookup + Send + Sync + 'static) -> Resolver {
        Resolver::Scripted(Arc::new(script))
    }

    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        match self {
            Resolver::System(system) => system.look_up(name.to_owned()).await,
            Resolver::Scripted(script) => script(name).await,
        }
    }
}

impl SystemResolver {
    /// The permit goes with the thread, not with the caller: a caller that gives up does not free the
    /// thread that is still waiting for a name server.
    async fn look_up(&self, name: String) -> io::Result<Vec<IpAddr>> {
        let permit = self
            .permits
            .clone()
            .acquire_owned()
            .await
            .map_err(io::Error::other)?;
        let addresses = tokio::task::spawn_blocking(move || {
            let found = (name.as_str(), 0).to_socket_addrs();
            drop(permit);
            found.map(|addresses| addresses.map(|address| address.ip()).collect())
        });
        addresses.await.map_err(io::Error::other)?
    }
}

/// The addresses of the URL's host, every one of them checked, in the order to try them.
///
/// One refused address refuses the whole host. A name that leads both to public and to private
/// addresses is a mistake or an attack, and picking the public ones would let its owner choose, by
/// reordering the answer, which delivery fails and why; refusing gives the same clear fault each time.
///
/// # Errors
/// [`Fault::Resolve`] when there is no address, [`Fault::Refused`] when one may not be reached.
pub(crate) async fn addresses(
    resolver: &Resolver,
    policy: &EgressPolicy,
    url: &CallbackUrl,
) -> Result<Vec<SocketAddr>, Fault> {
    let addresses = match url.host() {
        Host::Ipv4(address) => vec![IpAddr::V4(*address)],
        Host::Ipv6(address) => vec![IpAddr::V6(*address)],
        Host::Domain(_) if url.is_localhost() => policy.localhost()?,
        Host::Domain(name) => resolver
            .look_up(name)
            .await
            .map_err(|error| plain_words(&error))?,
    };
    if addresses.is_empty() {
        return Err(Fault::Resolve("the name has no address".to_owned()));
    }
    for address in &addresses {
        policy.check(*address)?;
    }
    let port = url.port();
    Ok(addresses
        .into_iter()
        .map(|address| SocketAddr::new(address, port))
        .collect())
}

/// The system says first that a look-up failed, which the fault says already.
fn plain_words(error: &io::Error) -> Fault {
    let text = error.to_string();
    let reason = text
        .strip_prefix("failed to lookup address information: ")
        .unwrap_or(&text);
    Fault::Resolve(reason.to_owned())
}

impl fmt::Debug for Resolver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Resolver::System(_) => "Resolver::System",
            Resolver::Scripted(_) => "Resolver::Scripted",
        })
    }
}
