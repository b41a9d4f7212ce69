//! Which addresses deliveries may reach: all public ones, and what the operator allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::CallbackUrl;
use super::reserved::{NAT64_PREFIX, reserved_network};

/// The addresses that deliveries may reach. The default allows public addresses only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EgressPolicy {
    allow: Vec<IpNet>,
}

/// An address that deliveries may not reach, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address} is refused: {network} is {why}; an operator can allow it with egress.allow")]
pub struct RefusedAddress {
    /// The address as it would be connected to; of a mapped IPv4 address, the IPv4 address.
    pub address: IpAddr,
    /// The special-purpose network that it lies in.
    pub network: IpNet,
    /// What that network is for.
    pub why: &'static str,
}

/// An entry of an allow list that is neither an address nor a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{entry}` is neither an address nor a network; write for example 10.0.0.0/8 or ::1")]
pub struct AllowFault {
    /// The entry as written.
    pub entry: String,
}

impl EgressPolicy {
    /// A policy that also lets these networks be reached.
    pub fn new(allow: Vec<IpNet>) -> EgressPolicy {
        EgressPolicy { allow }
    }

    /// Reads a comma-separated list of networks and single addresses; an empty text allows none.
    ///
    /// # Errors
    /// The first entry that is neither.
    pub fn parse_allow(text: &str) -> Result<EgressPolicy, AllowFault> {
        if text.trim().is_empty() {
            return Ok(EgressPolicy::default());
        }
        let allow = text.split(',').map(|entry| parse_network(entry.trim()));
        Ok(EgressPolicy {
            allow: allow.collect::<Result<_, _>>()?,
        })
    }

    /// The networks that are allowed though they are not public.
    pub fn allow(&self) -> &[IpNet] {
        &self.allow
    }

    /// Whether this address may be connected to.
    ///
    /// # Errors
    /// The refused address with its network, unless an allowed network holds it.
    pub fn check(&self, address: IpAddr) -> Result<(), RefusedAddress> {
        let address = meant_address(address);
        if self.allow.iter().any(|network| network.contains(&address)) {
            return Ok(());
        }
        match reserved_network(address) {
            Some((network, why)) => Err(RefusedAddress {
                address,
                network,
                why,
            }),
            None => Ok(()),
        }
    }

    /// What can be said of a URL before its name is resolved: literal addresses and `localhost`.
    ///
    /// # Errors
    /// The refused address. Other names pass; their addresses are checked when connecting.
    pub fn check_url(&self, url: &CallbackUrl) -> Result<(), RefusedAddress> {
        if url.is_localhost() {
            return self.localhost().map(|_| ());
        }
        url.literal_address()
            .map_or(Ok(()), |address| self.check(address))
    }

    /// The loopback addresses that `localhost` may be connected to, IPv4 first.
    ///
    /// The name needs no look-up (RFC 6761 section 6.3); and one allowed address is enough, so that an
    /// operator who allows 127.0.0.0/8 is not refused for `::1`.
    ///
    /// # Errors
    /// The refused IPv4 address when neither is allowed.
    pub fn localhost(&self) -> Result<Vec<IpAddr>, RefusedAddress> {
        let both = [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ];
        let allowed: Vec<IpAddr> = both
            .into_iter()
            .filter(|address| self.check(*address).is_ok())
            .collect();
        if allowed.is_empty() {
            self.check(both[0])?;
        }
        Ok(allowed)
    }
}

fn parse_network(entry: &str) -> Result<IpNet, AllowFault> {
    let network = entry
        .parse::<IpNet>()
        .or_else(|_| entry.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| AllowFault {
        entry: entry.to_owned(),
    })
}

/// The address that is reached in the end: an IPv4-mapped address (RFC 4291 section 2.5.5.2) and one of
/// the well-known translation prefix (RFC 6052) are only other spellings of an IPv4 address.
///
/// Other forms that embed IPv4 (6to4, Teredo, IPv4-compatible) are out of use: refused as a whole.
fn meant_address(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    if NAT64_PREFIX.contains(&v6) {
        let [.., a, b, c, d] = v6.octets();
        return IpAddr::V4(Ipv4Addr::new(a, b, c, d));
    }
    address
}
