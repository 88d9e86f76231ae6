//! Programs over several Nodes: what runs where, and who has to be known for it.

use samsara_proto::PeerId;
use samsara_runtime::{
    compiler::Compiler,
    config::NodeConfig,
    graph::{Graph, Place},
    node::{InstallError, Installation, install},
    program::Program,
    time::Nanos,
    value::Value,
};

use super::parts::Parts;

/// Clients send, the server answers all of them.
fn program(record: impl FnOnce(&Graph, Place<'_>, Place<'_>)) -> Program {
    let g = Graph::new("Round");
    let (server, client) = (g.place("server"), g.place("client"));
    let doubled = g.at(client).slot("parts").op("double", [g.at(client).input::<u64>("n")]);
    let seen = g.channel("update").from(client).to(server).send(doubled);
    g.at(server).output("seen", seen[0]);
    g.channel("model").from(server).to(client).broadcast(g.at(server).pass_through(seen[0]));
    record(&g, server, client);
    let draft = g.build().expect("the module is sound");
    Compiler::new().bind::<Parts>("parts").compile(draft).expect("the program is sound")
}

fn at<'p>(program: &'p Program, place: &'p str) -> Installation<'p> {
    Installation::new(PeerId::from(1), program).place(place)
}

fn peers<const N: usize>(numbers: [u64; N]) -> [PeerId; N] {
    numbers.map(PeerId::from)
}

#[test]
fn a_place_picks_its_part_of_a_plain_name() {
    let program = program(|_, _, _| {});
    for targets in [vec!["Round"], vec!["Round@server"], vec![]] {
        let server = at(&program, "server").targets(targets).bind("client", peers([2, 3]));
        let mut node = server.install().expect("all is bound");
        assert_eq!(node.loaded_modules().collect::<Vec<_>>(), ["Round@server"]);
        assert_eq!(node.place(), Some("server"));
        node.deliver_event("Round", "update", 7_u64).expect("the plain name is known");
        node.deliver_event("Round@server", "update", 7_u64).expect("so is the whole one");
        assert_eq!(node.run_until_idle(Nanos::ZERO).output("seen"), Some(7_u64));
    }
}

#[test]
pub(crate) fn the_peers_at_a_place_are_known_to_the_node_and_to_its_ops() {
    let program = program(|g, server, _| {
        let who = g.at(server).peers_at("client", g.at(server).input::<()>("ask"));
        g.at(server).output("who", who);
        let nobody = g.at(server).peers_at("nowhere", g.at(server).input::<()>("miss"));
        g.at(server).output("nobody", nobody);
    });
    let server = at(&program, "server").bind("client", peers([3, 2])).bind("client", peers([2]));
    let mut node = server.install().expect("all is bound");
    assert_eq!(node.peers_at("client").collect::<Vec<_>>(), peers([2, 3]));
    assert_eq!(node.peers_at("server").count(), 0);
    node.deliver_event("Round", "ask", ()).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    assert_eq!(steps.output::<Vec<PeerId>>("who"), Some(peers([2, 3]).to_vec()));
    node.deliver_event("Round", "miss", ()).expect("it is admitted");
    let steps = node.run_until_idle(Nanos::ZERO);
    let reasons: Vec<_> = steps.failures().map(|error| error.reason().to_owned()).collect();
    assert_eq!(reasons, ["the place \"nowhere\" is not bound"]);
}

#[test]
fn a_node_that_sends_to_a_place_must_be_told_who_is_there() {
    let program = program(|_, _, _| {});
    let alone = at(&program, "client").install().expect_err("the server is not bound");
    let unbound = InstallError::UnboundPlace {
        place: "server".into(),
        channel: "update".into(),
        available: vec![],
    };
    assert_eq!(alone, unbound);
    let plain = install(PeerId::from(1), [], &program, &["Round@client"], NodeConfig::default());
    assert_eq!(plain.expect_err("the same by its whole name"), unbound);
    let elsewhere = at(&program, "client").bind("client", peers([2])).install();
    let InstallError::UnboundPlace { available, .. } = elsewhere.expect_err("another one is")
    else {
        panic!("it lacks the server");
    };
    assert_eq!(available, ["client"]);
}

#[test]
fn a_send_to_several_is_refused_unless_it_is_a_broadcast() {
    let program = program(|_, _, _| {});
    for (ids, count) in [(vec![], 0), (peers([2, 3]).to_vec(), 2)] {
        let refused = at(&program, "client").bind("server", ids).install();
        let (channel, place) = ("update".to_owned(), "server".to_owned());
        let wanted = InstallError::NotOnePeer { channel, place, count };
        assert_eq!(refused.expect_err("it is no broadcast"), wanted);
    }
    for ids in [vec![], peers([2, 3]).to_vec()] {
        at(&program, "server").bind("client", ids).install().expect("it is a broadcast");
    }
}

#[test]
fn places_and_targets_that_are_not_there_are_named_beside_those_that_are() {
    let program = program(|_, _, _| {});
    let available = || vec!["client".to_owned(), "server".to_owned()];
    for installation in [at(&program, "moon"), at(&program, "server").bind("moon", [])] {
        let unknown = InstallError::UnknownPlace { place: "moon".into(), available: available() };
        assert_eq!(installation.install().expect_err("there is no moon"), unknown);
    }
    let nowhere = Installation::new(PeerId::from(1), &program).targets(["Round"]).install();
    assert_eq!(
        nowhere.expect_err("no place picks its part").to_string(),
        "no modules [\"Round\"], there are [\"Round@client\", \"Round@server\"]"
    );
    let nothing = Installation::new(PeerId::from(1), &program).install();
    assert!(matches!(nothing, Err(InstallError::EmptyTargets { .. })), "{nothing:?}");
}

#[test]
fn a_place_has_no_more_peers_than_a_node_may_know() {
    let program = program(|_, _, _| {});
    let mut config = NodeConfig::default();
    config.peers.max_peers = 2;
    let bound = |ids: Vec<PeerId>| {
        at(&program, "server").bind("client", ids).config(config).install().map(|_| ())
    };
    assert_eq!(bound(peers([2, 3]).to_vec()), Ok(()));
    let place = "client".to_owned();
    let too_many = InstallError::TooManyPeers { place, got: 3, cap: 2 };
    assert_eq!(bound(peers([2, 3, 4]).to_vec()), Err(too_many));
}

#[test]
fn a_node_may_be_at_several_places_by_the_whole_names() {
    let program = program(|_, _, _| {});
    let both = Installation::new(PeerId::from(1), &program)
        .targets(["Round@client", "Round@server"])
        .bind("server", peers([1]))
        .bind("client", peers([1]));
    let mut node = both.install().expect("all is bound");
    node.deliver_event("Round@server", "update", 3_u64).expect("it is admitted");
    assert_eq!(node.run_until_idle(Nanos::ZERO).output("seen"), Some(3_u64));
    let refused = node.deliver_event("Round", "update", Value::U64(3));
    refused.expect_err("which of the two is not said");
}
