//! Where connections arrive.
//!
//! Law: who has not proved anything yet costs little and keeps nobody out: of many that are half
//! open the oldest goes first. Whatever the machine says of one connection, the next one is taken.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rustls::ServerConfig;
use samsara_proto::PeerId;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::AbortHandle,
    time,
};
use tokio_rustls::TlsAcceptor;

use super::{
    Tcp, WELCOME, link,
    prove::{class_of, peer_of},
    seats::{Seat, Seats},
};
use crate::{
    limits::{LinkLimits, ListenLimits},
    link::Link,
};

/// How long nobody is taken after the machine had no room for one: its files may be used up.
const PAUSE: Duration = Duration::from_millis(50);

/// What became of those who knocked.
#[derive(Clone, Debug, Default)]
pub struct ListenCounts(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    admitted: AtomicU64,
    crowded: AtomicU64,
    unproved: AtomicU64,
    late: AtomicU64,
    failed: AtomicU64,
}

impl ListenCounts {
    /// Those who are, or were, linked.
    pub fn admitted(&self) -> u64 {
        self.0.admitted.load(Ordering::Relaxed)
    }

    /// Those who had as many connections as they may, or made room for newer ones.
    pub fn crowded(&self) -> u64 {
        self.0.crowded.load(Ordering::Relaxed)
    }

    /// Those who did not prove to be somebody who is let in.
    pub fn unproved(&self) -> u64 {
        self.0.unproved.load(Ordering::Relaxed)
    }

    /// Those whose handshake took too long.
    pub fn late(&self) -> u64 {
        self.0.late.load(Ordering::Relaxed)
    }

    /// Those whom the machine could not take.
    pub fn failed(&self) -> u64 {
        self.0.failed.load(Ordering::Relaxed)
    }
}

/// Each count stands for itself: nothing is read from one about another.
fn count(of: &AtomicU64) {
    of.fetch_add(1, Ordering::Relaxed);
}

/// One listening socket.
pub(super) struct Door {
    shared: Arc<Shared>,
}

struct Shared {
    config: TlsAcceptor,
    link: LinkLimits,
    listen: ListenLimits,
    counts: ListenCounts,
    links: mpsc::Sender<Link>,
    ips: Seats<IpAddr>,
    peers: Seats<PeerId>,
    half_open: Mutex<HalfOpen>,
}

#[derive(Default)]
struct HalfOpen {
    next: u64,
    order: VecDeque<(u64, AbortHandle)>,
}

impl Drop for HalfOpen {
    fn drop(&mut self) {
        for (_, task) in &self.order {
            task.abort();
        }
    }
}

impl Door {
    pub(super) fn new(tcp: &Tcp, config: Arc<ServerConfig>, links: mpsc::Sender<Link>) -> Self {
        let shared = Shared {
            config: TlsAcceptor::from(config),
            link: tcp.link.clone(),
            listen: tcp.listen,
            counts: tcp.counts.clone(),
            links,
            ips: Seats::default(),
            peers: Seats::default(),
            half_open: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Takes connections until it is aborted.
    pub(super) async fn run(self, socket: TcpListener) {
        loop {
            match socket.accept().await {
                Ok((stream, from)) => self.take(stream, from),
                Err(_) => {
                    count(&self.shared.counts.0.failed);
                    time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, from: SocketAddr) {
        let shared = Arc::clone(&self.shared);
        let Some(of_ip) = shared.ips.take(from.ip(), shared.listen.per_ip) else {
            count(&shared.counts.0.crowded);
            return;
        };
        let mut half_open = self.shared.half_open.lock().unwrap_or_else(PoisonError::into_inner);
        while half_open.order.len() >= shared.listen.half_open.max(1) {
            if let Some((_, oldest)) = half_open.order.pop_front() {
                oldest.abort();
                count(&shared.counts.0.crowded);
            }
        }
        let id = half_open.next;
        half_open.next = id.wrapping_add(1);
        let task = tokio::spawn(async move {
            let limit = shared.listen.handshake;
            let proved = time::timeout(limit, shared.prove(stream)).await;
            shared.done(id);
            match proved {
                Ok(Some((link, of_peer))) => {
                    link.keep((of_ip, of_peer));
                    // Without a listener any more, the link ends here.
                    if shared.links.send(link).await.is_ok() {
                        count(&shared.counts.0.admitted);
                    }
                }
                Ok(None) => {}
                Err(_) => count(&shared.counts.0.late),
            }
        });
        half_open.order.push_back((id, task.abort_handle()));
    }
}

impl Shared {
    fn done(&self, id: u64) {
        let mut half_open = self.half_open.lock().unwrap_or_else(PoisonError::into_inner);
        half_open.order.retain(|(other, _)| *other != id);
    }

    /// The link of a stream, if who is there is let in.
    async fn prove(&self, stream: TcpStream) -> Option<(Link, Seat<PeerId>)> {
        let unproved = || count(&self.counts.0.unproved);
        stream.set_nodelay(true).ok()?;
        let Ok(mut stream) = self.config.accept(stream).await else {
            unproved();
            return None;
        };
        let (_, session) = stream.get_ref();
        let shown = session.peer_certificates().and_then(|shown| shown.first());
        let peer = shown.and_then(|shown| peer_of(shown));
        let class = session.alpn_protocol().and_then(class_of);
        let (Some(peer), Some(class)) = (peer, class) else {
            unproved();
            return None;
        };
        let Some(seat) = self.peers.take(peer, self.listen.per_peer) else {
            count(&self.counts.0.crowded);
            return None;
        };
        stream.write_u8(WELCOME).await.ok()?;
        stream.flush().await.ok()?;
        let link = link(stream, peer, class, &self.link).ok()?;
        Some((link, seat))
    }
}
