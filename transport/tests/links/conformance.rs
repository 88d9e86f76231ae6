//! What every transport promises, each in its turn.
//!
//! Law: a test here knows the seam alone, so that a new adapter is held to all of it by one line.

use std::{future::Future, time::Duration};

use samsara_proto::FrameError;
use samsara_transport::{Class, Closed, DialError, Gate, LinkLimits, ListenError, SendError};

use super::bench::{Kind, Pair, address, frame, number, peer, run};

/// Runs one claim against every kind.
fn each<F: Future<Output = ()>>(claim: impl Fn(Kind) -> F) {
    run(claim(Kind::memory()));
    run(claim(Kind::tcp()));
}

fn small() -> LinkLimits {
    LinkLimits { queue_frames: 4, queue_bytes: 1 << 20, ..LinkLimits::default() }
}

#[test]
fn both_ends_know_each_other_and_what_the_link_is_for() {
    each(async |kind| {
        let pair = kind.pair(LinkLimits::default()).await;
        assert_eq!((pair.here.peer(), pair.there.peer()), (peer(2), peer(1)));
        assert_eq!((pair.here.class(), pair.there.class()), (Class::Bulk, Class::Bulk));
    });
}

#[test]
fn frames_arrive_whole_and_in_order_both_ways_at_once() {
    each(async |kind| {
        let Pair { here, there, .. } = kind.pair(LinkLimits::default()).await;
        let sizes = [0, 1, 63, 900, 1_023, 1_024, 1_025, 8_192, 65_536, 3_000_000, 7];
        let run = |(sender, mut receiver): (samsara_transport::LinkSender, _)| async move {
            let send = async {
                for (seq, size) in (0..).zip(sizes.iter().cycle().take(200)) {
                    sender.send(frame(seq, *size)).await.expect("the link is up");
                }
            };
            let receive = async |receiver: &mut samsara_transport::LinkReceiver| {
                for seq in 0..200 {
                    assert_eq!(number(receiver.recv().await.expect("the link is up")), seq);
                }
            };
            tokio::join!(send, receive(&mut receiver));
            (sender, receiver)
        };
        let _kept = tokio::join!(run(here.split()), run(there.split()));
    });
}

