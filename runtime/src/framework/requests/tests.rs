//! How requests end, and what does not end them.

use super::*;
use crate::framework::{peers, waiter};

const KIND: RequestKind = RequestKind::new(3);

fn request(peer: PeerIx, deadline: u64) -> Request {
    let command = waiter(1, 9).command;
    Request { peer, kind: KIND, command, sent_at: Nanos::ZERO, deadline: Nanos::new(deadline) }
}

#[test]
fn only_the_asked_peer_and_kind_end_a_request_and_only_once() {
    let ([peer, other], mut requests) = (peers(), RequestTracker::new(4));
    let asked = request(peer, 10);
    let id = requests.open(asked).expect("there is room");
    let now = Nanos::new(9);
    let kind = RequestKind::new(4);
    assert_eq!(
        requests.answer(id, other, KIND, now),
        Err(Ignored::OtherPeer { request: id, asked: peer, got: other })
    );
    assert_eq!(
        requests.answer(id, peer, kind, now),
        Err(Ignored::OtherKind { request: id, asked: KIND, got: kind })
    );
    assert_eq!(requests.answer(id, peer, KIND, now), Ok(asked));
    assert_eq!(requests.answer(id, peer, KIND, now), Err(Ignored::NotOpen { request: id }));
    assert!(requests.is_empty() && requests.next_deadline().is_none());
}

#[test]
fn at_the_deadline_the_answer_is_late_and_the_request_expires() {
    let ([peer], mut requests) = (peers(), RequestTracker::new(4));
    let id = requests.open(request(peer, 10)).expect("there is room");
    let deadline = Nanos::new(10);
    assert_eq!(
        requests.answer(id, peer, KIND, deadline),
        Err(Ignored::Late { request: id, deadline })
    );
    assert_eq!(requests.pop_expired(Nanos::new(9)), None);
    assert_eq!(requests.pop_expired(deadline), Some((id, request(peer, 10))));
    assert_eq!(requests.pop_expired(deadline), None);
}

#[test]
fn requests_expire_by_deadline_and_then_by_age() {
    let ([peer], mut requests) = (peers(), RequestTracker::new(8));
    for deadline in [5, 3, 5, 1] {
        requests.open(request(peer, deadline)).expect("there is room");
    }
    let expired: Vec<u64> = std::iter::from_fn(|| requests.pop_expired(Nanos::new(5)))
        .map(|(id, _)| id.get())
        .collect();
    assert_eq!(expired, [4, 2, 1, 3]);
}

#[test]
fn the_request_one_over_the_cap_is_refused_until_one_ends() {
    let ([peer], mut requests) = (peers(), RequestTracker::new(1));
    let id = requests.open(request(peer, 10)).expect("there is room");
    let full = CapReached { what: "open requests", cap: 1 };
    assert_eq!(requests.open(request(peer, 10)), Err(full.into()));
    assert_eq!(requests.close(id), Some(request(peer, 10)));
    assert_eq!(requests.close(id), None);
    let next = requests.open(request(peer, 10)).expect("one has ended");
    assert_eq!(next.get(), 2);
}
