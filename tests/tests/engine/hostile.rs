//! What a hostile peer, user or host may do, by the public door.

use bytes::Bytes;
use samsara_proto::{
    PeerId, WireEnvelope,
    wire::{Correlation, Fill},
};
use samsara_runtime::{
    compiler::Compiler,
    config::{ExchangeConfig, NodeConfig, PeerConfig, RttConfig},
    error::{DeliveryError, Denial, OpError},
    event::{BootstrapInputs, Control, IngressEvent, InputIndex},
    graph::Graph,
    id::{CommandId, ExecId},
    node::{BootstrapTarget, Node, PeerDoor, install},
    rng::Rng,
    schema::PortType,
    step::EngineStep,
    time::{Nanos, seconds},
    value::{NativeCodec, TypeId, Value},
};

use samsara_tests::counting::Region;

use super::{
    parts::{Parts, node, outputs},
    wire::{self, envelope, fill, peer},
};

const NOW: Nanos = Nanos::ZERO;

/// A native type of two bytes.
#[derive(Debug, PartialEq)]
struct Celsius(i16);

impl NativeCodec for Celsius {
    const TYPE_ID: TypeId = TypeId::from_static("celsius@1");

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.0.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let bytes = bytes.try_into().map_err(|_| format!("wanted 2 bytes, got {}", bytes.len()))?;
        Ok(Self(i16::from_le_bytes(bytes)))
    }

    fn byte_size(&self) -> u64 {
        2
    }
}

fn thermometer() -> Node {
    let g = Graph::new("Main");
    let read = g.input_of("read", PortType::Native(Celsius::TYPE_ID));
    g.output("read", read);
    g.export("read");
    let question = g.input::<u64>("n");
    g.output("answer", g.request("Main/read", g.constant(peer(2)), question));
    let program = Compiler::new()
        .native::<Celsius>()
        .compile(g.build().expect("the module is sound"))
        .expect("the program is sound");
    let mut node = install(peer(1), [], &program, &["Main"], NodeConfig::default()).expect("ok");
    node.add_peer(peer(2), [wire::address()]).expect("there is room");
    node
}

fn heard(node: &mut Node, envelope: WireEnvelope) -> Vec<EngineStep> {
    node.deliver_envelope(peer(2), envelope, None).expect("it is admitted");
    node.run_until_idle(NOW).0
}

#[test]
fn a_native_value_of_a_registered_type_comes_in_from_a_peer() {
    let mut node = thermometer();
    let warm = || fill("Main/read", Value::native_of(Celsius(21)));
    let steps = heard(&mut node, envelope(1, vec![warm()]));
    let [("read", value)] = &outputs(&steps)[..] else { panic!("{steps:?}") };
    assert_eq!(value.native::<Celsius>(), Some(&Celsius(21)));

    node.invoke("Main", [("n", 1_u64)]).expect("it is admitted");
    let asked = wire::sent(&node.run_until_idle(NOW).0).remove(0).2;
    let mut answer = envelope(2, vec![warm()]);
    answer.set_correlation(Correlation::Response);
    answer.request_id = asked.request_id;
    let steps = heard(&mut node, answer);
    let [("answer", value)] = &outputs(&steps)[..] else { panic!("{steps:?}") };
    assert_eq!(value.native::<Celsius>(), Some(&Celsius(21)));

    let torn = Fill { payload: Bytes::from_static(b"abc"), ..warm() };
    let steps = heard(&mut node, envelope(3, vec![torn]));
    assert!(
        matches!(&steps[..], [EngineStep::WireDecodeFailed { reason, .. }]
        if reason.to_string().contains("wanted 2 bytes, got 3")),
        "{steps:?}"
    );
}

