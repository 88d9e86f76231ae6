//! A host of one Node on one thread, around the shipped driver: it can end anywhere.

use std::collections::BTreeMap;

use samsara_proto::PeerId;
use samsara_runtime::{
    config::{HostConfig, JournalConfig, PoisonConfig},
    event::IngressEvent,
    hosting::{
        Birth, Did, Fallen, Ground, Halt, RaiseError, Resident, Store, StoreFault, Word, throw_away,
    },
    id::Incarnation,
    node::{Node, Wakeup},
    recovery::{Act, DeadLetter, DeadLetters, LetterId, Log, NodeSpec, ReplayError, StoreLife},
    rng::Rng,
    step::EngineStep,
    storage::PowerLoss,
    time::Nanos,
    value::Value,
};
use samsara_sim::{Cut, Disk};

use super::tally::Tally;

/// Why a host is no more.
#[derive(Debug)]
pub(super) enum End {
    /// Its process was cut.
    Cut,
    /// Its Node fell, and it with it.
    Fell,
    /// Its Node falls, and what it falls over cannot be given up.
    Stuck,
    /// Its history is not one.
    Replay(ReplayError),
}

impl From<Cut> for End {
    fn from(_: Cut) -> Self {
        Self::Cut
    }
}

impl From<StoreFault> for End {
    /// In these tests a disk fails only where the process is cut.
    fn from(_: StoreFault) -> Self {
        Self::Cut
    }
}

impl From<Halt> for End {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Fell { .. } => Self::Fell,
            Halt::Store(fault) => fault.into(),
            other => panic!("{other}"),
        }
    }
}

impl From<RaiseError> for End {
    fn from(error: RaiseError) -> Self {
        match error {
            RaiseError::Fell { .. } => Self::Fell,
            RaiseError::NoRoomForLetters(_) => Self::Stuck,
            RaiseError::Store(fault) => fault.into(),
            RaiseError::Replay(error) => Self::Replay(error),
            other => panic!("{other}"),
        }
    }
}

/// What is outside of the process.
#[derive(Debug)]
pub(super) struct World {
    pub(super) disk: Disk,
    pub(super) spec: NodeSpec,
    pub(super) now: Nanos,
    /// Numbers that the host was told are kept.
    pub(super) acked: Vec<u64>,
    /// What left the Node, by its number.
    pub(super) released: BTreeMap<u64, EngineStep>,
    pub(super) lives: Vec<Incarnation>,
    /// Whether the consumer says what it has.
    pub(super) takes: bool,
    pub(super) poison: PoisonConfig,
    /// Seeds one generator a process.
    seed: u64,
}

impl World {
    pub(super) fn new(spec: NodeSpec) -> Self {
        let (disk, now) = (Disk::default(), Nanos::ZERO);
        let (acked, released, lives) = (Vec::new(), BTreeMap::new(), Vec::new());
        let poison = PoisonConfig::default();
        Self { disk, spec, now, acked, released, lives, takes: true, poison, seed: 0 }
    }

    pub(super) fn peer(&self) -> PeerId {
        self.spec.peer_id(&host())
    }

    /// An output reaches the world, if its process does not end there. One that comes again is the
    /// one that came before.
    fn release(&mut self, number: u64, step: &EngineStep) {
        if self.disk.point().is_err() {
            return;
        }
        let known = self.released.entry(number).or_insert_with(|| step.clone());
        assert_eq!(known, step, "two outputs of number {number}");
    }

    fn config(&self) -> HostConfig {
        HostConfig { journal: journal(), poison: self.poison, ..HostConfig::default() }
    }

    fn open(&mut self) -> Result<(Store<Disk>, StoreLife), End> {
        self.seed += 1;
        let mut rng = Rng::from_seed(self.seed);
        let (mut store, _) = Store::open(self.disk.clone(), journal(), &mut rng)?;
        let life = self.begin_life(&mut store, &mut rng)?;
        Ok((store, life))
    }

    fn begin_life(&mut self, store: &mut Store<Disk>, rng: &mut Rng) -> Result<StoreLife, End> {
        let life = store.begin_life(rng)?;
        let is_new = self.lives.last().is_none_or(|last| *last < life.incarnation);
        assert!(is_new, "a life is given twice");
        self.lives.push(life.incarnation);
        Ok(life)
    }
}

fn host() -> PeerId {
    PeerId::from(7)
}

pub(super) fn journal() -> JournalConfig {
    JournalConfig { segment_bytes: 4_096, max_record_bytes: 2_048, ..JournalConfig::edge() }
}

