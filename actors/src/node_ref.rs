//! A way to a Node, from any thread.
//!
//! Law: it stays valid over all lives of its Node. What was acknowledged through it is executed once;
//! what was refused came back.

use std::{sync::Arc, time::Duration};

use samsara_proto::PeerId;
use samsara_runtime::{
    framework::ClientId,
    hosting::{MemoryJournal, StoreFault},
    id::Incarnation,
    node::Node,
    recovery::{DeadLetter, LetterId, Offer},
    value::IntoValue,
};
use tokio::sync::{broadcast, oneshot};

use crate::{
    call::{Asker, Call, CallError, Inputs, Invocation, Reply, Way},
    chief::Court,
    ears::{Output, Stand},
    ledger::Ledger,
    node_actor::Word,
    reign::Order,
    slot::{Core, Slot, State},
    store::locked,
};

/// How long a Node between two lives is left alone.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// A way to a Node, valid over all its lives. Clones lead to the same one.
#[derive(Clone)]
pub struct NodeRef {
    slot: Arc<Slot>,
    court: Court,
}

impl NodeRef {
    pub(crate) fn new(slot: Arc<Slot>, court: Court) -> Self {
        Self { slot, court }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.slot.spec.name()
    }

    /// Its id.
    pub fn peer_id(&self) -> PeerId {
        self.slot.peer
    }

    /// Its life.
    pub fn incarnation(&self) -> Incarnation {
        self.slot.life()
    }

    /// Offers inputs of a module, and waits until that is as durable as the Node is to be.
    ///
    /// May be cancelled; whether the call was taken is then unknown.
    pub async fn invoke<'n, V: IntoValue>(
        &self,
        module: &str,
        inputs: impl IntoIterator<Item = (&'n str, V)>,
    ) -> Result<Invocation, CallError> {
        self.offer(module, values(inputs)?, Way::Invoke).await
    }

    /// As [`invoke`](Self::invoke), with inputs as a refusal gives them back.
    pub async fn invoke_with(&self, module: &str, inputs: Inputs) -> Result<Invocation, CallError> {
        self.offer(module, inputs, Way::Invoke).await
    }

    /// Offers one input, in an execution of its own.
    pub async fn deliver_event(
        &self,
        module: &str,
        input: &str,
        value: impl IntoValue,
    ) -> Result<Invocation, CallError> {
        self.offer(module, values([(input, value)])?, Way::Event).await
    }

    async fn offer(&self, module: &str, inputs: Inputs, way: Way) -> Result<Invocation, CallError> {
        let (kept, is_kept) = oneshot::channel();
        let (reply, replied) = oneshot::channel();
        let module = module.to_owned();
        let asker = Some(Asker { kept: Some(kept), reply });
        self.slot.call(Call { module, inputs, way, asker })?;
        let exec = is_kept.await.unwrap_or(Err(CallError::Unknown))?;
        Ok(Invocation { exec, reply: replied })
    }

    /// Offers inputs, and hears no more of them: whether they were kept is not told.
    pub fn cast<'n, V: IntoValue>(
        &self,
        module: &str,
        inputs: impl IntoIterator<Item = (&'n str, V)>,
    ) -> Result<(), CallError> {
        self.cast_with(module, values(inputs)?)
    }

    /// As [`cast`](Self::cast), with inputs as a refusal gives them back.
    pub fn cast_with(&self, module: &str, inputs: Inputs) -> Result<(), CallError> {
        let (module, way, asker) = (module.to_owned(), Way::Invoke, None);
        self.slot.call(Call { module, inputs, way, asker })
    }

    /// As [`ask`](Self::ask), as request number `request` of a client that counts its requests from
    /// one: whoever does not know what came of a call asks again, also after a crash, and it is
    /// carried out once.
    pub async fn ask_as<'n, V: IntoValue>(
        &self,
        client: ClientId,
        request: u64,
        module: &str,
        inputs: impl IntoIterator<Item = (&'n str, V)>,
    ) -> Result<Reply, CallError> {
        let way = Way::As { client, request };
        self.reply(module, values(inputs)?, way).await
    }

    /// Offers inputs, and waits for what comes of them.
    pub async fn ask<'n, V: IntoValue>(
        &self,
        module: &str,
        inputs: impl IntoIterator<Item = (&'n str, V)>,
    ) -> Result<Reply, CallError> {
        self.reply(module, values(inputs)?, Way::Invoke).await
    }

    async fn reply(&self, module: &str, inputs: Inputs, way: Way) -> Result<Reply, CallError> {
        let (reply, replied) = oneshot::channel();
        let module = module.to_owned();
        let asker = Some(Asker { kept: None, reply });
        self.slot.call(Call { module, inputs, way, asker })?;
        replied.await.unwrap_or(Err(CallError::Unknown))
    }

    /// What it lets out from now on. Who falls behind misses some, and is told how many.
    pub fn listen(&self) -> broadcast::Receiver<Output> {
        locked(&self.slot.core).ears.listen()
    }

    /// Outputs that nobody has taken, of a Node that [retains](crate::System::spawn_retaining) them.
    pub fn outputs(&self) -> Vec<Offer> {
        match &locked(&self.slot.core).state {
            State::Up(resident) => resident.offers().iter().cloned().collect(),
            State::Down(_) => Vec::new(),
        }
    }

