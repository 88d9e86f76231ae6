//! What a link and a listener may hold.
//!
//! Law: every queue has an end, and every wait has one.

use std::time::Duration;

use samsara_proto::EnvelopeCaps;

/// The limits of a link.
#[derive(Clone, Debug)]
pub struct LinkLimits {
    /// Frames that wait to be written. More than a burst of small ones only adds delay.
    pub queue_frames: usize,
    /// Bytes that wait to be written, the longest frame at least.
    pub queue_bytes: u64,
    /// Bytes that small frames are gathered to for one write: what a socket takes at a time.
    pub write_bytes: usize,
    /// How long nothing may arrive. A host that has nothing to say says so more often than this.
    pub silence: Duration,
    /// How long a dial may take, from the first packet to the last of the handshake.
    pub handshake: Duration,
    /// What a frame may hold: read before anything is allocated for it.
    pub caps: EnvelopeCaps,
}

impl Default for LinkLimits {
    fn default() -> Self {
        Self {
            queue_frames: 4_096,
            queue_bytes: 32 << 20,
            write_bytes: 64 << 10,
            silence: Duration::from_secs(60),
            handshake: Duration::from_secs(3),
            caps: EnvelopeCaps::default(),
        }
    }
}

/// The limits of those who listen.
#[derive(Clone, Copy, Debug)]
pub struct ListenLimits {
    /// Connections whose handshake is not through. The oldest makes room for a new one, so that who
    /// opens many and says nothing keeps nobody out.
    pub half_open: usize,
    /// How long a handshake may take.
    pub handshake: Duration,
    /// Connections of one IP address.
    pub per_ip: u32,
    /// Links of one peer: control and bulk, and what is left of earlier ones.
    pub per_peer: u32,
    /// Links that wait to be taken by the host.
    pub backlog: usize,
}

impl Default for ListenLimits {
    fn default() -> Self {
        Self {
            half_open: 64,
            handshake: Duration::from_secs(3),
            per_ip: 32,
            per_peer: 8,
            backlog: 64,
        }
    }
}