/// What the Node stands on for one act.
struct Outside<'w> {
    store: &'w mut Store<Disk>,
    world: &'w mut World,
}

impl Ground for Outside<'_> {
    type Journal = Store<Disk>;

    fn journal(&mut self) -> &mut Self::Journal {
        self.store
    }

    fn hear(&mut self, _: &PeerId, word: Word<'_>) {
        if self.world.disk.is_cut() {
            return;
        }
        match word {
            Word::Acked { events, .. } => {
                self.world.acked.extend(events.iter().filter_map(|it| number(&it.event)));
            }
            Word::Left { number, step, .. } => self.world.release(number, step),
            _ => {}
        }
    }
}

pub(super) struct Host {
    resident: Resident,
    store: Store<Disk>,
}

impl Host {
    /// A new process on what the last one left.
    pub(super) fn boot(world: &mut World) -> Result<Self, End> {
        let (store, life) = world.open()?;
        Self::raise(world, store, life, None)
    }

    /// A new life of a Node that fell in this process.
    pub(super) fn rise(self, world: &mut World) -> Result<Self, End> {
        let Self { resident, mut store } = self;
        let life = world.begin_life(&mut store, &mut Rng::from_seed(u64::MAX))?;
        Self::raise(world, store, life, Some(resident.into_fallen()))
    }

    fn raise(
        world: &mut World,
        mut store: Store<Disk>,
        life: StoreLife,
        fallen: Option<Fallen>,
    ) -> Result<Self, End> {
        let (spec, config, now) = (world.spec.clone(), world.config(), world.now);
        let birth = Birth { host: &host(), life, config: &config, now };
        let mut outside = Outside { store: &mut store, world };
        let raised = Resident::raise(&spec, &birth, &mut outside, fallen);
        let resident = raised.map_err(|not| not.error)?;
        if world.disk.is_cut() { Err(End::Cut) } else { Ok(Self { resident, store }) }
    }

    /// Throws a letter away, of a Node that is down.
    pub(super) fn throw_away(world: &mut World, letter: LetterId) -> Result<(), End> {
        let (mut store, _) = world.open()?;
        throw_away(&mut store, &world.peer(), letter)?;
        world.disk.crash(PowerLoss::Nothing);
        Ok(())
    }

    /// Does what the cycle says; false if that is to rest until a push.
    pub(super) fn act(&mut self, world: &mut World) -> Result<bool, End> {
        world.disk.point()?;
        let now = world.now;
        let outside = &mut Outside { store: &mut self.store, world };
        let did = self.resident.act(outside, now)?;
        if outside.world.disk.is_cut() {
            return Err(End::Cut);
        }
        match did {
            Did::Act(Act::Release) if outside.world.takes => {
                let last = self.resident.outputs();
                if last > self.resident.offers().taken() {
                    self.resident.took_outputs(outside, last)?;
                }
            }
            Did::Act(Act::Capture) => {
                if let Some(keep) = self.resident.needs_from() {
                    self.store.truncate(keep)?;
                }
            }
            Did::Act(_) => {}
            Did::Waits(_) => panic!("this store waits for its disk"),
            Did::Rest(Wakeup::At(due)) => world.now = due,
            Did::Rest(_) => return Ok(false),
        }
        Ok(true)
    }

    /// Goes on until nothing is left to do.
    pub(super) fn settle(&mut self, world: &mut World) -> Result<(), End> {
        while self.act(world)? {}
        Ok(())
    }

    /// Takes a letter out.
    pub(super) fn take_letter(&mut self, world: &mut World, letter: LetterId) -> DeadLetter {
        let outside = &mut Outside { store: &mut self.store, world };
        let taken = self.resident.take_letter(outside, letter).expect("the disk has room");
        taken.expect("it is there")
    }

    pub(super) fn node(&self) -> &Node {
        self.resident.node()
    }

    pub(super) fn node_mut(&mut self) -> &mut Node {
        self.resident.node_mut()
    }

    pub(super) fn letters(&self) -> &DeadLetters {
        self.resident.letters()
    }

    pub(super) fn log(&self) -> &Log {
        self.store.log()
    }

    pub(super) fn seen(&self) -> &[u64] {
        &self.resident.node().model::<Tally>("tally").expect("it is there").seen
    }
}

/// The number that an event of a client bears.
pub(super) fn number(event: &IngressEvent) -> Option<u64> {
    match event {
        IngressEvent::Invoke { inputs, .. } => match inputs.first() {
            Some((_, Value::U64(n))) => Some(*n),
            _ => None,
        },
        _ => None,
    }
}
