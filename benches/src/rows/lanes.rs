//! Four ways to carry events from threads to one thread: ours, and the baselines at their best.
//!
//! Law: each has the same capacity and the same events, waits in its own way when it is full or
//! empty, and takes as many at once as it can.

use samsara_ingress::{
    IngressHandle, IngressLimits, IngressQueue, IngressReader, TurnLimits, sync::block_on,
};
use tokio::sync::mpsc::error::TrySendError;

/// Places in every lane.
pub(crate) const CAPACITY: usize = 4096;

/// A small event: 64 bytes, the first of which are its number.
pub(crate) type Event = [u64; 8];

/// A way to carry events.
pub(crate) trait Lane {
    type Sender: Send + Clone + 'static;
    type Receiver: Send + 'static;

    fn open() -> Result<(Self::Sender, Self::Receiver), String>;

    /// Sends `count` events, waiting for room when there is none.
    fn send(sender: &Self::Sender, count: u64);

    /// Receives `count` events and gives the sum of their numbers.
    fn receive(receiver: &mut Self::Receiver, count: u64) -> u64;
}

pub(crate) fn event(number: u64) -> Event {
    let mut event = Event::default();
    if let Some(first) = event.first_mut() {
        *first = number;
    }
    event
}

fn number(event: &Event) -> u64 {
    std::hint::black_box(event).first().copied().unwrap_or_default()
}

/// The mailbox, with its byte budget and its wakes.
pub(crate) struct Ingress;

impl Lane for Ingress {
    type Sender = IngressHandle<Event>;
    type Receiver = (IngressQueue<Event>, IngressReader<Event>);

    fn open() -> Result<(Self::Sender, Self::Receiver), String> {
        let limits = IngressLimits { items: CAPACITY, ..IngressLimits::default() };
        let queue = IngressQueue::new(limits).map_err(|error| error.to_string())?;
        let reader = queue.open(1).map_err(|error| error.to_string())?;
        Ok((queue.handle(), (queue, reader)))
    }

    fn send(sender: &Self::Sender, count: u64) {
        let weight = size_of::<Event>() as u64;
        for number in 0..count {
            if let Err(full) = sender.try_push(event(number), weight) {
                block_on(sender.push(full.event, weight))
                    .expect("the mailbox stays open until all is received");
            }
        }
    }

    fn receive((_, reader): &mut Self::Receiver, count: u64) -> u64 {
        let (mut sum, mut left) = (0_u64, count);
        let mut turn = Vec::with_capacity(CAPACITY);
        while left > 0 {
            reader.wait().expect("this is the only life");
            let charge =
                reader.read(TurnLimits::default(), &mut turn).expect("this is the only life");
            left = left.saturating_sub(turn.len() as u64);
            sum = turn.drain(..).fold(sum, |sum, taken| sum.wrapping_add(number(&taken.event)));
            drop(charge);
        }
        sum
    }
}

/// tokio's bounded channel, received in batches by a blocking thread.
pub(crate) struct Tokio;

impl Lane for Tokio {
    type Sender = tokio::sync::mpsc::Sender<Event>;
    type Receiver = tokio::sync::mpsc::Receiver<Event>;

    fn open() -> Result<(Self::Sender, Self::Receiver), String> {
        Ok(tokio::sync::mpsc::channel(CAPACITY))
    }

    fn send(sender: &Self::Sender, count: u64) {
        for number in 0..count {
            if let Err(TrySendError::Full(event)) = sender.try_send(event(number)) {
                sender.blocking_send(event).expect("the receiver takes all");
            }
        }
    }

    fn receive(receiver: &mut Self::Receiver, count: u64) -> u64 {
        let (mut sum, mut left) = (0_u64, count);
        let mut batch = Vec::with_capacity(CAPACITY);
        while left > 0 {
            let got = receiver.blocking_recv_many(&mut batch, CAPACITY);
            left = left.saturating_sub(got as u64);
            sum = batch.drain(..).fold(sum, |sum, event| sum.wrapping_add(number(&event)));
        }
        sum
    }
}

/// crossbeam's bounded channel.
pub(crate) struct Crossbeam;

impl Lane for Crossbeam {
    type Sender = crossbeam_channel::Sender<Event>;
    type Receiver = crossbeam_channel::Receiver<Event>;

    fn open() -> Result<(Self::Sender, Self::Receiver), String> {
        Ok(crossbeam_channel::bounded(CAPACITY))
    }

    fn send(sender: &Self::Sender, count: u64) {
        for number in 0..count {
            sender.send(event(number)).expect("the receiver takes all");
        }
    }

    fn receive(receiver: &mut Self::Receiver, count: u64) -> u64 {
        let (mut sum, mut left) = (0_u64, count);
        while left > 0 {
            let first = receiver.recv().expect("the senders send all");
            for event in std::iter::once(first).chain(receiver.try_iter()) {
                sum = sum.wrapping_add(number(&event));
                left = left.saturating_sub(1);
            }
        }
        sum
    }
}

/// flume's bounded channel.
pub(crate) struct Flume;

impl Lane for Flume {
    type Sender = flume::Sender<Event>;
    type Receiver = flume::Receiver<Event>;

    fn open() -> Result<(Self::Sender, Self::Receiver), String> {
        Ok(flume::bounded(CAPACITY))
    }

    fn send(sender: &Self::Sender, count: u64) {
        for number in 0..count {
            sender.send(event(number)).expect("the receiver takes all");
        }
    }

    fn receive(receiver: &mut Self::Receiver, count: u64) -> u64 {
        let (mut sum, mut left) = (0_u64, count);
        while left > 0 {
            let first = receiver.recv().expect("the senders send all");
            for event in std::iter::once(first).chain(receiver.drain()) {
                sum = sum.wrapping_add(number(&event));
                left = left.saturating_sub(1);
            }
        }
        sum
    }
}
