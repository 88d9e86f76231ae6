//! Handshakes in which one thing is wrong, against either side (D47).

use std::sync::Arc;

use samsara_transport::{Class, DialError, Gate, Listener, Tcp, Transport};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::{
    bench::{address, peer, run, tcp},
    stranger::{Stranger, shown, socket},
};

/// Each breaks one rule, and only one.
fn strangers() -> Vec<(&'static str, Stranger)> {
    let honest = Stranger::honest(1);
    let key = shown(1);
    let with = |change: &dyn Fn(&mut Stranger)| {
        let mut stranger = honest.clone();
        change(&mut stranger);
        stranger
    };
    let mut all = vec![
        ("it signs with another key", with(&|it| it.signs = 9)),
        ("it shows its key as a certificate", with(&|it| it.is_raw = false)),
        ("it speaks another protocol", with(&|it| it.protocols = vec![b"h2".to_vec()])),
        (
            "it speaks another version",
            with(&|it| it.protocols = vec![b"samsara/2/control".to_vec()]),
        ),
        ("it shows nothing", with(&|it| it.shown.clear())),
        ("it shows the key without its kind", with(&|it| it.shown = key[12..].to_vec())),
        ("it shows one byte more", with(&|it| it.shown.push(0))),
        ("it shows one byte less", with(&|it| it.shown.truncate(43))),
        ("it shows a second key", with(&|it| it.more = vec![shown(2)])),
    ];
    for place in 0..12 {
        all.push(("its key is of another kind", with(&|it| it.shown[place] ^= 1)));
    }
    for place in [12, 20, 43] {
        all.push(("its key is another one", with(&|it| it.shown[place] ^= 1)));
    }
    all
}

async fn listener(open: &Tcp) -> Listener {
    open.listen(&address("/ip4/127.0.0.1/tcp/0/tls"), Gate::open()).await.expect("it listens")
}

/// Whether the side that listens welcomes a stranger.
async fn is_welcome(stranger: &Stranger, listener: &Listener) -> bool {
    let Ok(mut stream) = stranger.connect(socket(listener.address())).await else { return false };
    let mut first = [0];
    matches!(stream.read(&mut first).await, Ok(1))
}

#[test]
fn who_listens_takes_nobody_whose_proof_is_wrong_in_one_thing() {
    run(async {
        let bob = tcp(2);
        let mut listener = listener(&bob).await;
        let mut all = strangers();
        let (mut mute, mut silent) = (Stranger::honest(1), Stranger::honest(1));
        mute.has_key = false;
        silent.protocols.clear();
        all.push(("it has no key", mute));
        all.push(("it names no protocol", silent));
        for (what, stranger) in &all {
            assert!(!is_welcome(stranger, &listener).await, "{what}");
        }
        assert!(is_welcome(&Stranger::honest(1), &listener).await, "the one that breaks no rule");
        assert_eq!(listener.next().await.map(|link| link.peer()), Some(peer(1)));
        // What was counted is all of the others; some fall out of the handshake on their own side.
        assert_eq!(bob.counts().admitted(), 1);
        assert_eq!(bob.counts().unproved(), all.len() as u64);
    });
}

/// What a dial to somebody finds who behaves like this.
async fn dial(stranger: &Stranger, first: &'static [u8]) -> Option<DialError> {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = socket.local_addr().expect("its address").port();
    let acceptor = TlsAcceptor::from(Arc::new(stranger.server()));
    let server = tokio::spawn(async move {
        let (stream, _) = socket.accept().await.expect("somebody dials");
        if let Ok(mut stream) = acceptor.accept(stream).await {
            let _ = stream.write_all(first).await;
            let _ = stream.shutdown().await;
            let _ = stream.read(&mut [0; 16]).await;
        }
    });
    let to = address(&format!("/ip4/127.0.0.1/tcp/{port}/tls"));
    let found = tcp(2).dial(&to, &peer(1), Class::Control).await.err();
    server.abort();
    found
}

#[test]
fn who_dials_takes_nobody_whose_proof_is_wrong_in_one_thing() {
    run(async {
        assert_eq!(dial(&Stranger::honest(1), &[1]).await, None, "the one that breaks no rule");
        for (what, stranger) in strangers() {
            assert!(dial(&stranger, &[1]).await.is_some(), "{what}");
        }
        let other = dial(&Stranger::honest(9), &[1]).await;
        assert!(matches!(other, Some(DialError::WrongPeer { found, .. }) if found == peer(9)));
        for first in [&[][..], &[0], &[2], b"HTTP/1.1 400"] {
            let unwelcome = dial(&Stranger::honest(1), first).await;
            assert!(matches!(unwelcome, Some(DialError::Handshake { .. })), "{first:?}");
        }
    });
}

#[test]
fn a_session_that_is_played_again_is_taken_for_nothing() {
    run(async {
        let bob = tcp(2);
        let mut listener = listener(&bob).await;
        let to = socket(listener.address());
        // Somebody in between notes all that an honest peer says.
        let between = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = between.local_addr().expect("its address").port();
        let noting = tokio::spawn(async move {
            let (near, _) = between.accept().await.expect("somebody dials");
            let far = tokio::net::TcpStream::connect(to).await.expect("it listens");
            let ((mut near_in, mut near_out), (mut far_in, mut far_out)) =
                (near.into_split(), far.into_split());
            let back =
                tokio::spawn(async move { tokio::io::copy(&mut far_in, &mut near_out).await });
            let (mut said, mut chunk) = (Vec::new(), [0; 4_096]);
            while let Ok(read @ 1..) = near_in.read(&mut chunk).await {
                said.extend_from_slice(&chunk[..read]);
                let _ = far_out.write_all(&chunk[..read]).await;
            }
            back.abort();
            said
        });
        let ada = tcp(1);
        let through = address(&format!("/ip4/127.0.0.1/tcp/{port}/tls"));
        let link = ada.dial(&through, &bob.peer(), Class::Control).await.expect("it dials");
        let (sender, near) = link.split();
        let (back, mut far) = listener.next().await.expect("a link").split();
        sender.send(super::bench::frame(5, 100)).await.expect("the link is up");
        assert_eq!(super::bench::number(far.recv().await.expect("it arrives")), 5);
        sender.close();
        drop((sender, near, back, far));
        let said = noting.await.expect("it was noted");
        assert!(said.len() > 300, "a whole session was noted");
        for cut in [said.len(), said.len() / 2, 600] {
            let mut again = tokio::net::TcpStream::connect(to).await.expect("it listens");
            let _ = again.write_all(&said[..cut.min(said.len())]).await;
            let _ = again.shutdown().await;
            let _ = again.read_to_end(&mut Vec::new()).await;
        }
        assert_eq!(bob.counts().admitted(), 1, "the first time alone");
    });
}
