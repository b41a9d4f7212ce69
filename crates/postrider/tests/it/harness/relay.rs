//! A TCP relay between a node and its database, which a test can cut.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// Bytes that are carried at once.
const PIECE_BYTES: usize = 16 * 1_024;
/// The pause before a port is tried again that the system has not set free yet, in milliseconds.
const AGAIN_MILLISECONDS: u64 = 5;

/// How the way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Everything comes through.
    Whole,
    /// Connections are cut, and new ones refused.
    Refused,
    /// Nothing comes through, and nobody says so; what was sent arrives once the link is whole.
    Silent,
}

#[derive(Clone)]
struct Way {
    link: Link,
    /// The socket of the server.
    server: PathBuf,
}

/// See the module. It runs until the test process ends.
pub struct Relay {
    address: SocketAddr,
    way: watch::Sender<Way>,
}

impl Relay {
    /// A way to the server with this socket.
    pub fn to(server: PathBuf) -> Relay {
        Relay::at(Ipv4Addr::LOCALHOST, server)
    }

    /// The same, at this address.
    pub fn at(address: Ipv4Addr, server: PathBuf) -> Relay {
        let listener = std::net::TcpListener::bind((address, 0)).expect("an address");
        let address = listener.local_addr().expect("bound");
        listener.set_nonblocking(true).expect("set");
        let link = Link::Whole;
        let way = watch::Sender::new(Way { link, server });
        let watched = way.subscribe();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(run(listener, address, watched));
        });
        Relay { address, way }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn set(&self, link: Link) {
        self.way.send_modify(|way| way.link = link);
    }

    /// Leads to another server from now on; connections to the one before are cut.
    pub fn lead_to(&self, server: &Path) {
        self.way.send_modify(|way| {
            way.server = server.to_owned();
            way.link = Link::Whole;
        });
    }
}

async fn run(listener: std::net::TcpListener, address: SocketAddr, mut way: watch::Receiver<Way>) {
    let mut listener = Some(TcpListener::from_std(listener).expect("a listener"));
    loop {
        let link = way.borrow_and_update().link;
        if link == Link::Refused {
            listener = None;
            if way.changed().await.is_err() {
                return;
            }
            continue;
        }
        let Some(open) = &listener else {
            listener = TcpListener::bind(address).await.ok();
            tokio::time::sleep(Duration::from_millis(AGAIN_MILLISECONDS)).await;
            continue;
        };
        tokio::select! {
            accepted = open.accept() => {
                if let Ok((client, _)) = accepted {
                    tokio::spawn(carry(client, way.clone()));
                }
            }
            changed = way.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}

/// Carries a connection's bytes in both directions until one of them ends, or the link does.
async fn carry(client: TcpStream, mut way: watch::Receiver<Way>) -> Option<()> {
    let server = way.borrow().server.clone();
    is_whole(&mut way, &server).await?;
    let (from_server, to_server) = UnixStream::connect(&server).await.ok()?.into_split();
    client.set_nodelay(true).ok()?;
    let (from_client, to_client) = client.into_split();
    let ways = (way.clone(), way.clone());
    tokio::select! {
        _ = way.wait_for(|way| way.link == Link::Refused || way.server != server) => {}
        _ = pump(from_client, to_server, ways.0, &server) => {}
        _ = pump(from_server, to_client, ways.1, &server) => {}
    }
    None
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut way: watch::Receiver<Way>,
    server: &Path,
) -> Option<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let size = from.read(&mut piece).await.ok()?;
        is_whole(&mut way, server).await?;
        if size == 0 {
            return None;
        }
        to.write_all(&piece[..size]).await.ok()?;
    }
}

/// Waits while the link is silent; nothing where it leads there no more.
async fn is_whole(way: &mut watch::Receiver<Way>, server: &Path) -> Option<()> {
    let way = way.wait_for(|way| way.link != Link::Silent).await.ok()?;
    (way.link == Link::Whole && way.server == server).then_some(())
}
