//! The mark: who is woken, and when; the races are in the models.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use samsara_ingress::{Stopped, Watermark};

#[derive(Default)]
struct Counted(AtomicUsize);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits for `mark` in the name of `who`, and gives what counts the wakes.
fn wait(on: &Watermark, mark: u64, who: u64) -> Arc<Counted> {
    let counted = Arc::new(Counted::default());
    let waker = Waker::from(Arc::clone(&counted));
    assert_eq!(on.poll_reached(mark, who, &mut Context::from_waker(&waker)), Poll::Pending);
    counted
}

fn wakes(of: &[Arc<Counted>]) -> Vec<usize> {
    of.iter().map(|counted| counted.0.load(Ordering::Relaxed)).collect()
}

#[test]
fn a_rise_wakes_exactly_those_it_has_reached() {
    let mark = Watermark::new(10);
    let waiting = [wait(&mark, 11, 1), wait(&mark, 12, 1), wait(&mark, 12, 2), wait(&mark, 13, 1)];
    mark.rise(12);
    assert_eq!(wakes(&waiting), [1, 1, 1, 0]);
    mark.rise(11);
    assert_eq!((mark.level(), wakes(&waiting)), (12, vec![1, 1, 1, 0]), "it never falls");
    mark.rise(u64::MAX);
    assert_eq!(wakes(&waiting), [1, 1, 1, 1]);
}

#[test]
fn who_asks_again_takes_the_place_of_the_first_time() {
    let mark = Watermark::new(0);
    let waiting = [wait(&mark, 1, 7), wait(&mark, 1, 7)];
    mark.rise(1);
    assert_eq!(wakes(&waiting), [0, 1]);
}

#[test]
fn a_stop_wakes_everybody_and_what_was_reached_stays_so() {
    let mark = Watermark::new(5);
    let waiting = [wait(&mark, 6, 1), wait(&mark, u64::MAX, 2)];
    mark.stop();
    assert_eq!(wakes(&waiting), [1, 1]);
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(mark.poll_reached(5, 1, &mut cx), Poll::Ready(Ok(5)));
    assert_eq!(mark.poll_reached(6, 1, &mut cx), Poll::Ready(Err(Stopped { level: 5 })));
}