#[test]
fn a_door_on_another_thread_lets_nothing_in_once_its_peer_is_blocked() {
    let g = |g: &Graph| {
        g.output("n", g.input::<u64>("n"));
        g.export("n");
        g.peers_block(g.input::<PeerId>("foe"));
        g.peers_unblock(g.input::<PeerId>("friend"));
    };
    let mut node = wire::node(1, g);
    let door = node.wire_door().peer(&peer(2)).expect("there is room");
    let refused = || {
        let told = door.deliver_inbound("these bytes are no frame".into());
        matches!(told, Err(DeliveryError::Denied(Denial::Blocklisted)))
    };
    assert!(!refused(), "it was read");
    node.block_peer(peer(2)).expect("there is room");
    node.run_until_idle(NOW);
    std::thread::scope(|threads| {
        let told = threads.spawn(|| door.deliver_envelope(envelope(1, vec![]), None));
        let told = told.join().expect("it does not panic");
        assert!(matches!(told, Err(DeliveryError::Denied(Denial::Blocklisted))), "{told:?}");
    });
    assert!(refused(), "before its bytes are read");
    assert_eq!(node.ingress().stats().items, 0);
    for (input, is_refused) in [("friend", false), ("foe", true)] {
        node.invoke("Main", [(input, peer(2))]).expect("it is admitted");
        node.run_until_idle(NOW);
        assert_eq!(refused(), is_refused, "by the program");
    }
    let anew = node.wire_door().peer(&peer(2)).expect("there is room");
    assert!(anew.deliver_envelope(envelope(1, vec![]), None).is_err());
}

#[test]
fn a_node_that_is_set_back_has_the_doors_that_it_had() {
    let mut node = wire::node(1, |g| {
        g.output("n", g.input::<u64>("n"));
        g.export("n");
    });
    node.block_peer(peer(2)).expect("there is room");
    node.run_until_idle(NOW);
    let snapshot = node.snapshot().expect("nothing in it cannot be written");
    node.unblock_peer(peer(2)).expect("there is room");
    node.block_peer(peer(3)).expect("there is room");
    node.run_until_idle(NOW);
    let doors = [2, 3].map(|number| node.wire_door().peer(&peer(number)).expect("there is room"));
    let are_open = |doors: &[PeerDoor; 2]| {
        doors.each_ref().map(|door| door.deliver_envelope(envelope(1, vec![]), None).is_ok())
    };
    assert_eq!(are_open(&doors), [true, false]);
    node.restore(&snapshot).expect("it is of this Node");
    assert_eq!(are_open(&doors), [false, true]);
}

#[test]
fn a_peer_that_opens_stream_after_stream_leaves_room_for_others() {
    let exchange = ExchangeConfig { max_streams: 5, max_peer_streams: 3, ..Default::default() };
    let config = NodeConfig { exchange, ..NodeConfig::default() };
    let mut node = wire::node_with(1, config, |g| {
        g.output("n", g.input::<u64>("n"));
        g.export("n");
    });
    let mut take = |from: u64, stream: u64| {
        let opened = WireEnvelope { stream, ..envelope(1, vec![fill("Main/n", stream)]) };
        node.deliver_envelope(peer(from), opened, None).expect("it is admitted");
        let steps = node.run_until_idle(NOW).0;
        match &steps[..] {
            [EngineStep::AppEvent { .. }] => String::new(),
            [] => format!("kept out: {}", node.screened().unopened),
            other => panic!("{other:?}"),
        }
    };
    for stream in [1, 2, u64::MAX] {
        assert_eq!(take(2, stream), "");
    }
    assert_eq!([3, 4].map(|stream| take(2, stream)), ["kept out: 1", "kept out: 2"]);
    assert_eq!([1, 2].map(|stream| take(3, stream)), ["", ""]);
    assert_eq!(take(4, 1), "kept out: 3");
}

/// Bytes that one of each may take beside what is in it, and what all of the rest takes.
const PEER_BYTES: u64 = 2 * 1024;
const STREAM_BYTES: u64 = 256;
const ITEM_BYTES: u64 = 1024;
const BASE_BYTES: u64 = 64 * 1024;

