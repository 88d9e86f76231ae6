//! Those who mean harm, or only behave as if (D40, D45, D46).

use std::time::Duration;

use samsara_transport::{
    Class, Closed, DialError, Gate, LinkLimits, ListenLimits, Listener, Tcp, Transport,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    bench::{address, frame, identity, number, peer, run, tcp},
    stranger::{Stranger, socket},
};

async fn open(at: &Tcp) -> Listener {
    at.listen(&address("/ip4/127.0.0.1/tcp/0/tls"), Gate::open()).await.expect("it listens")
}

#[test]
fn who_opens_many_and_says_nothing_keeps_nobody_out() {
    run(async {
        let bob = tcp(2);
        let mut listener = open(&bob).await;
        let to = socket(listener.address());
        let mut kept = Vec::new();
        for _ in 0..300 {
            kept.push(TcpStream::connect(to).await.expect("it listens"));
        }
        let link = tcp(1).dial(listener.address(), &peer(2), Class::Control).await;
        let link = link.expect("an honest peer is let in");
        assert_eq!(listener.next().await.map(|link| link.peer()), Some(peer(1)));
        assert!(bob.counts().crowded() >= 200, "the oldest made room");
        drop((link, kept));
    });
}

#[test]
fn whatever_is_said_instead_of_a_handshake_the_next_one_is_taken() {
    run(async {
        let bob = tcp(2);
        let mut listener = open(&bob).await;
        let to = socket(listener.address());
        let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..400_usize {
            let mut stream = TcpStream::connect(to).await.expect("it listens");
            let mut said: Vec<u8> = (0..round % 97)
                .map(|_| {
                    noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    noise.to_be_bytes()[0]
                })
                .collect();
            // A record of TLS, so that some of it gets further.
            if round % 3 == 0 {
                said.splice(..0, [0x16, 3, 1, 0, 80, 1, 0, 0, 76, 3, 3]);
            }
            let _ = stream.write_all(&said).await;
            if round % 2 == 0 {
                let _ = stream.shutdown().await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        }
        let _link =
            tcp(1).dial(listener.address(), &peer(2), Class::Control).await.expect("it dials");
        assert_eq!(listener.next().await.map(|link| link.peer()), Some(peer(1)));
        assert_eq!(bob.counts().admitted(), 1);
    });
}

#[test]
fn a_peer_and_an_address_have_so_many_links_and_no_more() {
    run(async {
        let limits = ListenLimits { per_peer: 3, per_ip: 5, ..ListenLimits::default() };
        let bob = Tcp::new(identity(2)).listening(limits);
        let mut listener = open(&bob).await;
        let (ada, at) = (tcp(1), listener.address().clone());
        let mut kept = Vec::new();
        for _ in 0..3 {
            let link = ada.dial(&at, &peer(2), Class::Control).await.expect("it is within");
            kept.push((link, listener.next().await.expect("it arrives")));
        }
        let crowded = ada.dial(&at, &peer(2), Class::Control).await.err();
        assert!(matches!(crowded, Some(DialError::Handshake { .. })), "{crowded:?}");
        for _ in 0..2 {
            let link = tcp(3).dial(&at, &peer(2), Class::Control).await.expect("another peer");
            kept.push((link, listener.next().await.expect("it arrives")));
        }
        let crowded = tcp(4).dial(&at, &peer(2), Class::Control).await.err();
        assert!(matches!(crowded, Some(DialError::Handshake { .. })), "{crowded:?}");
        assert_eq!(bob.counts().crowded(), 2);
        // A seat is free again when its link is gone, which its writer may tell a moment later.
        kept.clear();
        for seed in [4, 1, 1, 1] {
            let link = loop {
                match tcp(seed).dial(&at, &peer(2), Class::Control).await {
                    Ok(link) => break link,
                    Err(DialError::Handshake { .. }) => tokio::task::yield_now().await,
                    Err(other) => panic!("{other}"),
                }
            };
            kept.push((link, listener.next().await.expect("it arrives")));
        }
    });
}

#[test]
fn a_proved_peer_that_sends_no_frames_loses_its_link_alone() {
    run(async {
        let bob = tcp(2);
        let mut listener = open(&bob).await;
        let _honest = tcp(1).dial(listener.address(), &peer(2), Class::Control).await;
        let (_back, mut honest) = listener.next().await.expect("a link").split();
        let noises: [&[u8]; 4] = [&[0; 64], &[0xff; 64], b"GET / HTTP/1.1\r\n\r\n ", &[1; 4_096]];
        for noise in noises {
            let stranger = Stranger::honest(3).connect(socket(listener.address())).await;
            let mut stream = stranger.expect("its proof is right");
            let (_back, mut far) = listener.next().await.expect("a link").split();
            let _ = stream.write_all(noise).await;
            let _ = stream.flush().await;
            let refused = far.recv().await.expect_err("it is no frame");
            assert!(matches!(refused, Closed::Malformed(_)), "{refused}");
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        let waits = tokio::time::timeout(Duration::from_millis(20), honest.recv()).await;
        assert!(waits.is_err(), "the other link is as it was");
    });
}

#[test]
fn a_frame_that_never_ends_and_a_peer_that_never_speaks_end_the_link() {
    run(async {
        let silence = Duration::from_millis(100);
        let bob = tcp(2).links(LinkLimits { silence, ..LinkLimits::default() });
        let mut listener = open(&bob).await;
        for said in [0, 10, 4_000] {
            let stranger = Stranger::honest(3).connect(socket(listener.address())).await;
            let mut stream = stranger.expect("its proof is right");
            let (_back, mut far) = listener.next().await.expect("a link").split();
            let whole = frame(1, 50_000).to_bytes();
            stream.write_all(&whole[..said]).await.expect("it is taken");
            stream.flush().await.expect("it is sent");
            assert_eq!(far.recv().await, Err(Closed::Silent(silence)));
        }
        let stranger = Stranger::honest(3).connect(socket(listener.address())).await;
        let mut stream = stranger.expect("its proof is right");
        let (_back, mut far) = listener.next().await.expect("a link").split();
        let whole = frame(1, 50_000).to_bytes();
        stream.write_all(&whole[..100]).await.expect("it is taken");
        stream.shutdown().await.expect("it ends");
        let cut = far.recv().await.expect_err("half a frame is none");
        assert!(matches!(cut, Closed::Broken { .. }), "{cut}");
    });
}

#[test]
fn a_name_is_resolved_and_one_that_is_not_there_is_told() {
    run(async {
        let bob = tcp(2);
        let mut listener = open(&bob).await;
        let port = socket(listener.address()).port();
        let by_name = address(&format!("/dns4/localhost/tcp/{port}/tls"));
        let (sender, _near) =
            tcp(1).dial(&by_name, &peer(2), Class::Bulk).await.expect("it dials").split();
        sender.send(frame(3, 3)).await.expect("the link is up");
        let (_back, mut far) = listener.next().await.expect("a link").split();
        assert_eq!(number(far.recv().await.expect("it arrives")), 3);
        let nowhere = address(&format!("/ip4/127.0.0.1/tcp/{port}/tls/p2p/{}", peer(2)));
        assert!(tcp(1).speaks(&nowhere), "a peer may be named behind it");
    });
}
