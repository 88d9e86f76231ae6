//! Links over TCP with TLS 1.3, proved by raw public keys.
//!
//! Law: nothing is sent in the clear, and nobody speaks for a key that is not theirs. There are no
//! certificates, no tickets and no early data: each link proves both ends anew.

mod accept;
mod prove;
mod seats;
mod write;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use rustls::{AlertDescription, Error as TlsError, pki_types::ServerName};
use samsara_proto::{Address, PeerId, Protocol};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, split},
    net::{TcpListener, TcpStream, lookup_host},
    sync::mpsc,
    time,
};
use tokio_rustls::TlsConnector;

pub use self::accept::ListenCounts;

use crate::{
    Later, Listener, Transport,
    closed::Ending,
    error::{DialError, ListenError},
    gate::Gate,
    identity::Identity,
    limits::{LinkLimits, ListenLimits},
    link::{Class, Link},
    receive::LinkReceiver,
    send::LinkSender,
};

const LIKE: &str = "/ip4/192.0.2.1/tcp/4001/tls";
/// The first byte of the side that listens: its peer is let in.
const WELCOME: u8 = 1;

/// TCP with TLS 1.3 and raw public keys.
///
/// ```
/// use samsara_proto::{EnvelopeCodec, wire::{SCHEMA, WireEnvelope}};
/// use samsara_transport::{Class, DialError, Gate, Identity, Tcp, Transport};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let ada = Tcp::new(Identity::generate()?);
/// let bob = Tcp::new(Identity::generate()?);
/// let at = "/ip4/127.0.0.1/tcp/0/tls".parse()?;
/// let mut listener = bob.listen(&at, Gate::only([ada.peer()])).await?;
///
/// let link = ada.dial(listener.address(), &bob.peer(), Class::Control).await?;
/// assert_eq!(listener.next().await.map(|link| link.peer()), Some(ada.peer()));
///
/// // Who is not on the list is told so, and who is not whom one wants is told nothing.
/// let eve = Tcp::new(Identity::generate()?);
/// let refused = eve.dial(listener.address(), &bob.peer(), Class::Control).await;
/// assert!(matches!(refused, Err(DialError::Denied { .. })));
/// let other = ada.dial(listener.address(), &eve.peer(), Class::Control).await;
/// assert!(matches!(other, Err(DialError::WrongPeer { found, .. }) if found == bob.peer()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tcp {
    identity: Identity,
    link: LinkLimits,
    listen: ListenLimits,
    counts: ListenCounts,
}

impl Tcp {
    /// Speaks as this identity.
    pub fn new(identity: Identity) -> Self {
        let (link, listen) = (LinkLimits::default(), ListenLimits::default());
        Self { identity, link, listen, counts: ListenCounts::default() }
    }

    /// With these limits of its links.
    #[must_use]
    pub fn links(mut self, limits: LinkLimits) -> Self {
        self.link = limits;
        self
    }

    /// With these limits where it listens.
    #[must_use]
    pub fn listening(mut self, limits: ListenLimits) -> Self {
        self.listen = limits;
        self
    }

    /// What became of those who knocked.
    pub fn counts(&self) -> &ListenCounts {
        &self.counts
    }

    async fn open(&self, at: &Address, gate: Gate) -> Result<Listener, ListenError> {
        let Some(endpoint) = Endpoint::of(at) else {
            return Err(ListenError::Foreign { address: at.clone(), like: LIKE });
        };
        let refused = |error: &dyn std::fmt::Display| ListenError::Refused {
            address: at.clone(),
            detail: error.to_string(),
        };
        let sockets = endpoint.resolve().await.map_err(|error| refused(&error))?;
        let socket = TcpListener::bind(&sockets[..]).await.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => ListenError::Taken { address: at.clone() },
            _ => refused(&error),
        })?;
        let local = socket.local_addr().map_err(|error| refused(&error))?;
        let address = address_of(local).ok_or_else(|| refused(&"its address cannot be told"))?;
        let config = prove::server(&self.identity, gate).map_err(|error| refused(&error))?;
        let (sender, links) = mpsc::channel(self.listen.backlog.max(1));
        let door = accept::Door::new(self, Arc::new(config), sender);
        let task = tokio::spawn(door.run(socket));
        Ok(Listener::new(address, links, move || task.abort()))
    }

    async fn reach(&self, to: &Address, expect: &PeerId, class: Class) -> Result<Link, DialError> {
        let waited = self.link.handshake;
        match time::timeout(waited, self.connect(to, expect, class)).await {
            Ok(reached) => reached,
            Err(_) => Err(DialError::TimedOut { address: to.clone(), waited }),
        }
    }

    async fn connect(
        &self,
        to: &Address,
        expect: &PeerId,
        class: Class,
    ) -> Result<Link, DialError> {
        let Some(endpoint) = Endpoint::of(to) else {
            return Err(DialError::Foreign { address: to.clone(), like: LIKE });
        };
        let unreachable = |error: io::Error| DialError::Unreachable {
            address: to.clone(),
            detail: error.to_string(),
        };
        let sockets = endpoint.resolve().await.map_err(unreachable)?;
        let socket = TcpStream::connect(&sockets[..]).await.map_err(unreachable)?;
        let ip = socket.peer_addr().map_err(unreachable)?.ip();
        socket.set_nodelay(true).map_err(unreachable)?;
        self.prove(socket, ip, to, expect, class).await
    }

    /// Proves both ends over a stream that is there.
    async fn prove(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        ip: IpAddr,
        to: &Address,
        expect: &PeerId,
        class: Class,
    ) -> Result<Link, DialError> {
        let failed = |error: &dyn std::fmt::Display| DialError::Handshake {
            address: to.clone(),
            detail: error.to_string(),
        };
        let (config, found) =
            prove::client(&self.identity, *expect, class).map_err(|error| failed(&error))?;
        let refused = |error: io::Error| match (found.peer(), alert(&error)) {
            (Some(found), _) if found != *expect => {
                DialError::WrongPeer { address: to.clone(), wanted: *expect, found }
            }
            (_, Some(AlertDescription::AccessDenied)) => {
                DialError::Denied { address: to.clone(), peer: *expect }
            }
            _ => failed(&error),
        };
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(ServerName::from(ip), stream).await.map_err(refused)?;
        // Only with this byte is it known that the other side took this one in.
        let welcome = stream.read_u8().await.map_err(refused)?;
        if welcome != WELCOME {
            return Err(failed(&"the first byte is no welcome"));
        }
        link(stream, *expect, class, &self.link).map_err(|closed| failed(&closed))
    }
}

