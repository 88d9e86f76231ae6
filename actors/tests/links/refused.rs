//! Who is not heard, and what is told of that.

use std::time::Duration;

use samsara_actors::{LinkError, StartError, System};
use samsara_proto::{
    EnvelopeCodec, PeerId, WireEnvelope,
    wire::{Fill, SCHEMA},
};
use samsara_transport::{Class, Link, LinkReceiver, LinkSender, Tcp, Transport};

use super::rig::{Net, address, builder, key, ledger_spec, noted, until};

fn refused(started: Result<System, StartError>) -> LinkError {
    match started {
        Err(StartError::Links(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_refused_with_what_to_write() {
    let at = "/ip4/127.0.0.1/tcp/0/tls";
    let error = refused(builder().identity(key(1)).listen(at).start().await);
    assert!(matches!(error, LinkError::NobodyLetIn { .. }));
    assert!(error.to_string().contains(".allow(") && error.to_string().contains(".open()"));
    let error = refused(builder().identity(key(1)).listen("somewhere").open().start().await);
    assert!(matches!(error, LinkError::Address { .. }), "{error}");
    let error = refused(builder().listen(at).open().start().await);
    assert!(matches!(error, LinkError::NoTransport { .. }), "{error}");
    let error = refused(builder().identity(key(1)).peer(key(1).peer(), at).start().await);
    assert!(matches!(error, LinkError::Itself { .. }), "{error}");
    let two = builder().identity(PeerId::from(1)).transport(Tcp::new(key(1)));
    assert!(matches!(refused(two.start().await), LinkError::OtherIdentity { .. }));
    let mut nothing = super::rig::quick();
    nothing.hosts = 0;
    let error = refused(builder().link_limits(nothing).start().await);
    assert_eq!(error.to_string(), "the link limit hosts is zero, wanted at least 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_on_the_list_is_not_let_in_and_who_is_not_whom_one_wants_is_told_nothing() {
    let net = Net::Tcp;
    let server = net.host(2).listen(net.anywhere()).allow([net.peer(1)]);
    let server = server.start().await.expect("it starts");
    let stranger = net.host(3).peer(net.peer(2), address(&server));
    let stranger = stranger.start().await.expect("it starts");
    let lost = net.host(1).peer(net.peer(9), address(&server)).start().await.expect("it starts");
    let trouble = |system: &System| system.link_stats().hosts[0].trouble.clone();
    until("the stranger is told", || {
        trouble(&stranger).is_some_and(|why| why.contains("does not let this peer in"))
    })
    .await;
    until("the other one finds somebody else", || {
        trouble(&lost).is_some_and(|why| why.contains("found"))
    })
    .await;
    let stats = server.link_stats();
    assert!(stats.denied > 0 && stats.sessions == 0 && stats.received == 0, "{stats:?}");
    assert!(stranger.link_stats().unreached > 0 && !stranger.link_stats().hosts[0].is_linked);
    for system in [server, stranger, lost] {
        system.stop().await.expect("there is no store");
    }
}

fn word(port: &str, payload: &[u8]) -> WireEnvelope {
    let payload = payload.to_vec().into();
    let fill = Fill { port: port.into(), payload, ..Fill::default() };
    WireEnvelope { schema: SCHEMA, fills: vec![fill], ..WireEnvelope::default() }
}

/// A host that speaks by hand.
struct Hand {
    control: (LinkSender, LinkReceiver),
    _bulk: (LinkSender, LinkReceiver),
}

impl Hand {
    async fn meet(host: u8, server: &System) -> Self {
        let tcp = Tcp::new(key(host));
        let (at, peer) = (address(server), server.peer_id());
        let mut hello = 1_u32.to_le_bytes().to_vec();
        hello.extend_from_slice(&77_u64.to_le_bytes());
        let mut links = Vec::new();
        for class in [Class::Control, Class::Bulk] {
            let link = tcp.dial(&at, &peer, class).await.expect("it is let in");
            links.push(Link::split(link));
        }
        for (sender, _) in &links {
            sender.send(encode(&word("hello", &hello))).await.expect("it is taken");
        }
        for (_, receiver) in &mut links {
            receiver.recv().await.expect("it is greeted back");
        }
        let (bulk, control) = (links.pop().expect("two"), links.pop().expect("two"));
        control.0.send(encode(&word("go", &[]))).await.expect("it is taken");
        Self { control, _bulk: bulk }
    }

    async fn say(&self, envelope: &WireEnvelope) -> bool {
        self.control.0.send(encode(envelope)).await.is_ok()
    }
}

fn encode(envelope: &WireEnvelope) -> samsara_proto::EncodedFrame {
    EnvelopeCodec::default().encode(envelope).expect("it fits")
}

fn item(from: PeerId, to: PeerId) -> WireEnvelope {
    let (source, destination) = (from.to_bytes().into(), to.to_bytes().into());
    let (incarnation, boot_nonce) = (1, 1);
    let envelope = word("Round/say", &[]);
    WireEnvelope { source, destination, incarnation, boot_nonce, seq: 1, ..envelope }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_speaks_for_another_ones_node_is_not_heard_and_blocked_in_the_end() {
    let net = Net::Tcp;
    let (honest, liar) = (net.peer(1), net.peer(3));
    let server = net.host(2).listen(net.anywhere()).allow([honest, liar]);
    let server = server.start().await.expect("it starts");
    let ledger = server.spawn(ledger_spec(honest)).await.expect("it lives");
    let hand = Hand::meet(3, &server).await;
    let own = liar.derive("own");
    let mut here = 3_u32.to_le_bytes().to_vec();
    here.extend_from_slice(b"own");
    assert!(hand.say(&word("here", &here)).await);
    assert!(hand.say(&item(own, ledger.peer_id())).await);
    until("its own is heard", || server.link_stats().received == 1).await;
    for victim in [honest.derive("source"), honest, liar.derive("untold")] {
        assert!(hand.say(&item(victim, ledger.peer_id())).await);
    }
    until("they are counted", || server.link_stats().forged == 3).await;
    assert_eq!(server.link_stats().received, 1);
    assert!(hand.say(&word("nonsense", &[])).await);
    until("no word of a host", || server.link_stats().malformed == 1).await;
    while server.link_stats().blocked == 0 {
        hand.say(&item(honest, ledger.peer_id())).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    until("its links are closed", || {
        let stats = server.link_stats();
        stats.hosts.iter().any(|host| host.peer == liar && host.is_blocked && !host.is_linked)
    })
    .await;
    let again = Tcp::new(key(3)).dial(&address(&server), &server.peer_id(), Class::Control).await;
    assert!(again.is_err(), "it is not let in any more");
    assert_eq!(noted(&ledger, "ledger").await, (0, 0));
    server.stop().await.expect("there is no store");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_nobody_here_is_counted_and_no_offence() {
    let net = Net::Tcp;
    let server = net.host(2).listen(net.anywhere()).open().start().await.expect("it starts");
    let hand = Hand::meet(3, &server).await;
    let mut here = 3_u32.to_le_bytes().to_vec();
    here.extend_from_slice(b"own");
    assert!(hand.say(&word("here", &here)).await);
    for _ in 0..50 {
        let own = net.peer(3).derive("own");
        assert!(hand.say(&item(own, server.peer_id().derive("nobody"))).await);
    }
    until("they are counted", || server.link_stats().absent == 50).await;
    assert_eq!((server.link_stats().blocked, server.link_stats().forged), (0, 0));
    server.stop().await.expect("there is no store");
}
