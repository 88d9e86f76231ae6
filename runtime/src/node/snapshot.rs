//! Taking a Node's state down between two turns, and setting a Node to it.
//!
//! Law: taking it changes nothing. Setting it validates everything first and then swaps, so that a
//! refused one leaves the Node as it was, running. What was not taken from the mailbox is not in
//! it: the mailbox outlives its Node.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::Arc,
};

use super::Node;
use crate::{
    codec::{Loader, Saved, Saver, Types, to_bytes},
    component::{AnyComponent, Slotted},
    exec::{Around, EXECUTIONS, Engine, Load},
    id::{ExecId, IdCounter, Incarnation},
    plan::SlotPlan,
    snapshot::{
        BLOCK, Block, NamedComponentSnapshot, NodeSnapshot, RestoreError, SnapshotError,
        SnapshotHeader,
    },
    time::LogicalClock,
};
use bytes::Bytes;

/// The ids that were given at the door, and whether the first events are still to come.
const ADMISSIONS: &str = "admissions";

impl Node {
    /// All that this Node is, between two turns. A component that was not called since the last
    /// snapshot is not serialised again.
    pub fn snapshot(&mut self) -> Result<NodeSnapshot, SnapshotError> {
        let components = self.written_components()?.into();
        let mut parts = BTreeMap::new();
        parts.insert(ADMISSIONS.to_owned(), to_bytes(&(self.admissions.clone(), self.is_starting)));
        let Ok(()) = self.services.parts(&mut |name, part| {
            let mut out = Saver::default();
            part.save(&mut out);
            parts.insert(name.to_owned(), out.into_bytes());
            Ok::<_, Infallible>(())
        });
        if let Some(engine) = &self.engine {
            engine.save_parts(&mut |name, save| {
                let mut out = Saver::default();
                save(&mut out);
                parts.insert(name.to_owned(), out.into_bytes());
            });
        }
        Ok(NodeSnapshot { header: self.header(), components, parts })
    }

    /// The components as they are now. A block that nobody was called in is the one before.
    fn written_components(&mut self) -> Result<Vec<Block>, SnapshotError> {
        let mut blocks = std::mem::take(&mut self.beside().written);
        let slots = self.program.plan().slots.chunks(BLOCK);
        for (at, (slots, held)) in slots.zip(self.components.chunks_mut(BLOCK)).enumerate() {
            let is_as_before = held.iter().flatten().all(|held| held.written.is_some());
            if is_as_before && at < blocks.len() {
                continue;
            }
            let held =
                slots.iter().zip(held).filter_map(|(slot, held)| Some((slot, held.as_mut()?)));
            let block: Result<Block, _> = held.map(|(slot, held)| write(slot, held)).collect();
            match blocks.get_mut(at) {
                Some(before) => *before = block?,
                None => blocks.push(block?),
            }
        }
        // A block keeps states that were changed since: few components are sooner looked at again.
        if blocks.len() > 1 {
            self.beside().written.clone_from(&blocks);
        }
        Ok(blocks)
    }

    fn header(&mut self) -> SnapshotHeader {
        let config = match self.beside().settings.clone() {
            Some(config) => config,
            None => {
                let config = Arc::new(self.config().settings().into_iter().collect());
                Arc::clone(self.beside().settings.insert(config))
            }
        };
        SnapshotHeader {
            peer: self.peer_id(),
            incarnation: self.incarnation,
            plan_hash: self.program.content_hash(),
            targets: self.target_names(),
            now: self.clock.last(),
            config,
        }
    }

    fn target_names(&self) -> Vec<String> {
        self.loaded_modules().map(str::to_owned).collect()
    }

    /// Sets the Node to a snapshot, in a life above both.
    pub fn restore(&mut self, snapshot: &NodeSnapshot) -> Result<(), RestoreError> {
        let last = self.incarnation.max(snapshot.header.incarnation);
        let next = last.next().ok_or(RestoreError::LivesExhausted { last })?;
        self.restore_as(snapshot, next)
    }

    /// Sets the Node to a snapshot, in this life: the host has made sure that it is the highest.
    pub fn restore_as(
        &mut self,
        snapshot: &NodeSnapshot,
        life: Incarnation,
    ) -> Result<(), RestoreError> {
        self.check_identity(&snapshot.header)?;
        let components = self.restored_components(snapshot)?;
        let types = Types {
            natives: Arc::new(self.program.registry().natives().clone()),
            ..Types::default()
        };
        let mut parts = Parts { parts: &snapshot.parts, used: BTreeSet::new(), types: &types };
        let (mut admissions, mut is_starting) = (IdCounter::<ExecId>::new(), false);
        parts.read(ADMISSIONS, &mut |from| {
            (admissions, is_starting) = Saved::load(from)?;
            Ok(())
        })?;

        let mut services = self.services.afresh(self.handle.for_life(life.get()));
        services.now = snapshot.header.now;
        services.make_room_for(snapshot.parts.keys().map(String::as_str));
        services.parts(&mut |name, part| parts.read(name, &mut |from| part.fill(from)))?;
        let mut engine = None;
        if snapshot.parts.contains_key(EXECUTIONS) {
            let mut charge = |bytes| self.handle.charge(bytes).ok();
            let mut around = Around { plan: self.program.plan(), charge: &mut charge };
            let read = Engine::load_parts(&mut |name, load| parts.read(name, load), &mut around)?;
            services.parked = read.parked_ops();
            engine = Some(Box::new(read));
        }
        parts.end()?;

        let reader = self.queue.open(life.get());
        self.reader = reader.map_err(|_| RestoreError::LifeTaken { wanted: life })?;
        self.incarnation = life;
        (self.is_beginning, self.is_starting) = (false, is_starting);
        self.components = components;
        let before = std::mem::replace(&mut self.services, services);
        self.open_doors(&before);
        self.reset_doors();
        self.engine = engine;
        // Ids that were given at the door since are never given again.
        self.admissions = IdCounter::resume(self.admissions.minted().max(admissions.minted()));
        self.clock = LogicalClock::resume(snapshot.header.now);
        if let Some(beside) = &mut self.beside {
            (beside.clearing, beside.held) = (None, None);
            beside.written.clear();
        }
        Ok(())
    }

