//! Taking a turn of the mailbox in two halves: it is decided, and can be written down, before it
//! leaves the mailbox.
//!
//! Law: what [`Node::encode`] writes is what [`Node::commit`] gives. Until the commit the events are
//! in the mailbox's hand, where a crash of the Node does not reach.

use bytes::Bytes;
use samsara_ingress::{Admitted, Fenced, TurnLimits};

use super::{Batch, Node, Room, batch::BatchParts, screen::Screening};
use crate::{
    codec::Saver,
    delivery::Unplaced,
    event::{Control, IngressEvent},
    time::Nanos,
};

/// What the next batch holds, decided and not committed.
///
/// Dropping it undoes nothing that was admitted: the next turn holds the same events.
#[derive(Debug)]
#[must_use = "a turn that is not committed is taken again"]
pub struct Taken {
    now: Nanos,
    depth: u64,
    /// What the Node tells itself, before what waited in the mailbox.
    told: Vec<Admitted<IngressEvent>>,
    /// Events of the mailbox's hand.
    turn: usize,
    screening: Screening,
    clear: Clear,
}

/// How a turn takes part in a clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clear {
    /// None is under way.
    No,
    /// So many events behind it are discarded too.
    Goes { left: usize },
    /// It is the last one, and clears.
    Ends,
}

impl Taken {
    /// Whether it moves nothing but time.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty() && self.kept() == 0 && self.clear == Clear::No
    }

    /// Events that the batch will have.
    pub fn events(&self) -> usize {
        self.told.len() + self.kept() + usize::from(self.clear == Clear::Ends)
    }

    /// Reliable envelopes of this turn that the batch will not have, and that nobody else has: a
    /// courier has to [put them back](crate::delivery::Courier::put_back).
    pub fn unplaced(&self) -> &[Unplaced] {
        &self.screening.unplaced
    }

    fn kept(&self) -> usize {
        self.turn.saturating_sub(self.screening.kept_out.len())
    }

    fn of(now: Nanos, told: Vec<Admitted<IngressEvent>>) -> Self {
        let screening = Screening::default();
        Self { now, depth: 0, told, turn: 0, screening, clear: Clear::No }
    }
}

fn own(control: Control) -> Admitted<IngressEvent> {
    Admitted { event: IngressEvent::Control(control), weight: 0 }
}

impl Node {
    /// Takes and commits one turn of the mailbox: the batch is all that the next
    /// [`apply`](Self::apply) needs.
    pub fn intake(&mut self, now: Nanos) -> Batch {
        let mut batch = Batch::default();
        let taken = self.take(now);
        self.commit_into(taken, &mut batch);
        batch
    }