#[test]
fn a_hundred_thousand_hostile_envelopes_take_no_more_memory_than_the_settings_allow() {
    let config = NodeConfig {
        peers: PeerConfig { max_peers: 64, max_listed: 8, ..PeerConfig::default() },
        exchange: ExchangeConfig {
            dedup_window: 1_024,
            max_streams: 32,
            max_peer_streams: 2,
            ..ExchangeConfig::default()
        },
        rtt: RttConfig { max_estimates: 64, ..RttConfig::default() },
        ingress_capacity: 256,
        ..NodeConfig::default()
    };
    let mut node = wire::node_with(1, config, |g| {
        g.output("n", g.input::<u64>("n"));
        g.export("n");
        g.reply(g.input::<u64>("asked"));
        g.export("asked");
    });
    let (mut rng, mut steps, mut refused) = (Rng::from_seed(7), Vec::new(), 0_u64);
    let region = Region::start();
    for at in 0..100_000_u64 {
        let strangers = if rng.chance(1, 2) { 20_000 } else { 20 };
        let from = peer(1_000 + rng.below(strangers));
        let (seq, stream) = (rng.next_u64() >> rng.below(64), rng.below(4) * rng.below(1 << 40));
        let port = ["Main/n", "Main/asked", "Main/nothing"][rng.below(3) as usize];
        let mut hostile = envelope(seq, vec![fill(port, at), fill("Main/n", "no number")]);
        (hostile.stream, hostile.stream_epoch) = (stream, u64::from(stream > 0));
        hostile.seq = if stream > 0 { 1 } else { seq };
        if rng.chance(1, 2) {
            let kind = [Correlation::Request, Correlation::Response][rng.below(2) as usize];
            hostile.set_correlation(kind);
            hostile.request_id = rng.below(9);
        }
        hostile.claimed_addresses = vec![wire::address().to_bytes().into()];
        refused += u64::from(node.deliver_envelope(from, hostile, Some(wire::address())).is_err());
        if rng.chance(1, 100) {
            node.step(Nanos::new(at), &mut steps);
            steps.clear();
        }
    }
    node.run_until_idle(Nanos::new(100_000));
    let peak = region.stop().peak_live;
    let (peers, exchange) = (config.peers, config.exchange);
    let per_peer = PEER_BYTES + u64::from(exchange.dedup_window) / 8;
    let allowed = BASE_BYTES
        + 2 * u64::from(peers.max_peers) * per_peer
        + u64::from(exchange.max_streams) * STREAM_BYTES
        + u64::from(config.ingress_capacity) * ITEM_BYTES;
    assert!(peak <= allowed, "{peak} bytes, {allowed} are allowed");
    assert!(refused < 90_000, "too few were taken to show anything: {refused} refused");
    let stats = node.engine_stats();
    assert_eq!((stats.depths.executions, stats.depths.ingress_bytes), (0, 0));
}

#[test]
fn times_without_end_and_the_end_of_time_hold_no_surprise() {
    let forever = Nanos::MAX;
    let mut node = node(|g| {
        let n = g.input::<u64>("n");
        g.output("slept", g.sleep(n, forever));
        g.output("after", g.after(n, g.constant(u64::MAX)));
        g.output("tick", g.interval(forever));
        g.output("later", g.within(g.sleep(n, seconds(1)), forever));
        let [_, late] = g.deadline(g.sleep(n, forever), forever);
        g.output("late", late);
        g.output("clock", g.clock(n));
    });
    for now in [Nanos::ZERO, Nanos::new(u64::MAX - 1), Nanos::MAX, Nanos::ZERO] {
        node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
        let mut steps = Vec::new();
        (0..20).for_each(|_| node.step(now, &mut steps));
    }
    assert_eq!((node.execution_count(), node.engine_stats().depths.timers), (0, 0));
    assert_eq!(node.run_until_idle(Nanos::MAX).0, []);
}

