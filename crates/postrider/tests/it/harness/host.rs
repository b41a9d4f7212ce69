//! Hosts of a test's own: network namespaces, each with one link for everything and another to its database, which can be cut.
//! Only root can have them.

use std::net::Ipv4Addr;

use super::disk::system;

/// A host, gone when dropped.
pub struct Host {
    name: String,
    /// Tells its networks from those of other hosts.
    number: u8,
}

impl Host {
    /// Two of them, if this process may and this system can.
    pub fn two() -> Option<[Host; 2]> {
        Some([Host::new(0)?, Host::new(1)?])
    }

    fn new(place: u8) -> Option<Host> {
        let process = std::process::id();
        let host = Host {
            name: format!("prt{process}-{place}"),
            number: u8::try_from(process % 100).ok()? * 2 + place,
        };
        host.ip(&format!("netns add {}", host.name))?;
        for (link, network) in [("d", 201), ("o", 202)] {
            let (outer, inner) = (host.outer(link), format!("{link}0"));
            let (name, number) = (&host.name, host.number);
            host.ip(&format!(
                "link add {outer} type veth peer name {inner} netns {name}"
            ))?;
            host.ip(&format!("addr add 10.{network}.{number}.1/30 dev {outer}"))?;
            host.ip(&format!("link set {outer} up"))?;
            host.ip(&format!(
                "-n {name} addr add 10.{network}.{number}.2/30 dev {inner}"
            ))?;
            host.ip(&format!("-n {name} link set {inner} up"))?;
        }
        host.ip(&format!("-n {} link set lo up", host.name))?;
        let gateway = host.outside();
        host.ip(&format!("-n {} route add default via {gateway}", host.name))?;
        Some(host)
    }

    /// What runs a command there: it and its arguments follow.
    pub fn command(&self) -> Vec<String> {
        let namespace = format!("--net=/var/run/netns/{}", self.name);
        vec!["nsenter".to_owned(), namespace]
    }

    /// Its address.
    pub fn address(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 202, self.number, 2)
    }

    /// Where it finds this process.
    pub fn outside(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 202, self.number, 1)
    }

    /// Where it finds the database.
    pub fn database(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 201, self.number, 1)
    }

    /// Cuts the link to the database, or mends it.
    pub fn cut(&self, is_cut: bool) {
        let state = if is_cut { "down" } else { "up" };
        let set = self.ip(&format!("link set {} {state}", self.outer("d")));
        set.expect("the link is there");
    }

    fn outer(&self, link: &str) -> String {
        format!("{}{link}", self.name)
    }

    fn ip(&self, arguments: &str) -> Option<String> {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        system("ip", &arguments)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The links first: the namespace stays for as long as a process in it ends.
        for link in ["d", "o"] {
            self.ip(&format!("link del {}", self.outer(link)));
        }
        self.ip(&format!("netns del {}", self.name));
    }
}