    /// Says that all outputs up to this number were taken: no life offers them again.
    pub fn take_outputs(&self, up_to: u64) -> Result<(), CallError> {
        self.with(|resident, stand| match stand {
            Standing::Disk(stand) => resident.took_outputs(stand, up_to),
            Standing::Memory(stand) => resident.took_outputs(stand, up_to),
        })?;
        self.slot.ring();
        Ok(())
    }

    /// What was given up, since it has brought the Node down too often.
    pub fn dead_letters(&self) -> Vec<(LetterId, DeadLetter)> {
        match &locked(&self.slot.core).state {
            State::Up(resident) => {
                resident.letters().iter().map(|(id, letter)| (id, letter.clone())).collect()
            }
            State::Down(_) => Vec::new(),
        }
    }

    /// Takes a dead letter out, to be thrown away or offered once more.
    pub fn take_letter(&self, id: LetterId) -> Result<Option<DeadLetter>, CallError> {
        self.with(|resident, stand| match stand {
            Standing::Disk(stand) => resident.take_letter(stand, id),
            Standing::Memory(stand) => resident.take_letter(stand, id),
        })
    }

    /// Offers the event of a dead letter once more, and throws the letter away when that is kept.
    /// Nothing comes of a letter that is not there, or has no event.
    ///
    /// A crash in between leaves the letter where it was, though its event was offered.
    pub async fn offer_letter(&self, id: LetterId) -> Result<Option<Invocation>, CallError> {
        let (kept, is_kept) = oneshot::channel();
        let (reply, replied) = oneshot::channel();
        {
            let Core { state, ears, .. } = &mut *locked(&self.slot.core);
            let State::Up(resident) = state else { return Err(CallError::Stopped) };
            let event = resident.letters().read(id).and_then(|letter| letter.event.clone());
            let Some(event) = event else { return Ok(None) };
            let exec = resident.node_mut().offer_again(event).map_err(CallError::NotAgain)?;
            ears.waiters.put(exec, Asker { kept: Some(kept), reply });
        }
        self.slot.ring();
        let exec = is_kept.await.unwrap_or(Err(CallError::Unknown))?;
        // What fell before may have fallen again by now: the next life knows the letter, too.
        while let Err(error) = self.take_letter(id) {
            if !matches!(error, CallError::Stopped) || self.slot.has_ended() {
                return Err(error);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(Some(Invocation { exec, reply: replied }))
    }

    /// Looks at the Node between two turns; nothing if it is down. A turn has to wait meanwhile.
    pub fn look<R>(&self, look: impl FnOnce(&Node) -> R) -> Option<R> {
        match &locked(&self.slot.core).state {
            State::Up(resident) => Some(look(resident.node())),
            State::Down(_) => None,
        }
    }

    fn with<R>(
        &self,
        act: impl FnOnce(
            &mut samsara_runtime::hosting::Resident,
            &mut Standing<'_>,
        ) -> Result<R, StoreFault>,
    ) -> Result<R, CallError> {
        let Core { state, ledger, ears } = &mut *locked(&self.slot.core);
        let State::Up(resident) = state else { return Err(CallError::Stopped) };
        let mut stand = match ledger {
            Ledger::Disk(journal) => Standing::Disk(Stand { journal, ears }),
            Ledger::Memory(journal) => Standing::Memory(Stand { journal: &mut **journal, ears }),
        };
        act(resident, &mut stand).map_err(|_| CallError::StoreFailed)
    }

    /// Stops it: it takes nothing more, does what it has taken, and is captured. It can be spawned
    /// again.
    pub async fn stop(&self) {
        let (answer, stopped) = oneshot::channel();
        self.court.host.order(Order::Stop(self.slot.child, answer));
        // A supervisor that ends without an answer has stopped all of its children.
        let _ = stopped.await;
    }

    /// Ends its life as if it had been killed; the next one follows at once. For tests of what has to
    /// survive that. Whether there was an actor to be killed: a Node that rests has none.
    pub fn kill(&self) -> bool {
        let actor = locked(&self.court.reign).actor(self.slot.child);
        actor.map(|actor| actor.kill()).is_some()
    }

    /// Has its actor return a fault. For tests, as [`kill`](Self::kill).
    pub fn fall(&self) -> bool {
        let actor = locked(&self.court.reign).actor(self.slot.child);
        actor.is_some_and(|actor| actor.send_message(Word::Fall).is_ok())
    }

    /// Brings it back from quarantine.
    pub fn release(&self) {
        self.court.host.order(Order::Release(self.slot.child));
    }
}

/// What a Node stands on between two turns.
enum Standing<'s> {
    Disk(Stand<'s, crate::store::Desk>),
    Memory(Stand<'s, MemoryJournal>),
}

impl std::fmt::Debug for NodeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeRef").field("name", &self.name()).finish_non_exhaustive()
    }
}

fn values<'n, V: IntoValue>(
    inputs: impl IntoIterator<Item = (&'n str, V)>,
) -> Result<Inputs, CallError> {
    let value = |(name, value): (&'n str, V)| match value.into_value() {
        Ok(value) => Ok((name.to_owned(), value)),
        Err(_) => Err(CallError::TooDeep { input: name.to_owned() }),
    };
    inputs.into_iter().map(value).collect()
}