#[test]
fn an_envelope_of_the_largest_numbers_is_taken_or_refused() {
    let mut node = wire::node(1, |g| {
        let n = g.input::<u64>("n");
        g.reply(g.slot("parts").op("plus", [n, g.constant(0_u64)]));
        g.export("n");
        g.net_out("Main/n", g.constant(peer(2)), n);
        g.output("later", g.sleep(n, seconds(1)));
    });
    let most = u64::MAX;
    for seq in [1, most] {
        let mut large = envelope(seq, vec![fill("Main/n", 1_u64)]);
        large.set_correlation(Correlation::Request);
        (large.request_id, large.deadline_ns) = (most, Some(most));
        (large.stream, large.stream_epoch) = (most, most);
        let (chain_id, hop_index) = (most, u32::MAX);
        large.chain = Some(samsara_proto::wire::ChainContext { chain_id, hop_index });
        let steps = heard(&mut node, large.clone());
        let sent = wire::sent(&steps).len();
        assert_eq!(sent, if seq == 1 { 2 } else { 0 }, "{steps:?}");
        (large.stream, large.seq) = (0, most);
        heard(&mut node, large);
    }
    node.run_until_idle(Nanos::MAX);
    assert_eq!(node.execution_count(), 0);
}

#[test]
fn names_that_are_empty_or_long_are_refused_where_they_are_given() {
    let long = "n".repeat(64 * 1024);
    let mut node = wire::node(1, |g| {
        g.output("n", g.input::<u64>("n"));
        g.export("n");
    });
    for name in ["", "/", "Main/", "bootstrap", "samsara", &long] {
        assert!(node.invoke(name, [("n", 1_u64)]).is_err());
        assert!(node.invoke("Main", [(name, 1_u64)]).is_err());
        assert!(node.deliver_event("Main", name, 1_u64).is_err());
        assert!(node.fire_lifecycle(name).is_err());
        let named = BootstrapTarget::ModuleNames(vec![name.to_owned()]);
        assert!(node.request_bootstrap(named).is_err());
        assert!(node.request_bootstrap(BootstrapTarget::Slots(vec![name.to_owned()])).is_err());
        let told = node.deliver_envelope(peer(2), envelope(1, vec![fill(name, 1_u64)]), None);
        assert_eq!(told.is_err(), name.len() > 512);
    }
    node.clear();
    node.run_until_idle(NOW);

    let authored = |name: &str| {
        let g = Graph::new("Main");
        let n = g.input::<u64>("n");
        g.stash(name, n);
        g.notify(name, n);
        g.enqueue(name, n);
        g.emit(name, n);
        g.output("phase", g.on_lifecycle(name));
        g.output("limit", g.acquire(name, 0, n));
        g.net_out(name, g.constant(peer(2)), n);
        let draft = g.build().map_err(|error| error.to_string())?;
        Compiler::new().compile(draft).map_err(|error| error.to_string())
    };
    for name in ["", &long] {
        let refused = authored(name).expect_err("none of it is a name");
        assert!(refused.len() < 16 * 1024, "{} bytes", refused.len());
    }
}

#[test]
fn modules_named_like_parts_of_the_engine_are_themselves() {
    let named = |name: &str| {
        let g = Graph::new(name);
        g.bootstrap(|b| b.emit("begun", b.constant(1_u64)));
        g.output("n", g.slot("bootstrap").op("add", [g.input::<u64>("bootstrap")]));
        g.export("bootstrap");
        g
    };
    for name in ["Mod/x", "a\u{0}b"] {
        let refused = named(name).build().expect_err("it is no name").to_string();
        assert!(refused.contains("no slash and no control character"), "{refused}");
    }
    let names = ["Bootstrap.Dispatch", "bootstrap", "main", "Pulse", "samsara.within"];
    let drafts = names.map(|name| named(name).build().expect("the module is sound"));
    let program = Compiler::new().bind::<Parts>("bootstrap").compile_all(drafts);
    let program = program.expect("the program is sound");
    let mut node = install(peer(1), [], &program, &names, NodeConfig::default()).expect("installs");
    let steps = node.run_bootstrap(NOW, BootstrapTarget::All).expect("it is asked for").0;
    let complete = |step: &&EngineStep| matches!(step, EngineStep::BootstrapComplete { .. });
    assert_eq!(steps.iter().filter(complete).count(), names.len());
    for (at, name) in (1_u64..).zip(names) {
        node.invoke(name, [("bootstrap", 1_u64)]).expect("it is admitted");
        assert_eq!(node.run_until_idle(NOW).output("n"), Some(at));
    }
}