/// What the other side said before it hung up.
fn alert(error: &io::Error) -> Option<AlertDescription> {
    match error.get_ref()?.downcast_ref::<TlsError>()? {
        TlsError::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}

/// A link over a stream whose other end is proved.
fn link(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    peer: PeerId,
    class: Class,
    limits: &LinkLimits,
) -> Result<Link, crate::Closed> {
    let ending = Ending::default();
    let (sender, queue) = LinkSender::new(limits, ending.clone())?;
    let (reading, writing) = split(stream);
    let receiver =
        LinkReceiver::from_bytes(reading, limits, ending.clone(), vec![sender.outgoing()]);
    let writer = write::Writer::new(writing, queue, sender.outgoing(), ending.clone(), limits);
    tokio::spawn(writer.run());
    Ok(Link::new(peer, class, ending, sender, receiver))
}

/// What of an address says where to connect.
enum Endpoint<'a> {
    Socket(SocketAddr),
    Name { name: &'a str, port: u16, family: Family },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Any,
    V4,
    V6,
}

impl<'a> Endpoint<'a> {
    /// Of an address like `/ip4/192.0.2.1/tcp/4001/tls`, which may go on with `/p2p/…`.
    fn of(address: &'a Address) -> Option<Self> {
        let mut parts = address.protocols();
        let (host, port) = (parts.next()?, parts.next()?);
        let Protocol::Tcp(port) = port else { return None };
        let (Some(Protocol::Tls), None | Some(Protocol::P2p(_)), None) =
            (parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let name = |name, family| Some(Self::Name { name, port, family });
        match host {
            Protocol::Ip4(ip) => Some(Self::Socket((ip, port).into())),
            Protocol::Ip6(ip) => Some(Self::Socket((ip, port).into())),
            Protocol::Dns(text) => name(text, Family::Any),
            Protocol::Dns4(text) => name(text, Family::V4),
            Protocol::Dns6(text) => name(text, Family::V6),
            _ => None,
        }
    }

    async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let (name, port, family) = match self {
            Self::Socket(socket) => return Ok(vec![*socket]),
            Self::Name { name, port, family } => (*name, *port, *family),
        };
        let fits = |socket: &SocketAddr| match family {
            Family::Any => true,
            Family::V4 => socket.is_ipv4(),
            Family::V6 => socket.is_ipv6(),
        };
        let sockets: Vec<_> = lookup_host((name, port)).await?.filter(fits).collect();
        if sockets.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no such address"));
        }
        Ok(sockets)
    }
}

fn address_of(socket: SocketAddr) -> Option<Address> {
    let host = match socket.ip() {
        IpAddr::V4(ip) => Protocol::Ip4(ip),
        IpAddr::V6(ip) => Protocol::Ip6(ip),
    };
    Address::from_protocols([host, Protocol::Tcp(socket.port()), Protocol::Tls]).ok()
}

impl Transport for Tcp {
    fn peer(&self) -> PeerId {
        self.identity.peer()
    }

    fn speaks(&self, address: &Address) -> bool {
        Endpoint::of(address).is_some()
    }

    fn listen<'a>(
        &'a self,
        at: &'a Address,
        gate: Gate,
    ) -> Later<'a, Result<Listener, ListenError>> {
        Box::pin(self.open(at, gate))
    }

    fn dial<'a>(
        &'a self,
        to: &'a Address,
        expect: &'a PeerId,
        class: Class,
    ) -> Later<'a, Result<Link, DialError>> {
        Box::pin(self.reach(to, expect, class))
    }
}
