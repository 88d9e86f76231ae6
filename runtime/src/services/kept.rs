//! The Node's own state, written down and read back part by part.
//!
//! Law: one list of parts, which both directions go through; what a Node never made is not written,
//! and is made when it is read.

use std::{collections::BTreeMap, sync::Arc};

use super::Services;
use crate::{
    codec::{Kept, Loader, Saved, Saver, Unreadable},
    event::NodeIngressHandle,
};

/// Plain data as what can be filled.
struct Plain<'a, T>(&'a mut T);

impl<T: Saved> Kept for Plain<'_, T> {
    fn save(&self, out: &mut Saver) {
        self.0.save(out);
    }

    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable> {
        *self.0 = T::load(from)?;
        Ok(())
    }
}

/// What is done with each part, by its name.
pub(crate) type Visit<'v, E> = &'v mut dyn FnMut(&'static str, &mut dyn Kept) -> Result<(), E>;

impl Services {
    /// The same services as they were when the Node was installed, for another life.
    pub(crate) fn afresh(&self, handle: NodeIngressHandle) -> Self {
        let addresses = self.addresses_of(&self.peer).map(|known| known.address.clone()).collect();
        let mut services = Self::new(self.peer, addresses, handle, Arc::clone(&self.config));
        services.bus = self.bus.as_ref().map(|bus| Box::new(bus.afresh(self.config.bus_capacity)));
        services.bindings.clone_from(&self.bindings);
        services.memory = self.memory;
        (services.targets, services.entrances) =
            (Arc::clone(&self.targets), Arc::clone(&self.entrances));
        services
    }

    /// Makes what these parts are kept in.
    pub(crate) fn make_room_for<'n>(&mut self, parts: impl IntoIterator<Item = &'n str>) {
        for part in parts {
            match part {
                "metrics" => {
                    self.stores();
                }
                "address book" => {
                    self.peering();
                }
                "streams begun anew" => {
                    self.peering().anew = Some(BTreeMap::new());
                }
                "sessions" => {
                    self.asking();
                }
                _ => {}
            }
        }
    }

    /// Goes through all parts that there are.
    pub(crate) fn parts<E>(&mut self, visit: Visit<'_, E>) -> Result<(), E> {
        visit("chance", &mut Plain(&mut self.rng))?;
        visit("commands", &mut Plain(&mut self.commands))?;
        visit("own executions", &mut Plain(&mut self.inner_execs))?;
        visit("timers", &mut self.timers)?;
        visit("expiries", &mut Plain(&mut self.expiries))?;
        if let Some(stores) = &mut self.stores {
            visit("awaited answers", &mut Plain(&mut stores.awaited))?;
            visit("gates", &mut stores.gates)?;
            visit("holds", &mut stores.holds)?;
            visit("queues", &mut stores.queues)?;
            visit("records", &mut stores.records)?;
            visit("metrics", &mut stores.metrics)?;
            visit("gathers", &mut stores.gathers)?;
            visit("latches", &mut stores.latches)?;
            visit("component timers", &mut Plain(&mut stores.component_timers))?;
            visit("jobs", &mut Plain(&mut stores.jobs))?;
            if let Some(asking) = &mut stores.asking {
                visit("sessions", &mut **asking)?;
            }
        }
        if let Some(peering) = &mut self.peering {
            peering.parts(visit)?;
        }
        if let Some(bus) = &mut self.bus {
            visit("bus", &mut **bus)?;
        }
        Ok(())
    }
}

impl super::Peering {
    fn parts<E>(&mut self, visit: Visit<'_, E>) -> Result<(), E> {
        visit("peers", &mut self.table)?;
        visit("guests", &mut Plain(&mut self.guests))?;
        visit("address book", &mut self.book)?;
        visit("governor", &mut self.governor)?;
        visit("back-off", &mut self.backoff)?;
        visit("round trips", &mut self.rtt)?;
        visit("requests", &mut self.requests)?;
        visit("inbound streams", &mut self.dedup)?;
        visit("back-pressure", &mut self.pressure)?;
        visit("stream epoch", &mut Plain(&mut self.stream_epoch))?;
        visit("outbound streams", &mut Plain(&mut self.sent))?;
        if let Some(anew) = &mut self.anew {
            visit("streams begun anew", &mut Plain(anew))?;
        }
        visit("messages", &mut Plain(&mut self.messages))
    }
}
