//! Faults set in.
//!
//! Law: a fault that finds nothing to spoil does nothing.

use samsara_runtime::storage::Storage;

use super::{Broke, Run};
use crate::{
    fact::Fact,
    fault::{Fault, Injected},
};

impl Run<'_> {
    pub(super) fn inject(&mut self, injected: Injected) -> Result<(), Broke> {
        self.tell(Fact::Faulted(injected))?;
        let now = self.now;
        if injected.fault.is_of_links() {
            return self.disturb(injected.fault);
        }
        let Some(host) = self.hosts.get_mut(injected.host) else { return Ok(()) };
        match injected.fault {
            Fault::Crash { after, again, loss } => {
                (host.loss, host.again) = (loss, again);
                host.disk.set_fuse(Some(after));
                // Cut at once where it rests, as much as where it works.
                host.due = Some(host.due.map_or(now, |due| due.min(now)));
            }
            Fault::Full(time) => {
                host.disk.set_full(true);
                host.full_until = now.checked_add(time).unwrap_or(now);
            }
            Fault::FailedSync => host.disk.fail_syncs(1),
            Fault::Rot => host.rot(&mut self.rng),
            Fault::Fall { behind } => {
                let nodes = host.process.iter_mut().flat_map(|process| &mut process.nodes);
                let nodes: Vec<_> = nodes.collect();
                let chosen = self.rng.below(nodes.len() as u64);
                for (place, node) in (0..).zip(nodes) {
                    if place == chosen {
                        node.fragile = Some(behind);
                    }
                }
            }
            Fault::Pause(time) => {
                host.paused_until = now.checked_add(time).unwrap_or(now);
                host.due = host.due.map(|due| due.max(host.paused_until));
            }
            Fault::Slow(time) => host.slow_until = now.checked_add(time).unwrap_or(now),
            Fault::SecondOwner => {
                if host.process.is_some() {
                    let is_refused = host.disk.clone().lock().is_err();
                    return self.tell(Fact::SecondOwner { host: injected.host, is_refused });
                }
            }
            Fault::Part { .. }
            | Fault::OneWay { .. }
            | Fault::Delay { .. }
            | Fault::Spoil { .. }
            | Fault::Haunt(_) => {}
        }
        Ok(())
    }

    fn disturb(&mut self, fault: Fault) -> Result<(), Broke> {
        let (now, net, hosts) = (self.now, &mut self.net, &mut self.hosts);
        match fault {
            Fault::Part { pick, time } => net.part(pick, time, hosts, now),
            Fault::OneWay { pick, time } => net.cut_one_way(pick, time, now),
            Fault::Delay { pick, time } => net.delay(pick, time),
            Fault::Spoil { pick } => net.spoil(pick),
            Fault::Haunt(count) => net.haunt(count, now),
            Fault::Crash { .. }
            | Fault::Full(_)
            | Fault::FailedSync
            | Fault::Rot
            | Fault::Fall { .. }
            | Fault::Pause(_)
            | Fault::Slow(_)
            | Fault::SecondOwner => {}
        }
        self.tell_net()
    }
}