    fn check_identity(&self, header: &SnapshotHeader) -> Result<(), RestoreError> {
        if header.peer != self.peer_id() {
            let (got, expected) = (Box::new(header.peer), Box::new(self.peer_id()));
            return Err(RestoreError::OtherNode { got, expected });
        }
        let (got, expected) = (header.plan_hash, self.program.content_hash());
        if got != expected {
            return Err(RestoreError::OtherPlan { got, expected });
        }
        let expected = self.target_names();
        if header.targets != expected {
            let got = header.targets.clone();
            return Err(RestoreError::OtherTargets { got, expected });
        }
        Ok(())
    }

    fn restored_components(
        &self,
        snapshot: &NodeSnapshot,
    ) -> Result<Box<[Option<Slotted>]>, RestoreError> {
        let made = || {
            let slots = self.program.plan().slots.iter().zip(&self.components);
            slots.filter_map(|(slot, made)| made.as_ref().map(|_| slot))
        };
        let wanted = made().map(|slot| (&*slot.name, slot.kind.type_name()));
        let given = snapshot.components.iter();
        let given = given.map(|component| (&*component.slot, &*component.type_name));
        if !wanted.clone().eq(given.clone()) {
            let name = |(slot, kind): (&str, &str)| format!("{slot}: {kind}");
            let (got, expected) = (given.map(name).collect(), wanted.map(name).collect());
            return Err(RestoreError::OtherComponents { got, expected });
        }
        let load = |(slot, given): (&SlotPlan, &Arc<NamedComponentSnapshot>)| {
            let component = slot.kind.load(&given.state_bytes).map_err(|source| {
                let (slot, type_name) = (given.slot.clone(), given.type_name.clone());
                RestoreError::ComponentRestoreFailed { slot, type_name, source }
            })?;
            let written = Some(Arc::clone(given));
            Ok(Slotted { component, written })
        };
        let restored: Result<Vec<_>, _> =
            made().zip(snapshot.components.iter()).map(load).collect();
        let mut restored = restored?.into_iter();
        // Those that were left out at install are left out again.
        let place = |made: &Option<Slotted>| made.as_ref().and_then(|_| restored.next());
        Ok(self.components.iter().map(place).collect())
    }
}

/// A component as it is now, written anew if it was called since.
fn write(
    slot: &SlotPlan,
    held: &mut Slotted,
) -> Result<Arc<NamedComponentSnapshot>, SnapshotError> {
    Ok(match &held.written {
        Some(written) => Arc::clone(written),
        None => Arc::clone(held.written.insert(written(slot, &*held.component)?)),
    })
}

fn written(
    slot: &SlotPlan,
    component: &dyn AnyComponent,
) -> Result<Arc<NamedComponentSnapshot>, SnapshotError> {
    let (slot, type_name) = (slot.name.as_ref().to_owned(), slot.kind.type_name());
    match component.state() {
        Ok(state) => Ok(Arc::new(NamedComponentSnapshot {
            slot,
            type_name: type_name.to_owned(),
            state_bytes: state.into(),
        })),
        Err(reason) => Err(SnapshotError::ComponentUnwritable { slot, type_name, reason }),
    }
}

/// The parts of a snapshot, each of which must be read once.
struct Parts<'a> {
    parts: &'a BTreeMap<String, Bytes>,
    used: BTreeSet<&'static str>,
    types: &'a Types,
}

impl Parts<'_> {
    fn read(&mut self, part: &'static str, load: Load<'_>) -> Result<(), RestoreError> {
        let named = || part.to_owned();
        let missing = RestoreError::MissingPart { part: named() };
        let mut from = Loader::new(self.parts.get(part).ok_or(missing)?, self.types);
        self.used.insert(part);
        load(&mut from)
            .and_then(|()| from.end())
            .map_err(|source| RestoreError::BadPart { part: named(), source })
    }

    fn end(self) -> Result<(), RestoreError> {
        match self.parts.keys().find(|part| !self.used.contains(part.as_str())) {
            Some(part) => Err(RestoreError::UnknownPart { part: part.clone() }),
            None => Ok(()),
        }
    }
}