#[test]
fn an_op_waits_for_as_many_inputs_as_are_counted_and_more_are_refused() {
    let bundling = |count| {
        let g = Graph::new("Main");
        g.output("list", g.bundle(vec![g.input::<u64>("n"); count]));
        Compiler::new().compile(g.build().expect("its form is sound"))
    };
    let most = usize::from(u16::MAX);
    let program = bundling(most).expect("so many are counted");
    let mut node = install(peer(1), [], &program, &["Main"], NodeConfig::default()).expect("ok");
    node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
    let list = node.run_until_idle(NOW).output::<Vec<u64>>("list").expect("all have arrived");
    assert_eq!((list.len(), list.iter().sum()), (most, most as u64 * 5));
    let refused = bundling(most + 1).expect_err("one more than is counted").to_string();
    assert!(refused.contains("inputs"), "{refused}");
}

/// Events that no call of a Node makes, as a host may push them itself.
fn forged() -> Vec<IngressEvent> {
    let (exec, command) = (ExecId::new(u64::MAX), CommandId::new(u64::MAX));
    let (exec, command) = exec.zip(command).expect("not zero");
    let anywhere = [0, 1, u32::MAX];
    let mut events = vec![
        IngressEvent::Control(Control::Start),
        IngressEvent::Control(Control::Clear),
        IngressEvent::Control(Control::Lifecycle("".into())),
        IngressEvent::Completion { command, outputs: vec![] },
        IngressEvent::CompletionFailed { command, error: OpError::failed("") },
    ];
    for module in anywhere {
        for input in anywhere {
            let value = Value::from("of another type");
            let at = InputIndex { module, input };
            events.push(IngressEvent::AppEvent { exec, input: at, value: value.clone() });
            let inputs = vec![(input, value.clone()), (input, value.clone())];
            events.push(IngressEvent::Invoke { exec, module, inputs: inputs.clone() });
            let asked = vec![BootstrapInputs { module, inputs }; 2];
            events.push(IngressEvent::Control(Control::Bootstrap(asked)));
        }
    }
    events
}

#[test]
fn events_that_a_host_makes_up_are_no_harm_in_any_order() {
    let mut node = node(|g| {
        g.bootstrap(|b| b.output("first", b.slot("parts").op("add", [b.input::<u64>("n")])));
        let n = g.input::<u64>("n");
        g.output("total", g.slot("parts").op("add", [n]));
        g.output("tick", g.interval(seconds(1)));
        g.output("slept", g.sleep(n, seconds(1)));
    });
    let events = forged();
    for first in 0..events.len() {
        for event in events.iter().cycle().skip(first).take(events.len()) {
            node.ingress_handle().try_push(event.clone(), event.weight()).expect("there is room");
        }
        let mut steps = Vec::new();
        (0..9).for_each(|turn| node.step(seconds(first as u64 + turn), &mut steps));
    }
    node.clear();
    node.run_until_idle(NOW);
    let depths = node.engine_stats().depths;
    assert_eq!((depths.executions, depths.parked, depths.ingress_bytes), (0, 0, 0));
    node.invoke("Main", [("n", 5_u64)]).expect("it is admitted");
    assert_eq!(node.run_until_idle(NOW).output("total"), Some(5_u64));
}
