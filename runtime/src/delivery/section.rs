//! What a courier leaves behind for the next process, beside the snapshot of its Node.
//!
//! Law: what was said and is not durable elsewhere, what was acknowledged, and who is fenced: no
//! more, since links and best effort end with the process. Whatever is read from here may have been
//! sent.

use bytes::Bytes;
use samsara_proto::{PeerId, WireEnvelope};

use super::{
    Courier, Station,
    correspondent::Correspondent,
    inbox::Inbox,
    life::Fence,
    outbox::{Entry, Outbox, Phase},
    word::cost,
};
use crate::{
    codec::{Kept, Loader, Saved, Saver, Types, Unreadable},
    config::DeliveryConfig,
};

impl Courier {
    /// The bytes from which [`restore`](Self::restore) goes on, to be kept with a snapshot of the
    /// Node that was taken at the same moment.
    pub fn section(&self) -> Bytes {
        let mut out = Saver::default();
        self.save(&mut out);
        out.into_bytes()
    }

    /// The courier that goes on from a section. What it kept is sent as redelivered, and likewise
    /// what the Node's replay then [offers again](Self::offer_again) in addition.
    ///
    /// For each batch of that replay the host tells it what is [durable](Self::synced), and offers
    /// again all that the batch says, whether it [has
    /// left](crate::recovery::Heard::Gave) or not; then it [verifies](Self::verify). What is already
    /// kept or acknowledged is known by its number and is not kept twice.
    pub fn restore(
        station: Station,
        config: DeliveryConfig,
        section: &Bytes,
    ) -> Result<Self, Unreadable> {
        let mut courier = Self::new(station, config);
        let types = Types::default();
        let mut from = Loader::new(section, &types);
        courier.fill(&mut from)?;
        from.end()?;
        Ok(courier)
    }
}

impl Kept for Courier {
    fn save(&self, out: &mut Saver) {
        let kept = self.peers.iter().filter(|(_, known)| known.is_kept());
        (kept.clone().count() as u64).save(out);
        for (peer, known) in kept {
            peer.save(out);
            known.save(out);
        }
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        let what = "peers of a courier";
        let count = few(from, what, self.config.max_peers)?;
        self.peers.clear();
        self.bytes = 0;
        for _ in 0..count {
            let peer = PeerId::load(from)?;
            rises(what, self.peers.last_key_value().map(|(last, _)| last), &peer)?;
            let mut known = Correspondent::new(&self.config);
            known.fill(from, &self.config)?;
            let bytes = known.outboxes.values().map(|outbox| outbox.bytes);
            self.bytes = bytes.fold(self.bytes, u64::saturating_add);
            self.peers.insert(peer, known);
        }
        self.stirred = self.peers.keys().copied().collect();
        self.is_restored = true;
        Ok(())
    }
}

impl Correspondent {
    fn is_kept(&self) -> bool {
        self.fence != Fence::Open || !(self.outboxes.is_empty() && self.inboxes.is_empty())
    }
}

impl Correspondent {
    fn save(&self, out: &mut Saver) {
        self.fence.save(out);
        self.memory.save(out);
        (self.outboxes.len() as u64).save(out);
        for (stream, outbox) in &self.outboxes {
            stream.save(out);
            save_outbox(outbox, out);
        }
        (self.inboxes.len() as u64).save(out);
        for (stream, inbox) in &self.inboxes {
            (*stream, inbox.epoch, inbox.durable).save(out);
        }
    }

    fn fill(&mut self, from: &mut Loader<'_>, config: &DeliveryConfig) -> Result<(), Unreadable> {
        (self.fence, self.memory) = Saved::load(from)?;
        let what = "outbound streams of a peer";
        for _ in 0..few(from, what, config.max_streams_per_peer)? {
            let stream = u64::load(from)?;
            rises(what, self.outboxes.last_key_value().map(|(last, _)| last), &stream)?;
            self.outboxes.insert(stream, load_outbox(stream, from)?);
        }
        let what = "inbound streams of a peer";
        for _ in 0..few(from, what, config.max_streams_per_peer)? {
            let (stream, epoch, durable) = Saved::load(from)?;
            rises(what, self.inboxes.last_key_value().map(|(last, _)| last), &stream)?;
            self.inboxes.insert(stream, Inbox::resumed(epoch, durable));
        }
        Ok(())
    }
}

fn save_outbox(outbox: &Outbox, out: &mut Saver) {
    (outbox.epoch, outbox.acked, outbox.phase == Phase::Ended).save(out);
    (outbox.entries.len() as u64).save(out);
    for entry in &outbox.entries {
        entry.offered_at.save(out);
        entry.envelope.save(out);
    }
}

fn load_outbox(stream: u64, from: &mut Loader<'_>) -> Result<Outbox, Unreadable> {
    let (epoch, acked, is_ended) = Saved::load(from)?;
    let mut outbox = Outbox::new(epoch);
    outbox.acked = acked;
    if is_ended {
        outbox.phase = Phase::Ended;
    }
    for _ in 0..from.length("entries of a stream")? {
        let offered_at = Saved::load(from)?;
        let envelope = WireEnvelope::load(from)?;
        let wanted = (stream, epoch, outbox.last().checked_add(1));
        if (envelope.stream, envelope.stream_epoch, Some(envelope.seq)) != wanted {
            return Err(Unreadable::invalid("envelope", "it has no place here"));
        }
        outbox.keep(Entry { cost: cost(&envelope), envelope, offered_at, was_sent: true });
    }
    Ok(outbox)
}

/// How many follow, which are no more than there may be.
fn few(from: &mut Loader<'_>, what: &'static str, cap: u32) -> Result<usize, Unreadable> {
    let count = from.length(what)?;
    if count > cap as usize {
        return Err(Unreadable::invalid(what, format!("{count} of them, the cap is {cap}")));
    }
    Ok(count)
}

fn rises<K: Ord>(what: &'static str, last: Option<&K>, next: &K) -> Result<(), Unreadable> {
    match last {
        Some(last) if last >= next => Err(Unreadable::invalid(what, "their keys do not rise")),
        _ => Ok(()),
    }
}