#[test]
fn who_is_not_the_wanted_one_is_told_from_who_is_not_there() {
    each(async |kind| {
        let pair = kind.pair(LinkLimits::default()).await;
        let at = pair.listener.address().clone();
        let wrong = pair.ada.dial(&at, &peer(9), Class::Control).await.err();
        let wanted = DialError::WrongPeer { address: at.clone(), wanted: peer(9), found: peer(2) };
        assert_eq!(wrong, Some(wanted));
        drop(pair.listener);
        // The socket closes when its task has ended.
        loop {
            match pair.ada.dial(&at, &peer(2), Class::Control).await {
                Err(DialError::Unreachable { .. }) => break,
                Err(DialError::Handshake { .. }) | Ok(_) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
        pair.here.split().0.try_send(frame(0, 0)).expect("links outlive their listener");
    });
}

#[test]
fn nobody_is_let_in_unless_it_is_written() {
    each(async |kind| {
        let (ada, bob) = (kind.peer(1, LinkLimits::default()), kind.peer(2, LinkLimits::default()));
        for gate in [Gate::default(), Gate::only([]), Gate::only([peer(3)])] {
            let listener = bob.listen(&kind.any(), gate).await.expect("it listens");
            let denied = ada.dial(listener.address(), &peer(2), Class::Control).await.err();
            assert!(matches!(denied, Some(DialError::Denied { peer: by, .. }) if by == peer(2)));
        }
        let mut open = bob.listen(&kind.any(), Gate::open()).await.expect("it listens");
        let _link = ada.dial(open.address(), &peer(2), Class::Control).await.expect("it is open");
        assert_eq!(open.next().await.map(|link| link.peer()), Some(peer(1)));
    });
}

#[test]
fn what_was_sent_before_a_close_arrives_and_then_the_close() {
    each(async |kind| {
        let Pair { here, there, .. } = kind.pair(LinkLimits::default()).await;
        let ((sender, mut here), (back, mut there)) = (here.split(), there.split());
        for seq in 0..50 {
            sender.send(frame(seq, 2_000)).await.expect("the link is up");
        }
        sender.close();
        for seq in 0..50 {
            assert_eq!(number(there.recv().await.expect("it was sent before")), seq);
        }
        assert_eq!(there.recv().await.err(), Some(Closed::There));
        assert_eq!(there.recv().await.err(), Some(Closed::There), "it stays so");
        assert_eq!(sender.send(frame(9, 0)).await, Err(SendError::Closed(Closed::Here)));
        // The other side learns of it too.
        assert_eq!(here.recv().await.err(), Some(Closed::Here));
        assert_eq!(back.send(frame(0, 0)).await, Err(SendError::Closed(Closed::There)));
    });
}

#[test]
fn a_link_ends_with_either_half_of_either_side() {
    each(async |kind| {
        for half in 0..4 {
            let Pair { here, there, .. } = kind.pair(LinkLimits::default()).await;
            let ((sender, receiver), (back, mut far)) = (here.split(), there.split());
            let mut near = Some(receiver);
            let mut sender = Some(sender);
            match half {
                0 => drop(near.take()),
                1 => drop(sender.take()),
                2 => sender.iter().for_each(samsara_transport::LinkSender::close),
                _ => drop((near.take(), sender.take())),
            }
            let why = far.recv().await.expect_err("it has ended");
            assert!(matches!(why, Closed::There | Closed::Broken { .. }), "{half}: {why}");
            assert!(back.try_send(frame(0, 0)).is_err(), "{half}");
        }
    });
}

#[test]
fn a_frame_beyond_the_caps_is_refused_where_it_is_sent_and_where_it_arrives() {
    each(async |kind| {
        let Pair { here, there, .. } = kind.pair(small()).await;
        let (sender, _receiver) = here.split();
        let long = sender.try_send(frame(1, 2 << 20)).expect_err("it is longer than the queue");
        assert!(matches!(long.reason, SendError::TooLong { cap, .. } if cap == 1 << 20));
        assert_eq!(number(long.frame.to_bytes()), 1, "it is handed back");
        drop(there);
    });
    run(async {
        let kind = Kind::tcp();
        let (ada, mut tight) = (kind.peer(1, LinkLimits::default()), LinkLimits::default());
        tight.caps.envelope_bytes = 4_096;
        let bob = kind.peer(2, tight);
        let mut listener = bob.listen(&kind.any(), Gate::open()).await.expect("it listens");
        let here = ada.dial(listener.address(), &peer(2), Class::Bulk).await.expect("it dials");
        let (_back, mut there) = listener.next().await.expect("a link").split();
        let (sender, _near) = here.split();
        sender.send(frame(0, 100)).await.expect("the link is up");
        sender.send(frame(1, 8_000)).await.expect("the link is up");
        assert_eq!(number(there.recv().await.expect("the first fits")), 0);
        let refused = there.recv().await.expect_err("the second does not");
        assert!(matches!(refused, Closed::Malformed(FrameError::TooLong { cap: 4_096, .. })));
    });
}

#[test]
fn who_does_not_read_is_sent_no_more_than_fits_and_loses_nothing() {
    each(async |kind| {
        let limits = LinkLimits { queue_bytes: 256 << 10, ..small() };
        let Pair { here, there, .. } = kind.pair(limits).await;
        let ((sender, _near), (_back, mut far)) = (here.split(), there.split());
        let mut sent = 0;
        // Sockets have room of their own; it ends too.
        let refused = loop {
            match sender.try_send(frame(sent, 60_000)) {
                Ok(()) => sent += 1,
                Err(refused) if sent < 10_000 => {
                    let waited = tokio::time::timeout(
                        Duration::from_millis(200),
                        sender.send(refused.frame),
                    );
                    match waited.await {
                        Ok(outcome) => outcome.expect("the link is up"),
                        Err(_) => break sent,
                    }
                    sent += 1;
                }
                Err(other) => panic!("{other}"),
            }
        };
        assert!(refused < 1_000, "the sender is held up, at {refused}");
        for seq in 0..sent {
            assert_eq!(number(far.recv().await.expect("it was taken")), seq);
        }
        sender.send(frame(sent, 1)).await.expect("there is room again");
        assert_eq!(number(far.recv().await.expect("it goes on")), sent);
    });
}

#[test]
fn a_flood_of_small_frames_arrives_complete() {
    each(async |kind| {
        let Pair { here, there, .. } = kind.pair(LinkLimits::default()).await;
        let ((sender, _near), (_back, mut far)) = (here.split(), there.split());
        let flood = async {
            for seq in 0..20_000 {
                sender.send(frame(seq, 64)).await.expect("the link is up");
            }
        };
        let count = async {
            for seq in 0..20_000 {
                assert_eq!(number(far.recv().await.expect("the link is up")), seq);
            }
        };
        tokio::join!(flood, count);
    });
}

#[test]
fn a_reader_that_gives_up_waiting_loses_no_byte() {
    each(async |kind| {
        let Pair { here, there, .. } = kind.pair(LinkLimits::default()).await;
        let ((sender, _near), (_back, mut far)) = (here.split(), there.split());
        let send = async {
            for seq in 0..40 {
                sender.send(frame(seq, 300_000)).await.expect("the link is up");
                tokio::task::yield_now().await;
            }
        };
        let receive = async {
            let (mut seen, mut gave_up) = (0, 0);
            while seen < 40 {
                let brief = tokio::time::timeout(Duration::from_micros(50), far.recv());
                match brief.await {
                    Ok(frame) => {
                        assert_eq!(number(frame.expect("the link is up")), seen);
                        seen += 1;
                    }
                    Err(_) => gave_up += 1,
                }
            }
            gave_up
        };
        let ((), _) = tokio::join!(send, receive);
    });
}

#[test]
fn after_a_break_a_new_link_is_made_at_once() {
    each(async |kind| {
        let Pair { ada, mut listener, here, there, .. } = kind.pair(LinkLimits::default()).await;
        let mut old = here.split();
        drop(there);
        assert!(old.1.recv().await.is_err());
        for _ in 0..20 {
            let link = ada.dial(listener.address(), &peer(2), Class::Control).await;
            let ((sender, near), there) =
                (link.expect("it dials").split(), listener.next().await.expect("a link arrives"));
            sender.send(frame(7, 10)).await.expect("the link is up");
            let (back, mut far) = there.split();
            assert_eq!(number(far.recv().await.expect("it arrives")), 7);
            drop((sender, near, back, far));
        }
    });
}

#[test]
fn many_peers_are_linked_at_once() {
    each(async |kind| {
        let bob = kind.peer(200, LinkLimits::default());
        let mut listener = bob.listen(&kind.any(), Gate::open()).await.expect("it listens");
        let mut kept = Vec::new();
        for seed in 0..40 {
            let transport = kind.peer(seed, LinkLimits::default());
            let link = transport.dial(listener.address(), &peer(200), Class::Control).await;
            let there = listener.next().await.expect("a link arrives");
            assert_eq!(there.peer(), peer(seed));
            kept.push((link.expect("it dials").split(), there.split()));
        }
        for (seq, ((sender, _), (_, far))) in (0..).zip(&mut kept) {
            sender.send(frame(seq, 5)).await.expect("the link is up");
            assert_eq!(number(far.recv().await.expect("the link is up")), seq);
        }
    });
}

#[test]
fn addresses_of_others_and_taken_ones_are_refused_by_name() {
    each(async |kind| {
        let bob = kind.peer(2, LinkLimits::default());
        let foreign = kind.foreign();
        assert!(!bob.speaks(&foreign) && bob.speaks(&kind.any()));
        let refused = bob.listen(&foreign, Gate::open()).await.err();
        assert!(matches!(refused, Some(ListenError::Foreign { .. })), "{refused:?}");
        let refused = bob.dial(&foreign, &peer(1), Class::Control).await.err();
        assert!(matches!(refused, Some(DialError::Foreign { .. })), "{refused:?}");
        assert!(refused.is_some_and(|refused| !refused.may_pass()), "trying again is in vain");

        let first = bob.listen(&kind.any(), Gate::open()).await.expect("it listens");
        let second = bob.listen(first.address(), Gate::open()).await.err();
        assert_eq!(second, Some(ListenError::Taken { address: first.address().clone() }));
    });
    assert!(
        !run(async { Kind::tcp().peer(1, LinkLimits::default()) })
            .speaks(&address("/ip4/127.0.0.1/tcp/80")),
        "nothing goes in the clear"
    );
}
