//! A way between two hosts that is as bad as its seed has it.
//!
//! Law: it alters what passes as no honest network would have to: it delays, narrows, cuts, falls
//! silent one way, and flips bits. With its faults off it passes everything.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use samsara_proto::Address;
use samsara_runtime::rng::Rng;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

#[derive(Clone)]
pub(crate) struct Proxy(Arc<Shared>);

struct Shared {
    at: SocketAddr,
    target: Mutex<Option<SocketAddr>>,
    has_faults: AtomicBool,
    rng: Mutex<Rng>,
    faults: [AtomicU64; 4],
}

/// What befalls a chunk of bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Cut,
    Silence,
    Flip,
    Slow(Duration),
}

impl Proxy {
    pub(crate) async fn start(seed: u64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let proxy = Self(Arc::new(Shared {
            at: listener.local_addr().expect("it is bound"),
            target: Mutex::default(),
            has_faults: AtomicBool::new(true),
            rng: Mutex::new(Rng::from_seed(seed)),
            faults: Default::default(),
        }));
        let taking = proxy.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let target = *taking.0.target.lock().expect("nobody panics with it");
                let Some(target) = target else { continue };
                let Ok(far) = TcpStream::connect(target).await else { continue };
                taking.join(near, far);
            }
        });
        proxy
    }

    /// Where it is reached.
    pub(crate) fn address(&self) -> String {
        format!("/ip4/{}/tcp/{}/tls", self.0.at.ip(), self.0.at.port())
    }

    /// Where it leads from now on.
    pub(crate) fn lead_to(&self, address: &Address) {
        let text = address.to_string();
        let mut parts = text.split('/').skip(2).step_by(2);
        let (ip, port) = (parts.next().expect("an ip"), parts.next().expect("a port"));
        let target = format!("{ip}:{port}").parse().expect("a socket");
        *self.0.target.lock().expect("nobody panics with it") = Some(target);
    }

    /// From now on it passes everything.
    pub(crate) fn behave(&self) {
        self.0.has_faults.store(false, Ordering::Relaxed);
    }

    /// How often it has cut, fallen silent, flipped a bit and slowed down.
    pub(crate) fn faults(&self) -> [u64; 4] {
        self.0.faults.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    fn join(&self, near: TcpStream, far: TcpStream) {
        let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
        tokio::spawn(self.clone().pass(from_near, to_far));
        tokio::spawn(self.clone().pass(from_far, to_near));
    }

    fn draw(&self) -> Fault {
        if !self.0.has_faults.load(Ordering::Relaxed) {
            return Fault::None;
        }
        let mut rng = self.0.rng.lock().expect("nobody panics with it");
        let (fault, of) = match rng.below(1_000) {
            0..3 => (Fault::Cut, 0),
            3 => (Fault::Silence, 1),
            4..6 => (Fault::Flip, 2),
            6..300 => (Fault::Slow(Duration::from_micros(rng.below(4_000))), 3),
            _ => return Fault::None,
        };
        self.0.faults[of].fetch_add(1, Ordering::Relaxed);
        fault
    }

    async fn pass(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut chunk = vec![0; 4 << 10];
        let mut is_silent = false;
        loop {
            let Ok(len @ 1..) = from.read(&mut chunk).await else { return };
            match self.draw() {
                Fault::None => {}
                Fault::Cut => return,
                Fault::Silence => is_silent = true,
                Fault::Flip => chunk[len / 2] ^= 1,
                Fault::Slow(pause) => tokio::time::sleep(pause).await,
            }
            if !is_silent && to.write_all(&chunk[..len]).await.is_err() {
                return;
            }
        }
    }
}