    /// Decides what the next batch holds. The events stay in the mailbox's hand until
    /// [`commit`](Self::commit), and in between [`encode`](Self::encode) can write them down.
    ///
    /// ```
    /// use samsara_runtime::{
    ///     compiler::Compiler, config::NodeConfig, graph::Graph, node::{Batch, install},
    ///     schema::TypeTable, time::Nanos,
    /// };
    ///
    /// let g = Graph::new("Echo");
    /// g.output("said", g.input::<String>("text"));
    /// let program = Compiler::new().compile(g.build()?)?;
    /// let mut node = install(1.into(), [], &program, &["Echo"], NodeConfig::default())?;
    /// node.invoke("Echo", [("text", "hello")])?;
    ///
    /// let taken = node.take(Nanos::ZERO);
    /// let written = node.encode(&taken)?;
    /// let batch = node.commit(taken)?;
    /// assert_eq!(Batch::read(&written, &TypeTable::default().into())?, batch);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take(&mut self, now: Nanos) -> Taken {
        let now = self.clock.observe(now);
        if self.is_beginning {
            return Taken::of(now, vec![own(Control::Begin { incarnation: self.incarnation })]);
        }
        if let Some(left) = self.beside.as_mut().and_then(|beside| beside.clearing.take()) {
            return self.take_discarded(now, left);
        }
        let mut taken = Taken::of(now, Vec::new());
        if self.is_starting {
            taken.told.push(own(Control::Start));
        }
        if let Some(beside) = &mut self.beside {
            beside.refused.tell(&mut taken.told);
        }
        let room = self.room();
        if room != Room::Nothing && self.reader.has_events() {
            self.take_in_hand(usize::MAX, room, &mut taken);
        }
        taken
    }

    /// Takes the next events to discard; behind the last of them comes the clear itself.
    fn take_discarded(&mut self, now: Nanos, left: usize) -> Taken {
        let mut taken = Taken::of(now, Vec::new());
        if left > 0 && self.reader.has_events() {
            self.take_in_hand(left, Room::Anything, &mut taken);
        }
        taken.clear = match left.saturating_sub(taken.turn) {
            left if left > 0 && taken.turn > 0 => Clear::Goes { left },
            _ => Clear::Ends,
        };
        taken
    }

    fn take_in_hand(&mut self, most: usize, room: Room, taken: &mut Taken) {
        let turn = self.config().turn;
        let items = most.min(turn.events as usize);
        let limits = TurnLimits { items, bytes: turn.bytes };
        let services = &self.services;
        let look = |turn: samsara_ingress::Turn<'_, _>| (turn.len(), Screening::of(services, turn));
        // This Node opened the reader's life, and a Node whose life has ended takes nothing.
        let turn = match room {
            Room::Answers => self.reader.take_answers_and(limits, look),
            Room::Anything | Room::Nothing => self.reader.take_and(limits, look),
        };
        let Ok((turn, screening)) = turn else { return };
        if screening.has_envelopes {
            taken.depth = (self.queue.stats().items + taken.told.len() + turn) as u64;
        }
        (taken.turn, taken.screening) = (turn, screening);
    }

    /// The bytes of the batch that this turn will be: [`Batch::read`] reads them.
    pub fn encode(&self, taken: &Taken) -> Result<Bytes, Fenced> {
        let mut out = Saver::default();
        self.encode_into(taken, &mut out)?;
        Ok(out.into_bytes())
    }

    /// As [`encode`](Self::encode), behind what is written already.
    pub(crate) fn encode_into(&self, taken: &Taken, out: &mut Saver) -> Result<(), Fenced> {
        self.reader.inspect(|turn| {
            let parts = BatchParts {
                now: taken.now,
                depth: taken.depth,
                discard: taken.clear != Clear::No,
                count: taken.events(),
            };
            let mut kept_out = taken.screening.kept_out.iter().peekable();
            let kept = (0..)
                .zip(turn.weighed().take(taken.turn))
                .filter_map(|(at, event)| kept_out.next_if_eq(&&at).is_none().then_some(event));
            let told = taken.told.iter().map(|told| (&told.event, told.weight));
            let clear = IngressEvent::Control(Control::Clear);
            let last = (taken.clear == Clear::Ends).then_some((&clear, 0));
            parts.save(told.chain(kept).chain(last), out);
        })
    }

    /// Lets the turn leave the mailbox, and gives its batch.
    pub fn commit(&mut self, taken: Taken) -> Result<Batch, Fenced> {
        let mut batch = Batch::default();
        self.commit_to(taken, &mut batch)?;
        Ok(batch)
    }

    /// As [`commit`](Self::commit), in the place of an earlier batch.
    pub(crate) fn commit_to(&mut self, taken: Taken, batch: &mut Batch) -> Result<(), Fenced> {
        // A life that has ended would find its turn gone.
        self.reader.inspect(|_| ())?;
        self.commit_into(taken, batch);
        Ok(())
    }

    pub(super) fn commit_into(&mut self, taken: Taken, batch: &mut Batch) {
        let Taken { now, depth, mut told, turn, screening, clear } = taken;
        batch.now = now;
        batch.depth = depth;
        batch.discard = clear != Clear::No;
        batch.events.clear();
        for own in &told {
            match own.event {
                IngressEvent::Control(Control::Begin { .. }) => self.is_beginning = false,
                IngressEvent::Control(Control::Start) => self.is_starting = false,
                _ => {}
            }
        }
        batch.events.append(&mut told);
        let first = batch.events.len();
        // As when it was taken: a Node whose life has ended takes nothing.
        let held = (turn > 0).then(|| self.reader.commit(&mut batch.events).ok());
        self.beside().held = held.flatten();
        if screening.has_envelopes {
            self.keep_out(first, screening, batch);
        }
        match clear {
            Clear::No => {}
            // Asked for once more in between, it begins anew.
            Clear::Goes { left } => {
                self.beside().clearing.get_or_insert(left);
            }
            Clear::Ends => batch.events.push(own(Control::Clear)),
        }
    }
}
