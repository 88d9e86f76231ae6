//! Raising a Node: from its newest snapshot, or from nothing, to the end of its history, and its
//! life from there.
//!
//! Law: nothing is told before all has gone well. What has not gone well leaves what the Node can be
//! raised from another time.

use samsara_proto::PeerId;

use super::{
    Fallen, Ground, Journal, NotRaised, RaiseError, Resident, Word,
    past::{Past, recall},
};
use crate::{
    config::HostConfig,
    delivery::{Courier, Life, Station},
    node::Batch,
    planted::{self, Bug},
    recovery::{Durability, HostCycle, NodeSpec, Snapshots, StoreLife},
    step::EngineStep,
    time::Nanos,
};

/// How a Node is raised.
#[derive(Clone, Copy, Debug)]
pub struct Birth<'b> {
    /// The host that carries it.
    pub host: &'b PeerId,
    /// The life that begins, whose number is durable: see
    /// [`Store::begin_life`](super::Store::begin_life).
    pub life: StoreLife,
    /// The limits of the host.
    pub config: &'b HostConfig,
    /// The time.
    pub now: Nanos,
}

impl Resident {
    /// Raises a Node: the first time in this process, or from what has `fallen` in it.
    pub fn raise<G: Ground>(
        spec: &NodeSpec,
        birth: &Birth<'_>,
        ground: &mut G,
        fallen: Option<Fallen>,
    ) -> Result<Self, Box<NotRaised>> {
        let mut fallen = fallen.unwrap_or_default();
        match raise(spec, birth, ground, &mut fallen) {
            Ok(resident) => Ok(resident),
            Err(error) => Err(Box::new(NotRaised { error, fallen })),
        }
    }
}

fn raise<G: Ground>(
    spec: &NodeSpec,
    birth: &Birth<'_>,
    ground: &mut G,
    fallen: &mut Fallen,
) -> Result<Resident, RaiseError> {
    let station = station(spec, birth, fallen);
    let mut node = spec.install(birth.host)?;
    node.set_memory(station.memory);
    let (peer, journal) = (station.peer, ground.journal());
    let snapshots = Snapshots::of(journal.store(), &peer);
    if let Some(courier) = &mut fallen.courier {
        courier.begin_life(station.life);
    }
    if planted::is(Bug::LostMailbox) {
        fallen.mailbox = None;
    }
    let past = recall(spec, birth, station, &mut node, &snapshots, journal, fallen)?;
    node.begin_life(station.life.incarnation, fallen.mailbox.take()).map_err(RaiseError::Fenced)?;
    let new = || Courier::new(station, birth.config.delivery);
    let courier = fallen.courier.take().unwrap_or_else(new);
    past.tell(ground, &peer);
    let Past { replayed, older, carried, .. } = past;
    let (letters, last) = (replayed.letters.clone(), replayed.last);
    let mut cycle = HostCycle::resume(spec.outlives(), replayed);
    if let Some(older) = older {
        cycle.cadence().found_older(older);
    }
    Ok(Resident {
        spec: spec.clone(),
        peer,
        node,
        cycle,
        courier,
        letters,
        snapshots,
        slot: fallen.slot.take(),
        cursor: None,
        taken: None,
        batch: Batch::default(),
        steps: Vec::new(),
        carried,
        last,
    })
}

/// Epochs of one stream in one life: a peer that has forgotten has a stream begin anew within one,
/// and the streams of the next life are other ones still.
const EPOCHS_OF_A_LIFE: u64 = 1 << 20;

/// Whose courier it is, and for which of its lives. A Node that outlives nothing is another one to
/// its peers each time; others are the same as long as their process, or for good.
fn station(spec: &NodeSpec, birth: &Birth<'_>, fallen: &mut Fallen) -> Station {
    let StoreLife { incarnation, boot_nonce } = birth.life;
    if spec.outlives() == Durability::Volatile {
        fallen.courier = None;
    }
    let before = fallen.courier.as_ref().map(Courier::station);
    let memory = match spec.outlives() {
        Durability::Durable => 1,
        Durability::Volatile | Durability::Memory => {
            let first = incarnation.get().saturating_mul(EPOCHS_OF_A_LIFE);
            before.map_or(first, |before| before.memory)
        }
    };
    let boot_nonce = before.map_or(boot_nonce, |before| before.life.boot_nonce);
    Station {
        peer: spec.peer_id(birth.host),
        life: Life { incarnation, boot_nonce },
        memory,
        mailbox_bytes: spec.settings().ingress_byte_budget,
    }
}

impl Past {
    /// Tells what of the past the host has to know: outputs bear their old numbers, in order.
    fn tell(&self, ground: &mut impl Ground, node: &PeerId) {
        for file in &self.rotten {
            ground.hear(node, Word::Rotten { file });
        }
        if let Some(abort) = &self.given_up {
            ground.hear(node, Word::GaveUp { abort });
        }
        let offers = &self.replayed.offers;
        let first = self.open.first().map_or(u64::MAX, |(number, _)| *number);
        let before = offers.iter().take_while(|offer| offer.number < first);
        let before = before.map(|offer| (offer.number, &offer.step));
        // What the host has of the last turn is not for it any more.
        let open = self.open.iter().filter(|(number, step)| {
            *number > offers.taken()
                || !matches!(step, EngineStep::AppEvent { .. } | EngineStep::AppEmitted { .. })
        });
        for (number, step) in before.chain(open.map(|(number, step)| (*number, step))) {
            ground.hear(node, Word::Left { number, step, is_again: true });
        }
        ground.hear(node, Word::Raised { batch: self.batch, brought: &self.brought });
    }
}
